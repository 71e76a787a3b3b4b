// The body of a phone's call-park notification: application/x-broadworks-callpark-info+xml.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "parkd/presence/shown_party.h"

namespace callpark::presence {

inline constexpr std::string_view kCallInfoType = "application/x-broadworks-callpark-info+xml";

/// `parked` is empty if no call is parked.
std::string write_call_info(const std::optional<ShownParty>& parked);

}  // namespace callpark::presence
