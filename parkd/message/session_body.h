// Finds the session description of a message: the body may be one, or have one among other parts (RFC 5621), as with
// ISUP from a trunk or a caller's location.
#pragma once

#include <string_view>

#include "parkd/message/sip_message.h"

namespace callpark::sip {

inline constexpr std::string_view kSdpType = "application/sdp";

/// Returns the text of the first application/sdp in the body; of a body without a Content-Type, the whole. Empty if
/// there is none: then a message makes no offer and no answer, whatever else it carries. A part that is encoded
/// (Base64), or describes another session than that of the dialog (RFC 3959), is ignored. Valid as long as the
/// message's texts.
std::string_view session_description(const SipMessage& message);

}  // namespace callpark::sip
