// The turns of the subscribers: which one's events are claimed next, and how many. Subscribers alternate; each has a
// few events in flight, and one that fails is left alone by a circuit breaker but for one attempt at a time. Pure: time
// is an argument, and nothing is sent here.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "parkd/authz/circuit_breaker.h"
#include "parkd/ports/webhook_store.h"

namespace callpark::webhooks {

struct TurnSettings {
  std::size_t in_flight_max = 32;  // of all subscribers
  std::size_t in_flight_of_one_max = 4;
  authz::breaker::Settings breaker{.failures_max = 3,
                                   .open_first = std::chrono::seconds(1),
                                   .open_max = std::chrono::minutes(1),
                                   .probe_lost_after = std::chrono::minutes(2)};
};

/// Permission to claim so many events of a subscriber, and to send them.
struct Turn {
  Subscriber subscriber;
  std::size_t events_max = 0;
  authz::breaker::Span span = 0;
};

/// What the end of an attempt changes for its subscriber: it begins to fail, or accepts events again.
enum class Change { kNone, kFails, kRecovers };

class Turns {
 public:
  explicit Turns(TurnSettings settings) : settings_(settings) {}

  /// Events are due to these subscribers. One that waits for its turn already keeps its place.
  void add(const std::vector<Subscriber>& due);
  /// The next turn; to be called until there is none. Its events count as in flight. A subscriber that may have none
  /// now, because it fails or has enough in flight, waits no more until it is added again.
  std::optional<Turn> next(MonotonicTime now);
  /// The claim of a turn is answered with so many events; each ends with finish(). A full claim means that more may be
  /// due: the subscriber gets another turn.
  void claimed(const Turn& turn, std::size_t events, MonotonicTime now);
  /// An event of a turn has been sent and its outcome is stored. After a delivery the next event of that call is due,
  /// so the subscriber gets another turn.
  Change finish(const Subscriber& subscriber, authz::breaker::Span span, bool is_delivered, MonotonicTime now);

  std::size_t in_flight() const { return in_flight_; }
  /// Subscribers that wait, have events in flight, or failed at their last attempt.
  std::size_t known() const { return lines_.size(); }

 private:
  struct Line {
    authz::breaker::State breaker;
    std::size_t in_flight = 0;
    bool waits = false;  // it is in waiting_
  };

  void wait(const Subscriber& subscriber, Line& line);
  void forget_if_idle(const Subscriber& subscriber);

  const TurnSettings settings_;
  std::map<Subscriber, Line> lines_;
  std::deque<Subscriber> waiting_;
  std::size_t in_flight_ = 0;
};

}  // namespace callpark::webhooks
