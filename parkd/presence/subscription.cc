#include "parkd/presence/subscription.h"

#include <utility>

namespace callpark::presence::subscription {
namespace {

using Quiet = Subscription::Quiet;
using Notifying = Subscription::Notifying;
using Waiting = Subscription::Waiting;
using Over = Subscription::Over;

Decision notify(Subscription state) {
  state.phase = Notifying{state.wanted, state.end.has_value()};
  const Notify order{state.wanted, state.end};
  return {std::move(state), {order}};
}

Decision remove(Subscription state) {
  state.phase = Over{};
  return {std::move(state), {Remove{}}};
}

// A NOTIFY that waits for another try has waited long enough when there is something new.
Decision notify_unless_under_way(Subscription state) {
  const bool is_free = std::holds_alternative<Quiet>(state.phase) || std::holds_alternative<Waiting>(state.phase);
  if (!is_free) return {std::move(state), {}};
  return notify(std::move(state));
}

Decision on(Subscription state, const Wanted& event) {
  state.wanted = event.serial;
  return notify_unless_under_way(std::move(state));
}

Decision on(Subscription state, const Ended& event) {
  if (!state.end) state.end = event.why;
  return notify_unless_under_way(std::move(state));
}

Decision on(Subscription state, const Accepted&) {
  const auto* notifying = std::get_if<Notifying>(&state.phase);
  if (!notifying) return {std::move(state), {}};
  if (notifying->is_last) return remove(std::move(state));
  state.failures = 0;
  const bool is_told = notifying->serial == state.wanted && !state.end;
  if (!is_told) return notify(std::move(state));
  state.phase = Quiet{};
  return {std::move(state), {}};
}

Decision on(Subscription state, const Unknown&) {
  if (!std::holds_alternative<Notifying>(state.phase)) return {std::move(state), {}};
  return remove(std::move(state));
}

Decision on(Subscription state, const Failed&) {
  const auto* notifying = std::get_if<Notifying>(&state.phase);
  if (!notifying) return {std::move(state), {}};
  const bool was_last = notifying->is_last;
  ++state.failures;
  if (was_last || state.failures >= kFailuresMax) return remove(std::move(state));
  if (state.end) return notify(std::move(state));
  state.phase = Waiting{};
  const StartRetry order{state.failures};
  return {std::move(state), {order}};
}

Decision on(Subscription state, const RetryDue&) {
  if (!std::holds_alternative<Waiting>(state.phase)) return {std::move(state), {}};
  return notify(std::move(state));
}

}  // namespace

Decision decide(Subscription state, const Event& event) {
  return std::visit([&](const auto& its) { return on(std::move(state), its); }, event);
}

}  // namespace callpark::presence::subscription
