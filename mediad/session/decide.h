// The life of a media session as one pure function.
#pragma once

#include <vector>

#include "mediad/session/action.h"
#include "mediad/session/event.h"
#include "mediad/session/state.h"

namespace callpark::media {

struct Decision {
  Session next;
  /// The commands, in the order in which they must be performed.
  std::vector<action::Action> actions;
};

/// Pure: no clock, no I/O. An ended session ignores every event.
Decision decide(const Session& session, const event::Event& event);

}  // namespace callpark::media
