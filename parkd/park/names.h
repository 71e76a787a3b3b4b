// The names of phases, states and events, for logs, pictures and tests.
#pragma once

#include <string>
#include <string_view>

#include "parkd/park/event.h"
#include "parkd/park/state.h"

namespace callpark::park {

/// The type's name: "Parked".
std::string_view name_of(const Phase& phase);
/// The phase, and where a recall is: "Parked, recall calling".
std::string name_of(const State& state);
/// The type's name: "CallClaimed".
std::string_view name_of(const Event& event);

}  // namespace callpark::park
