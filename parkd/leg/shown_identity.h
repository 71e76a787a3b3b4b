// A party's identity as SIP shows it on the display of a phone.
#pragma once

#include <string>

#include "parkd/call/party.h"
#include "parkd/message/name_addr.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// RFC 3323 4.2, RFC 3325 9.3: true if the sender withholds its identity from the receiver.
bool asks_for_privacy(const sip::SipMessage& request);

/// The name, else the number, else "Anonymous".
std::string shown_name(const PartyIdentity& who);
/// The number in `domain`, so that phones there can call it; RFC 3323 4.1.1.3 if it is withheld.
sip::NameAddr shown_address(const PartyIdentity& who, const std::string& domain);

/// Names the party at the other end to the receiver: RFC 3325, and the header that older phones know instead.
void write_connected_identity(sip::SipMessage& message, const PartyIdentity& who, const std::string& domain);

}  // namespace callpark::leg
