// The CSeq of a request of parkd's as the other party has seen it: Kamailio answers the challenge of a trunk by sending
// the request once more, with a higher one.
#pragma once

#include <cstdint>

#include "parkd/dialog/dialog.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// That of the request that `response` answers.
std::uint32_t cseq_as_sent(const sip::SipMessage& response);

/// The same, after which the next request of the dialog counts on.
std::uint32_t count_as_sent(sip::DialogState& dialog, const sip::SipMessage& response);

}  // namespace callpark::leg
