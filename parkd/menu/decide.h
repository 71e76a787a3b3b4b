// The machine of a caller in a menu: a pure function from a state and an event to the next state and the actions that
// follow.
#pragma once

#include <vector>

#include "parkd/menu/action.h"
#include "parkd/menu/event.h"
#include "parkd/menu/state.h"

namespace callpark::menu {

struct Decision {
  State next;
  std::vector<Action> actions;
};

/// A party calls the number of a menu or an announcement.
Decision begin();

/// The row of a caller that another parkd has left.
struct Found {
  int depth = 0;          // how many places are above the one that the row names
  bool has_peer = false;  // a target had answered: the caller may hear it, or nothing
};
/// A call goes on from its row: the caller hears the greeting again.
Decision resume(const Found& found);

/// What follows from `event`. Total: every event is allowed in every state, and a late event changes nothing.
Decision decide(const State& state, const Event& event);

}  // namespace callpark::menu
