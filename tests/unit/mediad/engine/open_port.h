// RTP ports on loopback for tests.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "base/random.h"
#include "mediad/engine/rtp_port.h"

namespace callpark::media {

/// Opens a free port.
inline std::unique_ptr<RtpPort> open_port(const std::string& address = "127.0.0.1") {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    auto port = RtpPort::open({address}, static_cast<std::uint16_t>(20000 + 2 * random_below(10000)));
    if (port) return *std::move(port);
  }
  throw std::runtime_error("no port is free");
}

inline PeerAddress address_of(const RtpPort& port, const std::string& address = "127.0.0.1") {
  return *PeerAddress::of({address, port.port()});
}

}  // namespace callpark::media
