// The park machine: a pure function from a state and an event to the next state and what is to be done.
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

/// Somebody asks to park a call that two other user agents have; `request` is kRefer or kCall.
Decision begin(Request request, const RecallPolicy& policy);

/// How much the row says of a call whose parkd is gone.
enum class Found {
  kParked,     // the caller had accepted the music
  kUncertain,  // adopting, or being retrieved: what the caller hears is not known
  kRetrieved,  // he talks to the peer
};

/// A call is taken over from its row.
Decision resume(Found found, const RecallPolicy& policy, const Ladder& ladder);

/// What follows from `event`. Total: every event is allowed in every state, and one that is late changes nothing.
Decision decide(const State& state, const Event& event);

}  // namespace callpark::park
