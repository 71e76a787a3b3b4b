#include "parkd/authz/circuit_breaker.h"

#include <algorithm>

#include "base/match.h"

namespace callpark::authz::breaker {
namespace {

State enter(const State& state, const Phase& phase) {
  return {phase, state.span + 1};
}

State open(const State& state, Duration open_for, MonotonicTime now) {
  return enter(state, Open{now + open_for, open_for});
}

Duration first_of(const Settings& settings) {
  return std::min(settings.open_first, settings.open_max);
}

Decision probe(const Settings& settings, const State& state, Duration open_for, MonotonicTime now) {
  const State next = enter(state, HalfOpen{now + settings.probe_lost_after, open_for});
  return {next, next.span};
}

// ---- Asked ----

Decision asked(const Settings& settings, const State& state, MonotonicTime now) {
  return std::visit(overloaded{[&](const Closed&) {
                                 return Decision{state, state.span};
                               },
                               [&](const Open& phase) {
                                 if (now < phase.until) return Decision{state, std::nullopt};
                                 return probe(settings, state, phase.open_for, now);
                               },
                               [&](const HalfOpen& phase) {
                                 if (now < phase.lost_at) return Decision{state, std::nullopt};
                                 return probe(settings, state, phase.open_for, now);
                               }},
                    state.phase);
}

// ---- reports of the present span; no request is admitted while the breaker is open ----

State worked(const State& state) {
  if (std::holds_alternative<HalfOpen>(state.phase)) return enter(state, Closed{});
  if (std::holds_alternative<Closed>(state.phase)) return {Closed{}, state.span};
  return state;
}

State failed(const Settings& settings, const State& state, MonotonicTime now) {
  return std::visit(overloaded{[&](const Closed& phase) {
                                 const std::uint32_t failures = phase.failures + 1;
                                 if (settings.failures_max == 0) return State{Closed{}, state.span};
                                 if (failures < settings.failures_max) return State{Closed{failures}, state.span};
                                 return open(state, first_of(settings), now);
                               },
                               [&](const Open&) { return state; },
                               [&](const HalfOpen& phase) {
                                 const Duration longer = std::max(phase.open_for * 2, settings.open_first);
                                 return open(state, std::min(longer, settings.open_max), now);
                               }},
                    state.phase);
}

// The next request is the probe instead.
State abandoned(const State& state, MonotonicTime now) {
  if (const auto* phase = std::get_if<HalfOpen>(&state.phase)) return enter(state, Open{now, phase->open_for});
  return state;
}

}  // namespace

std::string_view name_of(const Phase& phase) {
  return std::visit(overloaded{[](const Closed&) { return std::string_view("closed"); },
                               [](const Open&) { return std::string_view("open"); },
                               [](const HalfOpen&) { return std::string_view("half_open"); }},
                    phase);
}

Decision decide(const Settings& settings, const State& state, const Event& event, MonotonicTime now) {
  const auto if_present = [&](Span span, auto next) {
    return Decision{span == state.span ? next() : state, std::nullopt};
  };
  return std::visit(
      overloaded{
          [&](const Asked&) { return asked(settings, state, now); },
          [&](const Worked& report) { return if_present(report.span, [&] { return worked(state); }); },
          [&](const Failed& report) { return if_present(report.span, [&] { return failed(settings, state, now); }); },
          [&](const Abandoned& report) { return if_present(report.span, [&] { return abandoned(state, now); }); }},
      event);
}

}  // namespace callpark::authz::breaker
