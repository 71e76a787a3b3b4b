// Who a party is to people, as SIP shows it: on the display of a phone that calls, is called, or is told whom it talks
// to.
#pragma once

#include <string>

#include "parkd/message/name_addr.h"
#include "parkd/message/sip_message.h"
#include "parkd/service/park_event.h"

namespace callpark::leg {

/// By his display name and URI. Nobody when either says that he withholds it (RFC 3323 4.1.1.3, and what networks make
/// of it).
PartyIdentity identity_of(const std::string& display, const std::string& uri);

/// RFC 3323 4.2, RFC 3325 9.3: whether the sender is to stay unknown to whom he calls.
bool asks_for_privacy(const sip::SipMessage& request);

/// His name, else his number, else "Anonymous".
std::string shown_name(const PartyIdentity& who);
/// His number in `domain`, whose phones can call it as it stands; RFC 3323 4.1.1.3 when he withholds it.
sip::NameAddr shown_address(const PartyIdentity& who, const std::string& domain);

/// Tells the receiver whom he talks to: RFC 3325, and the header that older phones know instead.
void write_connected_identity(sip::SipMessage& message, const PartyIdentity& who, const std::string& domain);

}  // namespace callpark::leg
