// How long a parked call's timers run, and the number that a recall calls. Pure.
#pragma once

#include <string>

#include "base/clock.h"
#include "parkd/call/stay.h"
#include "parkd/park/types.h"
#include "parkd/service/park_settings.h"

namespace callpark {

/// From `now` until the timer fires; never negative.
Duration duration_of(park::Timer timer, const Stay& stay, const ParkSettings& settings, WallTime now);

/// From the decision to wait until the next recall step. `target` is the one that is called.
Duration recall_wait(park::RecallWait wait, park::RecallTarget target, const RecallSettings& recall,
                     const ParkSettings& settings);

std::string number_of(park::RecallTarget target, const Stay& stay);

}  // namespace callpark
