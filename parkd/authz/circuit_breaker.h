// The circuit breaker of one billing hook: after several failures in a row the hook is left alone for a while, then one
// probe finds out whether it has recovered. A pure function from a state, an event and the time to the next state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/clock.h"

namespace callpark::authz::breaker {

/// May change between any two events.
struct Settings {
  std::uint32_t failures_max = 5;     // that many in a row open the breaker; 0: never
  Duration open_first{1'000};         // how long it is open at first; each failed probe doubles that
  Duration open_max{60'000};          // and no longer than this
  Duration probe_lost_after{10'000};  // a probe that is not reported by then is given up
};

/// Names the span of the breaker's life in which a request was admitted: a span ends with each change of phase. What a
/// request of an earlier span reports is late and changes nothing.
using Span = std::uint64_t;

struct Closed {
  std::uint32_t failures = 0;  // in a row
  friend bool operator==(const Closed&, const Closed&) = default;
};
struct Open {
  MonotonicTime until;
  Duration open_for;
  friend bool operator==(const Open&, const Open&) = default;
};
/// One probe is under way.
struct HalfOpen {
  MonotonicTime lost_at;
  Duration open_for;  // before the probe
  friend bool operator==(const HalfOpen&, const HalfOpen&) = default;
};
using Phase = std::variant<Closed, Open, HalfOpen>;

struct State {
  Phase phase = Closed{};
  Span span = 1;
  friend bool operator==(const State&, const State&) = default;
};

/// "closed", "open", "half_open": the words of the metric.
std::string_view name_of(const Phase& phase);

// ---- events ----

/// A request is about to be sent.
struct Asked {};
/// The hook has answered as agreed, whether it allows or denies.
struct Worked {
  Span span;
};
/// The hook has not answered, or not as agreed.
struct Failed {
  Span span;
};
/// The request was withdrawn before its end: nothing is known of the hook.
struct Abandoned {
  Span span;
};
using Event = std::variant<Asked, Worked, Failed, Abandoned>;

struct Decision {
  State next;
  std::optional<Span> admitted;  // answers Asked: the span to report in; nothing if the request must not be sent
};

/// Total: every event is allowed in every state.
Decision decide(const Settings& settings, const State& state, const Event& event, MonotonicTime now);

}  // namespace callpark::authz::breaker
