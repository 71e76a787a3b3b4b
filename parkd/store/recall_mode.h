// The recall modes as the tables name them.
#pragma once

#include <string_view>

#include "parkd/park/types.h"

namespace callpark {

std::string_view name_of(park::RecallMode mode);
/// kOff for a name that is none; the tables have no other.
park::RecallMode recall_mode_of(std::string_view name);

}  // namespace callpark
