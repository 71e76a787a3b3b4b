// The life of a media session as one pure function.
#pragma once

#include <vector>

#include "mediad/session/action.h"
#include "mediad/session/event.h"
#include "mediad/session/state.h"

namespace callpark::media {

struct Decision {
  Session next;
  /// In the order in which they are to be done.
  std::vector<action::Action> actions;
};

/// Pure: no clock, no I/O. An ended session answers every event with nothing.
Decision decide(const Session& session, const event::Event& event);

}  // namespace callpark::media
