// Whether a request within a dialog comes from the other end, if Kamailio does not know.
#pragma once

#include "parkd/dialog/dialog.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// Kamailio has marked the request (kUnproven), and its sender is not at the address to which the other end's Contact
/// leads: its `alias`, if it is behind a NAT, and otherwise its host.
bool is_from_stranger(const sip::SipMessage& request, const sip::DialogState& dialog);

}  // namespace callpark::leg
