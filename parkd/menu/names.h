// The names of phases and events of the machine of a caller in a menu, for logs, pictures and tests.
#pragma once

#include <string_view>

#include "parkd/menu/event.h"
#include "parkd/menu/state.h"

namespace callpark::menu {

/// The type's name: "Collecting".
std::string_view name_of(const Phase& phase);
/// The type's name: "TargetAnswered".
std::string_view name_of(const Event& event);

}  // namespace callpark::menu
