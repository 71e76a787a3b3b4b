// The identity of a party, read from its display name and URI. Kamailio's record of a dialog and the messages of phones
// are read alike.
#pragma once

#include <string>

#include "parkd/call/party.h"

namespace callpark::kamailio_protocol {

/// Empty if either withholds it: RFC 3323 4.1.1.3, and the spellings that networks use for it.
PartyIdentity identity_of(const std::string& display, const std::string& uri);

}  // namespace callpark::kamailio_protocol
