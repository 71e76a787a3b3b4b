#include "parkd/presence/subscription.h"

namespace callpark::presence::subscription {
namespace {

using Quiet = Subscription::Quiet;
using Notifying = Subscription::Notifying;
using Waiting = Subscription::Waiting;
using Over = Subscription::Over;

Decision notify(Subscription state) {
  state.phase = Notifying{state.wanted, state.end.has_value()};
  const Notify action{state.wanted, state.end};
  return {state, {action}};
}

Decision remove(Subscription state) {
  state.phase = Over{};
  return {state, {Remove{}}};
}

// A newer state does not wait for the retry timer.
Decision notify_unless_under_way(Subscription state) {
  const bool is_free = std::holds_alternative<Quiet>(state.phase) || std::holds_alternative<Waiting>(state.phase);
  if (!is_free) return {state, {}};
  return notify(state);
}

Decision on(Subscription state, const Wanted& event) {
  state.wanted = event.serial;
  return notify_unless_under_way(state);
}

Decision on(Subscription state, const Ended& event) {
  if (!state.end) state.end = event.why;
  return notify_unless_under_way(state);
}

Decision on(Subscription state, const Accepted&) {
  const auto* notifying = std::get_if<Notifying>(&state.phase);
  if (!notifying) return {state, {}};
  if (notifying->is_last) return remove(state);
  state.failures = 0;
  const bool is_current = notifying->serial == state.wanted && !state.end;
  if (!is_current) return notify(state);
  state.phase = Quiet{};
  return {state, {}};
}

Decision on(Subscription state, const Unknown&) {
  if (!std::holds_alternative<Notifying>(state.phase)) return {state, {}};
  return remove(state);
}

Decision on(Subscription state, const Failed&) {
  const auto* notifying = std::get_if<Notifying>(&state.phase);
  if (!notifying) return {state, {}};
  const bool was_last = notifying->is_last;
  ++state.failures;
  if (was_last || state.failures >= kFailuresMax) return remove(state);
  if (state.end) return notify(state);
  state.phase = Waiting{};
  const StartRetry action{state.failures};
  return {state, {action}};
}

Decision on(Subscription state, const RetryDue&) {
  if (!std::holds_alternative<Waiting>(state.phase)) return {state, {}};
  return notify(state);
}

}  // namespace

Decision decide(Subscription state, const Event& event) {
  return std::visit([&](const auto& its) { return on(state, its); }, event);
}

}  // namespace callpark::presence::subscription
