// The ladder of a recall: who is called next. Pure.
#pragma once

#include "parkd/park/types.h"

namespace callpark::park {

/// Whom to call when the call of `ladder.target` has failed, or first of all; kNone: nobody is left, the call ends.
/// Not to be asked in mode kOff, where only the deadline leads anywhere.
RecallTarget next_target(const RecallPolicy& policy, const Ladder& ladder);

/// The ladder when `target` is called.
Ladder climb(const RecallPolicy& policy, Ladder ladder, RecallTarget target);

}  // namespace callpark::park
