// Subscribers and what is due to them, as the sender of webhooks sees the tables.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "parkd/call/park_event.h"
#include "parkd/ports/store.h"

namespace callpark {

/// Names a row of webhooks.
struct Subscriber {
  std::string tenant;
  std::string webhook;
  friend auto operator<=>(const Subscriber&, const Subscriber&) = default;
};

/// An event that is to be sent to one subscriber now.
struct WebhookDelivery {
  std::int64_t delivery = 0;  // the row of webhook_deliveries
  Subscriber subscriber;
  std::string url;
  std::vector<std::string> secrets;  // "whsec_...", at most two, the one to sign with first
  ParkEvent event;
  std::uint32_t attempts = 1;  // to deliver the event, the one at hand included
  Duration age{0};             // time since the event, or since an operator sent it again
};

/// What waits in the tables.
struct WebhookBacklog {
  std::int64_t due = 0;
  std::int64_t dead = 0;
  Duration oldest_due{0};
};

/// No function blocks; each answer comes once, on the loop.
class WebhookStore {
 public:
  template <class T>
  using Answer = std::function<void(Result<T, StoreUnavailable>)>;
  using Done = std::function<void()>;

  virtual ~WebhookStore() = default;

  /// The enabled subscribers that an event is due to.
  virtual void find_due(Answer<std::vector<Subscriber>> answer) = 0;
  /// Claims the next event of each of so many calls at most: no other claim of any node gets an event of these calls
  /// until the lease is over, or the delivery is reported by one of the functions below.
  virtual void claim(Subscriber subscriber, std::size_t calls_max, Duration lease,
                     Answer<std::vector<WebhookDelivery>> answer) = 0;

  // These are repeated until the database is back; then `done` is called.

  /// The event has arrived; the next one of its call is due.
  virtual void remove(WebhookDelivery delivery, Done done) = 0;
  /// The event, and those behind it, are due after `delay`.
  virtual void postpone(WebhookDelivery delivery, Duration delay, std::string failure, Done done) = 0;
  /// The event is dead; the next one of its call is due.
  virtual void give_up(WebhookDelivery delivery, std::string failure, Done done) = 0;
  /// The subscriber is gone from this URL: it gets no more events until an operator enables it again.
  virtual void disable(WebhookDelivery delivery, Done done) = 0;

  /// Gives up some of the events that are due for longer than `life_max`, and counts the rest.
  virtual void tidy(Duration life_max, Answer<WebhookBacklog> answer) = 0;
};

}  // namespace callpark
