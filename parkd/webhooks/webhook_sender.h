// Sends the events of parked calls to their subscribers, over HTTP: asks the store what is due, claims it in turns, and
// stores what came of each attempt. What is decided is decided in delivery.h and turns.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "base/http_client.h"
#include "base/metrics.h"
#include "parkd/ports/webhook_store.h"
#include "parkd/webhooks/delivery.h"
#include "parkd/webhooks/turns.h"

namespace callpark::webhooks {

class WebhookSender {
 public:
  struct Settings {
    /// How often the store is asked what is due.
    Duration poll{1000};
    /// How often it is counted, and what is too old given up.
    Duration tidy{10'000};
    /// Of a request, until its answer is complete.
    Duration request_timeout{10'000};
    /// How long no other node sends a claimed event: well above a request and the write of its outcome.
    Duration lease{30'000};
    RetrySettings retries;
    TurnSettings turns;
    /// The connections are as many as events may be in flight.
    HttpClientOptions http;
  };

  /// Loop's thread only; the arguments must outlive the sender.
  WebhookSender(EventLoop& loop, WebhookStore& store, Metrics& metrics, Settings settings);

  void start();
  /// Permits the addresses of subscribers, from the next attempt on, over connections of their own.
  void set_addresses(AddressPolicy addresses);

 private:
  using Number = std::uint64_t;  // of an attempt

  void poll();
  void tidy();
  /// Claims and sends as much as is possible now.
  void proceed();
  void send(const WebhookDelivery& delivery, authz::breaker::Span span);
  /// `failure`: one word or two for the table; `sentence`: for the log. Both empty of a delivery.
  struct Answered {
    Attempt attempt;
    std::string failure;
    std::string sentence;
  };
  static Answered answered(const HttpOutcome& outcome);
  void conclude(const WebhookDelivery& delivery, authz::breaker::Span span, const Answered& answered);
  void finish(const WebhookDelivery& delivery, authz::breaker::Span span, const Answered& answered, bool is_delivered);

  EventLoop& loop_;
  WebhookStore& store_;
  Metrics& metrics_;
  struct Sending {
    std::shared_ptr<HttpClient> client;  // that of the time when it began
    HttpClient::Pending pending;
  };

  Settings settings_;
  Turns turns_;
  std::shared_ptr<HttpClient> client_;
  std::map<Number, Sending> sending_;
  Number last_number_ = 0;
  bool is_polling_ = false;
  bool is_tidying_ = false;
  LoopHandle polling_;
  LoopHandle tidying_;
  Gauge due_;
  Gauge dead_;
  Gauge oldest_due_;
};

}  // namespace callpark::webhooks
