// The recall machine: which target is called while a call is parked, and what each step waits for. A part of the park
// machine, with states and decisions of its own. Pure.
#pragma once

#include <variant>
#include <vector>

#include "parkd/park/action.h"
#include "parkd/park/event.h"
#include "parkd/park/types.h"

namespace callpark::park::recall {

/// The call is not recalled: no recall is set, or the call leaves the orbit.
struct Off {
  friend bool operator==(const Off&, const Off&) = default;
};
/// A timer runs until the next step.
struct Waiting {
  friend bool operator==(const Waiting&, const Waiting&) = default;
};
/// The next step is being written to the row; its target is called after that.
struct Writing {
  Question write;
  friend bool operator==(const Writing&, const Writing&) = default;
};
/// The target is being called.
struct Calling {
  Question call;
  friend bool operator==(const Calling&, const Calling&) = default;
};
/// The target has answered; the row is being claimed for it.
struct Claiming {
  Question claim;
  friend bool operator==(const Claiming&, const Claiming&) = default;
};

using Phase = std::variant<Off, Waiting, Writing, Calling, Claiming>;

struct State {
  Phase phase;
  RecallPolicy policy;
  RecallProgress progress;
  Question last_question = 0;  // shared with the park machine
};

/// What the park machine has to do.
enum class Outcome {
  kGoesOn,
  kClaimed,       // the row is won: the target is to be offered to the caller
  kNoTargetLeft,  // no target is left: the call ends
};

struct Decision {
  State next;
  std::vector<Action> actions;
  Outcome outcome = Outcome::kGoesOn;
};

/// The call is parked: the next step is due when the recall's deadline passes.
Decision begin(const State& state);
/// The call is parked again after its step was cut short: the step is repeated if it has called a target.
Decision repeat(const State& state);
/// The call goes on from its row, which names the present step.
Decision resume(const State& state);
/// The target of the present step is lost: the next step follows.
Decision advance(const State& state);
/// The call leaves the orbit, or ends.
Decision stop(const State& state);

using Event =
    std::variant<RowWritten, RowNotWritten, TargetAnswered, TargetRefused, RecallClaimed, RecallNotClaimed, TimerFired>;

/// What follows from `event`. Total: a late event changes nothing.
Decision decide(const State& state, const Event& event);

/// The destination after `progress.target`, or the first one; kNone: no target is left. Not for mode kOff.
RecallTarget next_target(const RecallPolicy& policy, const RecallProgress& progress);

/// The progress once `target` is called.
RecallProgress advanced(const RecallPolicy& policy, RecallProgress progress, RecallTarget target);

}  // namespace callpark::park::recall
