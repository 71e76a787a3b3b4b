// A key that a party has pressed, as an INFO in a dialog of parkd's reports it.
#pragma once

#include <optional>

#include "parkd/call/info_key.h"
#include "parkd/leg/dialog_leg.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// Answers an INFO: 200 if it reports a key, which is returned, or has no body; 400 if it is about a key and names none,
/// and 415 if it is about anything else.
std::optional<InfoKey> answer_key_info(DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& info);

}  // namespace callpark::leg
