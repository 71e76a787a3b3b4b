// Requests inside a dialog: those we send, made from its state, and what those we receive change in it
// (RFC 3261 12.2).
#pragma once

#include <cstdint>
#include <string_view>

#include "parkd/dialog/dialog.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

/// The next request of this dialog: request URI, Route, From, To, Call-ID, Max-Forwards and, with `local_cseq` counted
/// up, CSeq. `contact` is the whole value of Contact, "<sip:parkd@127.0.0.1:5062>"; empty writes none. Via is the
/// transaction's business. Not for ACK and CANCEL.
SipMessage make_request_in(DialogState& dialog, std::string_view method, std::string_view contact);
/// RFC 3261 13.2.2.4: the ACK of a 2xx, with the CSeq number of its INVITE. Send it again for each copy of the 2xx.
SipMessage make_ack_for_2xx(const DialogState& dialog, std::uint32_t invite_cseq);

/// Takes note of the CSeq of a request received. False: it is lower than one seen before, answer 500 and do nothing
/// else (RFC 3261 12.2.2). ACK and CANCEL carry their INVITE's number; they are always in order and change nothing.
bool accept_cseq(DialogState& dialog, const SipMessage& request);

/// Takes the Contact of a message received as new remote target, if it is one that may change it: INVITE or UPDATE,
/// request or 2xx (RFC 3261 12.2.1.2, 12.2.2; RFC 3311 5). The route set never changes (RFC 3261 12.2).
void refresh_target(DialogState& dialog, const SipMessage& received);

}  // namespace callpark::sip
