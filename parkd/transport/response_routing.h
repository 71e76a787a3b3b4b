// Where responses go (RFC 3261 18.2, RFC 3581): what a server notes in the topmost Via of a request, and what it reads
// from there when it answers.
#pragma once

#include <optional>

#include "parkd/message/sip_message.h"
#include "parkd/transport/endpoint.h"

namespace callpark::sip {

/// Writes `received` and the value of `rport` into the topmost Via of a request that came from `source`.
void note_source(SipMessage& request, const Endpoint& source);

/// The address that the topmost Via of a response names, for its protocol. None when that names no IP address, which
/// cannot be after note_source(), or a protocol that we do not speak.
std::optional<Endpoint> response_endpoint(const Via& top_via);

/// The endpoint to answer a request that came from `source`: over TCP the same connection, over UDP what Via says.
Endpoint response_endpoint(const SipMessage& request, const Endpoint& source);

}  // namespace callpark::sip
