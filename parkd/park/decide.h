// The park machine: a pure function from a state and an event to the next state and the actions that follow.
#pragma once

#include <vector>

#include "parkd/park/action.h"
#include "parkd/park/event.h"
#include "parkd/park/state.h"

namespace callpark::park {

struct Decision {
  State next;
  std::vector<Action> actions;
};

/// The parker asks to park a call that two other user agents have; `request` is kRefer or kCall.
Decision begin(Request request, const RecallPolicy& policy, ParkerLearnsOrbit learns_orbit);

/// What is certain of a call after its parkd is gone.
enum class Found {
  kParked,     // the caller had accepted the music
  kUncertain,  // adopting, or being retrieved: what the caller hears is not known
  kRetrieved,  // the caller talks to the peer
};

/// A call goes on from its row.
Decision resume(Found found, const RecallPolicy& policy, const RecallProgress& progress);

/// What follows from `event`. Total: every event is allowed in every state, and a late event changes nothing.
Decision decide(const State& state, const Event& event);

}  // namespace callpark::park
