// The names of the recall modes in the tables.
#pragma once

#include <string_view>

#include "parkd/park/types.h"

namespace callpark {

std::string_view name_of(park::RecallMode mode);
/// kOff for any other text; the tables have none.
park::RecallMode recall_mode_of(std::string_view name);

}  // namespace callpark
