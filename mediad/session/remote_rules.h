// Where RTP may be sent: which remotes mean hold, and which are refused. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media_protocol/messages.h"

namespace callpark::media {

/// True for the addresses 0.0.0.0 and :: and for port 0 (RFC 3264 sections 5.1 and 8.4).
bool is_hold(const Endpoint& remote);

struct OwnPorts {
  /// The numeric address that RTP is bound to.
  std::string address;
  /// The address that parties send to; a NAT may return what is sent there to mediad itself.
  std::string advertised_address;
  std::uint16_t port_min = 0;
  std::uint16_t port_max = 0;
};

/// Returns why nothing may be sent to `remote`, as a sentence that names it; nothing if it may. Refused are names,
/// addresses of another family than RTP is bound to, multicast, broadcast and other addresses of no host, loopback
/// unless RTP itself is bound to loopback, and mediad's own ports. `remote` is no hold address.
std::optional<std::string> fault_of_remote(const Endpoint& remote, const OwnPorts& own);

}  // namespace callpark::media
