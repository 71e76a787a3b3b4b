// Reads the fixed header of an RTP packet (RFC 3550 section 5.1). The sender is not trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace callpark::media {

struct RtpPacket {
  std::uint8_t payload_type = 0;
  bool marker = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  /// A view of the datagram, without extension and padding.
  std::span<const std::uint8_t> payload;
};

/// Returns nothing if the datagram is no RTP packet of version 2 (RTCP that was sent to the RTP port included).
std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> datagram);

}  // namespace callpark::media
