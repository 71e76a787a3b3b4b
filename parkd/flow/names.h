// The names of phases and events of the machine of a call to a call flow's code, for logs, pictures and tests. They
// never name a key.
#pragma once

#include <string_view>

#include "parkd/flow/event.h"
#include "parkd/flow/state.h"

namespace callpark::flow {

/// The type's name: "Collecting".
std::string_view name_of(const Phase& phase);
/// The type's name: "PinWrong".
std::string_view name_of(const Event& event);

}  // namespace callpark::flow
