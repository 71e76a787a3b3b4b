// One event on its way to one subscriber: what an attempt means for it, when the next one is due, and when it is given
// up. Pure functions of the time and the answer.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "parkd/call/park_event.h"

namespace callpark::webhooks {

/// After the last of the delays comes the same one again, until the life of the delivery is over.
struct RetrySettings {
  std::array<Duration, 8> delays = {std::chrono::seconds(5),  std::chrono::seconds(30), std::chrono::minutes(2),
                                    std::chrono::minutes(10), std::chrono::minutes(30), std::chrono::hours(1),
                                    std::chrono::hours(3),    std::chrono::hours(6)};
  /// Each delay is lengthened by a random part of so many percent, so that what failed together does not return
  /// together.
  int jitter_percent = 20;
  /// A longer Retry-After of the subscriber counts as this.
  Duration retry_after_max = std::chrono::hours(1);
  /// From the event to the last attempt.
  Duration life = std::chrono::hours(24);
};

/// What came of sending an event once.
struct Attempt {
  std::optional<int> status;  // empty if the subscriber has sent no whole answer
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
};

struct Delivered {
  friend bool operator==(const Delivered&, const Delivered&) = default;
};
struct Retry {
  Duration delay;
  friend bool operator==(const Retry&, const Retry&) = default;
};
/// No further attempt, unless an operator sends it again.
struct Dead {
  friend bool operator==(const Dead&, const Dead&) = default;
};
/// 410: the subscriber wants no more events at all (Standard Webhooks 1.0).
struct Gone {
  friend bool operator==(const Gone&, const Gone&) = default;
};
using Outcome = std::variant<Delivered, Retry, Dead, Gone>;

/// "delivered", "retry", "dead", "gone": the words of the metric.
std::string_view name_of(const Outcome& outcome);

/// `attempts`: how often the event has been sent, this attempt included, from 1. `age`: time since the event.
/// `percent`: a random number from 0 to 100, for the jitter. Total: every answer at every age has an outcome.
Outcome outcome_of(const RetrySettings& settings, const Attempt& attempt, std::uint32_t attempts, Duration age,
                   int percent);

/// The webhook-id: names the event for every subscriber and every attempt. It has no dot, as the signature requires.
std::string webhook_id(const ParkEvent& event);

/// The body: one line of JSON, always UTF-8. docs/billing/webhook_event.schema.json is the same for those that read it.
std::string write_webhook_event(const ParkEvent& event);

}  // namespace callpark::webhooks
