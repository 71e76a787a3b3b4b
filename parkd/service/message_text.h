// The wording of texts about parked calls, in five languages. Pure.
#pragma once

#include <string>
#include <string_view>

#include "parkd/call/park_event.h"

namespace callpark {

/// UTF-8 without control characters; empty if no text is sent about such an event. `dialled` is the number that
/// retrieves the call; only the text of kParked has it. `language` is "en" or "en_GB"; any other than the five gets
/// English.
std::string message_text(const ParkEvent& event, const std::string& dialled, std::string_view language);

}  // namespace callpark
