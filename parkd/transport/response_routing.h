// Where responses go (RFC 3261 18.2, RFC 3581): what a server notes in the topmost Via of a request, and what it reads
// from there for the answer.
#pragma once

#include <optional>

#include "parkd/message/sip_message.h"
#include "parkd/transport/endpoint.h"

namespace callpark::sip {

/// Writes `received` and the value of `rport` into the topmost Via of a request that came from `source`.
void note_source(SipMessage& request, const Endpoint& source);

/// Returns the address that the topmost Via of a response names, for its protocol. None if that is no IP address, which
/// is impossible after note_source(), or a protocol that parkd does not support.
std::optional<Endpoint> response_endpoint(const Via& top_via);

/// Returns the endpoint for the answer to a request from `source`: over TCP the same connection, over UDP the Via's
/// address.
Endpoint response_endpoint(const SipMessage& request, const Endpoint& source);

}  // namespace callpark::sip
