// The machine of a call to a call flow's code: a pure function from a state and an event to the next state and the
// actions that follow.
#pragma once

#include <vector>

#include "parkd/flow/action.h"
#include "parkd/flow/event.h"
#include "parkd/flow/state.h"

namespace callpark::flow {

struct Decision {
  State next;
  std::vector<Action> actions;
};

/// An extension calls a code.
Decision begin();

/// What follows from `event`. Total: every event is allowed in every state, and a late event changes nothing.
Decision decide(const State& state, const Event& event);

}  // namespace callpark::flow
