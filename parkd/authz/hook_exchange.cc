#include "parkd/authz/hook_exchange.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/match.h"

namespace callpark::authz::exchange {
namespace {

using Why = Failed::Why;

constexpr Attempt kAttemptsMax = 2;

Duration left_until(MonotonicTime end, MonotonicTime now) {
  return std::max(Duration(0), std::chrono::floor<Duration>(end - now));
}

bool is_worth_a_retry(Why why) {
  switch (why) {
    case Why::kConnect:
    case Why::kTimeout:
    case Why::kServerError:
      return true;
    case Why::kTooManyInFlight:
    case Why::kBreakerOpen:
    case Why::kTls:
    case Why::kBroken:
    case Why::kTooLong:
    case Why::kRedirect:
    case Why::kUnexpectedStatus:
    case Why::kBadAnswer:
      return false;
  }
  return false;
}

Decision nothing(const State& state) {
  return {state, {}};
}

Decision send(const Settings& settings, State state, Sending sending, MonotonicTime now) {
  const Duration within = left_until(sending.attempt_ends, now);
  Send action{sending.attempt, state.webhook_id, std::min(settings.connect, within), within};
  state.phase = sending;
  return {std::move(state), {std::move(action)}};
}

Decision conclude(State state, Outcome outcome) {
  const bool is_failure = std::holds_alternative<Failed>(outcome);
  const breaker::Event report =
      is_failure ? breaker::Event(breaker::Failed{state.span}) : breaker::Event(breaker::Worked{state.span});
  state.phase = Over{};
  return {std::move(state), {ReportToBreaker{report}, Conclude{std::move(outcome)}}};
}

// The attempt is over, and `failed` is why: the retry follows, or the outcome.
Decision fail(const Settings& settings, const State& state, const Sending& sending, Failed failed, MonotonicTime now) {
  failed.may_have_reached |= sending.may_have_reached;
  const bool has_time = now < sending.budget_ends && left_until(sending.budget_ends, now) >= settings.retry_least;
  if (sending.attempt == kAttemptsMax || !is_worth_a_retry(failed.why) || !has_time) {
    return conclude(state, failed);
  }
  const Sending retry{sending.attempt + 1, sending.budget_ends, sending.budget_ends, failed.may_have_reached};
  return send(settings, state, retry, now);
}

std::optional<Why> why_not(int status) {
  if (status == 200) return std::nullopt;
  if (status >= 500 && status < 600) return Why::kServerError;
  if (status >= 300 && status < 400) return Why::kRedirect;
  return Why::kUnexpectedStatus;
}

Decision answered(const Settings& settings, const State& state, const Sending& sending, const Answered& event,
                  MonotonicTime now) {
  // The budget ends at the same moment for a loop that is late.
  if (now >= sending.budget_ends) return fail(settings, state, sending, Failed{Why::kTimeout, true}, now);
  if (const auto why = why_not(event.status)) return fail(settings, state, sending, Failed{*why, true}, now);
  auto answer = parse_hook_answer(event.body);
  if (!answer) return fail(settings, state, sending, Failed{Why::kBadAnswer, true, answer.error()}, now);
  return conclude(state,
                  std::visit(overloaded{[](HookAllow& allow) { return Outcome(Allowed{std::move(allow.terms)}); },
                                        [](HookDeny& deny) {
                                          return Outcome(Denied{deny.reason, std::move(deny.text)});
                                        }},
                             *answer));
}

Decision time_passed(const Settings& settings, const State& state, const Sending& sending, MonotonicTime now) {
  if (now < sending.attempt_ends) return nothing(state);
  Decision decision = fail(settings, state, sending, Failed{Why::kTimeout, true}, now);
  decision.actions.insert(decision.actions.begin(), Abort{sending.attempt});
  return decision;
}

Decision withdrawn(State state, const Sending& sending) {
  const Abort abort{sending.attempt};
  const ReportToBreaker report{breaker::Abandoned{state.span}};
  state.phase = Over{};
  return {std::move(state), {abort, report}};
}

}  // namespace

std::string_view name_of(Why why) {
  switch (why) {
    case Why::kTooManyInFlight:
      return "too_many_in_flight";
    case Why::kBreakerOpen:
      return "breaker_open";
    case Why::kConnect:
      return "connect";
    case Why::kTimeout:
      return "timeout";
    case Why::kTls:
      return "tls";
    case Why::kBroken:
      return "broken";
    case Why::kTooLong:
      return "too_long";
    case Why::kServerError:
      return "server_error";
    case Why::kRedirect:
      return "redirect";
    case Why::kUnexpectedStatus:
      return "unexpected_status";
    case Why::kBadAnswer:
      return "bad_answer";
  }
  return "";
}

std::string_view name_of(const Outcome& outcome) {
  return std::visit(overloaded{[](const Allowed&) { return std::string_view("allowed"); },
                               [](const Denied&) { return std::string_view("denied"); },
                               [](const Failed& failed) { return name_of(failed.why); }},
                    outcome);
}

OnError policy_of(const Settings& settings, HookEvent event) {
  switch (event) {
    case HookEvent::kIncomingCall:
      return settings.on_error_incoming_call;
    case HookEvent::kPark:
      return settings.on_error_park;
    case HookEvent::kRetrieve:
      return settings.on_error_retrieve;
  }
  return OnError::kDeny;
}

bool permits(const Outcome& outcome, OnError policy) {
  return std::visit(overloaded{[](const Allowed&) { return true; }, [](const Denied&) { return false; },
                               [&](const Failed&) { return policy == OnError::kAllow; }},
                    outcome);
}

Decision begin(const Settings& settings, std::string webhook_id, std::size_t in_flight,
               std::optional<breaker::Span> admitted, MonotonicTime now) {
  State state{Over{}, std::move(webhook_id), admitted.value_or(0)};
  if (in_flight >= settings.in_flight_max) {
    Decision decision{state, {Conclude{Failed{Why::kTooManyInFlight}}}};
    // The breaker may have admitted the question as its probe.
    if (admitted) decision.actions.insert(decision.actions.begin(), ReportToBreaker{breaker::Abandoned{*admitted}});
    return decision;
  }
  if (!admitted) return {state, {Conclude{Failed{Why::kBreakerOpen}}}};
  const MonotonicTime budget_ends = now + settings.budget;
  const MonotonicTime first_ends = std::min(budget_ends, now + settings.first_attempt);
  return send(settings, std::move(state), Sending{1, first_ends, budget_ends, false}, now);
}

Decision decide(const Settings& settings, const State& state, const Event& event, MonotonicTime now) {
  const auto* sending = std::get_if<Sending>(&state.phase);
  if (!sending) return nothing(state);
  return std::visit(
      overloaded{[&](const Answered& answer) {
                   if (answer.attempt != sending->attempt) return nothing(state);
                   return answered(settings, state, *sending, answer, now);
                 },
                 [&](const AttemptFailed& failure) {
                   if (failure.attempt != sending->attempt) return nothing(state);
                   return fail(settings, state, *sending, Failed{failure.why, failure.may_have_reached}, now);
                 },
                 [&](const TimePassed&) { return time_passed(settings, state, *sending, now); },
                 [&](const Withdrawn&) { return withdrawn(state, *sending); }},
      event);
}

}  // namespace callpark::authz::exchange
