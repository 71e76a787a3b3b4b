// Requests inside a dialog: those that parkd sends are made from its state, and those that it receives change the state
// (RFC 3261 12.2).
#pragma once

#include <cstdint>
#include <string_view>

#include "parkd/dialog/dialog.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

/// Makes the next request of this dialog: request URI, Route, From, To, Call-ID, Max-Forwards and CSeq, with
/// `local_cseq` counted up. `contact` is the whole value of Contact, "<sip:parkd@127.0.0.1:5062>"; if empty, none is
/// written. The transaction adds the Via. Not for ACK and CANCEL.
SipMessage make_request_in(DialogState& dialog, std::string_view method, std::string_view contact);
/// RFC 3261 13.2.2.4: makes the ACK of a 2xx, with the CSeq number of its INVITE. Send it again for each copy of the
/// 2xx.
SipMessage make_ack_for_2xx(const DialogState& dialog, std::uint32_t invite_cseq);

/// Stores the CSeq of a received request. Returns false if it is lower than an earlier one: answer 500 and do nothing
/// else (RFC 3261 12.2.2). ACK and CANCEL carry their INVITE's number; they are always in order and change nothing.
bool accept_cseq(DialogState& dialog, const SipMessage& request);

/// Makes the Contact of a received message the new remote target, if the message may change it: INVITE or UPDATE,
/// request or 2xx (RFC 3261 12.2.1.2, 12.2.2; RFC 3311 5). The route set never changes (RFC 3261 12.2).
void refresh_target(DialogState& dialog, const SipMessage& received);

}  // namespace callpark::sip
