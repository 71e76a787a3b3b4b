// Where in a message the session description stands: its body may be one, or have one among other parts (RFC 5621), as
// with ISUP from a trunk or the place of a caller.
#pragma once

#include <string_view>

#include "parkd/message/sip_message.h"

namespace callpark::sip {

inline constexpr std::string_view kSdpType = "application/sdp";

/// The text of the first application/sdp in the body, and of a body without a Content-Type the whole. Empty when there
/// is none: then a message makes no offer and no answer, whatever else it carries. A part that is encoded (Base64), or
/// is about another session than that of the dialog (RFC 3959), is none. Lives as long as the message's texts do.
std::string_view session_description(const SipMessage& message);

}  // namespace callpark::sip
