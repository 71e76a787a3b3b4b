// What a text about a parked call says, in the languages that we speak. Pure.
#pragma once

#include <string>
#include <string_view>

#include "parkd/call/park_event.h"

namespace callpark {

/// UTF-8 without control characters. `dialled` is what retrieves the call; only the text of kParked says it. `language`
/// is "en" or "en_GB"; English for one that we do not speak. Empty: nobody is to be told of this by a text.
std::string message_text(const ParkEvent& event, const std::string& dialled, std::string_view language);

}  // namespace callpark
