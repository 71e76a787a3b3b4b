// One question to a billing hook, from the attempt to send it to its outcome: a pure function from a phase, an event
// and the time to the next phase and the actions that follow. A question ends in one outcome, or withdrawn.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "parkd/authz/circuit_breaker.h"
#include "parkd/authz/hook_answer.h"
#include "parkd/authz/hook_request.h"

namespace callpark::authz::exchange {

/// What an exchange without a usable answer means.
enum class OnError { kAllow, kDeny };

struct Settings {
  Duration budget{800};         // of the whole exchange, its retry included
  Duration connect{250};        // of each attempt until the connection is up
  Duration first_attempt{500};  // of the first attempt, so that a hook that hangs leaves time for a retry
  Duration retry_least{50};     // no retry is begun with less than that
  std::size_t in_flight_max = 32;
  OnError on_error_incoming_call = OnError::kAllow;
  OnError on_error_park = OnError::kDeny;
  OnError on_error_retrieve = OnError::kAllow;
};

/// 1, or 2 of the retry. Reports name the attempt that they are about.
using Attempt = int;

// ---- the outcome ----

struct Allowed {
  HookTerms terms;
  friend bool operator==(const Allowed&, const Allowed&) = default;
};
struct Denied {
  DenyReason reason = DenyReason::kOther;
  std::string text;
  friend bool operator==(const Denied&, const Denied&) = default;
};
struct Failed {
  enum class Why {
    kTooManyInFlight,
    kBreakerOpen,
    kConnect,           // no connection: refused, no route, no such name, or not within the connect budget
    kTimeout,           // no whole answer within the budget
    kTls,               // the certificate is wrong, or TLS has failed otherwise
    kBroken,            // the connection ended, or what came was not HTTP
    kTooLong,           // the answer exceeds HookAnswerLimits::kBytes
    kServerError,       // 5xx
    kRedirect,          // 3xx: a redirect is never followed
    kUnexpectedStatus,  // any other but 200
    kBadAnswer,         // 200 with a body that is no answer
  };
  Why why = Why::kTimeout;
  /// Set if an attempt may have reached the hook: it may have acted on the question.
  bool may_have_reached = false;
  HookFailure answer = {};  // kBadAnswer
  friend bool operator==(const Failed&, const Failed&) = default;
};
using Outcome = std::variant<Allowed, Denied, Failed>;

/// The words of the metric: "allowed", "denied", "timeout", "bad_answer", ...
std::string_view name_of(const Outcome& outcome);
std::string_view name_of(Failed::Why why);

/// What a failure of this event means.
OnError policy_of(const Settings& settings, HookEvent event);
/// True if the request is permitted, by the hook or by the policy.
bool permits(const Outcome& outcome, OnError policy);

// ---- phases ----

/// An attempt is under way. The loop reports TimePassed at `attempt_ends`.
struct Sending {
  Attempt attempt = 1;
  MonotonicTime attempt_ends;
  MonotonicTime budget_ends;
  bool may_have_reached = false;  // of the attempts before
  friend bool operator==(const Sending&, const Sending&) = default;
};
/// The outcome is reported, or the question withdrawn.
struct Over {
  friend bool operator==(const Over&, const Over&) = default;
};
using Phase = std::variant<Sending, Over>;

struct State {
  Phase phase = Over{};
  std::string webhook_id;
  breaker::Span span = 0;
  friend bool operator==(const State&, const State&) = default;
};

// ---- events ----

/// A whole answer has come.
struct Answered {
  Attempt attempt;
  int status;
  std::string body;
};
/// The attempt has ended without an answer.
struct AttemptFailed {
  Attempt attempt;
  Failed::Why why;  // kConnect, kTimeout, kTls, kBroken, kTooLong
  bool may_have_reached;
};
/// The clock has moved on.
struct TimePassed {};
/// The phone that asked has gone.
struct Withdrawn {};
using Event = std::variant<Answered, AttemptFailed, TimePassed, Withdrawn>;

// ---- actions ----

/// Sends the question, with `webhook_id` as its webhook-id.
struct Send {
  Attempt attempt;
  std::string webhook_id;
  Duration connect_within;
  Duration answer_within;
};
/// Ends the attempt; what it reports later changes nothing.
struct Abort {
  Attempt attempt;
};
struct ReportToBreaker {
  breaker::Event report;  // Worked, Failed or Abandoned
};
struct Conclude {
  Outcome outcome;
};
using Action = std::variant<Send, Abort, ReportToBreaker, Conclude>;

struct Decision {
  State next;
  std::vector<Action> actions;
};

/// Begins a question. `webhook_id` is the question's own, from a cryptographic source and without a dot; `in_flight` is
/// the number of the tenant's questions that are not over; `admitted` is the breaker's answer to Asked.
Decision begin(const Settings& settings, std::string webhook_id, std::size_t in_flight,
               std::optional<breaker::Span> admitted, MonotonicTime now);

/// Total: an event that is late, or names an attempt that is over, changes nothing.
Decision decide(const Settings& settings, const State& state, const Event& event, MonotonicTime now);

}  // namespace callpark::authz::exchange
