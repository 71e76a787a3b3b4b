// One subscription as its notifier sees it (RFC 6665 4.2), as a pure function: one NOTIFY under way at most, the last
// state wins, and a watcher is given up only when he says that he is none, or is silent again and again.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "parkd/presence/publication.h"

namespace callpark::presence {

/// Why a subscription ends, for the watcher.
enum class SubscriptionEnd {
  kTimeout,     // it was not refreshed, or he wants no more
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
  /// For another try.
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

/// There is something to tell: another state, or a SUBSCRIBE that has to be answered by it.
struct Wanted {
  Serial serial;
};
struct Ended {
  SubscriptionEnd why;
};
struct Accepted {};
/// The watcher knows nothing of it (481), or never will.
struct Unknown {};
struct Failed {};
struct RetryDue {};
using Event = std::variant<Wanted, Ended, Accepted, Unknown, Failed, RetryDue>;

/// What is wanted now.
struct Notify {
  Serial serial;
  std::optional<SubscriptionEnd> end;
  friend bool operator==(const Notify&, const Notify&) = default;
};
struct StartRetry {
  std::uint32_t failures;
  friend bool operator==(const StartRetry&, const StartRetry&) = default;
};
/// It is over, and nobody is told any more.
struct Remove {
  friend bool operator==(const Remove&, const Remove&) = default;
};
using Action = std::variant<Notify, StartRetry, Remove>;

/// After so many NOTIFYs in a row that nobody answered he is given up.
// RFC 6665 4.2.2 gives him up after the first; but then one lost answer would darken a phone for an hour.
inline constexpr std::uint32_t kFailuresMax = 4;

struct Decision {
  Subscription next;
  std::vector<Action> actions;
};
/// An event that this state does not wait for changes nothing.
Decision decide(Subscription state, const Event& event);

}  // namespace subscription
}  // namespace callpark::presence
