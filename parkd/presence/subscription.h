// One subscription as its notifier sees it (RFC 6665 4.2), as a pure function: one NOTIFY under way at most, the last
// state wins, and a subscription ends early only after a refusal or several NOTIFYs in a row without an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "parkd/presence/publication.h"

namespace callpark::presence {

/// The reason of an end, for the watcher.
enum class SubscriptionEnd {
  kTimeout,     // no refresh, or the watcher unsubscribed
  kNoResource,  // there is no such extension any more
};

struct Subscription {
  struct Quiet {
    friend bool operator==(const Quiet&, const Quiet&) = default;
  };
  struct Notifying {
    Serial serial = 0;
    bool is_last = false;
    friend bool operator==(const Notifying&, const Notifying&) = default;
  };
  /// The timer for the next try runs.
  struct Waiting {
    friend bool operator==(const Waiting&, const Waiting&) = default;
  };
  struct Over {
    friend bool operator==(const Over&, const Over&) = default;
  };

  std::variant<Quiet, Notifying, Waiting, Over> phase;
  Serial wanted = 0;
  std::optional<SubscriptionEnd> end;
  std::uint32_t failures = 0;  // in a row

  friend bool operator==(const Subscription&, const Subscription&) = default;
};

namespace subscription {

/// A NOTIFY is due: the state has changed, or a SUBSCRIBE came.
struct Wanted {
  Serial serial;
};
struct Ended {
  SubscriptionEnd why;
};
struct Accepted {};
/// The watcher has no such subscription (481), or refuses all.
struct Unknown {};
struct Failed {};
struct RetryDue {};
using Event = std::variant<Wanted, Ended, Accepted, Unknown, Failed, RetryDue>;

/// Sends the wanted state.
struct Notify {
  Serial serial;
  std::optional<SubscriptionEnd> end;
  friend bool operator==(const Notify&, const Notify&) = default;
};
struct StartRetry {
  std::uint32_t failures;
  friend bool operator==(const StartRetry&, const StartRetry&) = default;
};
/// The subscription is over; no NOTIFY follows.
struct Remove {
  friend bool operator==(const Remove&, const Remove&) = default;
};
using Action = std::variant<Notify, StartRetry, Remove>;

/// So many NOTIFYs in a row without an answer end the subscription.
// RFC 6665 4.2.2 ends it after the first; but then one lost answer would darken a phone for an hour.
inline constexpr std::uint32_t kFailuresMax = 4;

struct Decision {
  Subscription next;
  std::vector<Action> actions;
};
/// Any other event than the state waits for changes nothing.
Decision decide(Subscription state, const Event& event);

}  // namespace subscription
}  // namespace callpark::presence
