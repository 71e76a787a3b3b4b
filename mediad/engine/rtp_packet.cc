#include "mediad/engine/rtp_packet.h"

namespace callpark::media {
namespace {

constexpr std::size_t kHeaderBytes = 12;

std::uint16_t word16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
std::uint32_t word32(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(word16(bytes, at)) << 16 | word16(bytes, at + 2);
}

}  // namespace

std::optional<RtpPacket> parse_rtp(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < kHeaderBytes || datagram[0] >> 6 != 2) return std::nullopt;
  // RFC 5761 section 4: these are RTCP's packet types 192 to 223 with the marker bit split off.
  const auto payload_type = static_cast<std::uint8_t>(datagram[1] & 0x7F);
  if (payload_type >= 64 && payload_type <= 95) return std::nullopt;
  std::size_t begin = kHeaderBytes + 4U * (datagram[0] & 0x0F);
  if ((datagram[0] & 0x10) != 0) {
    if (begin + 4 > datagram.size()) return std::nullopt;
    begin += 4 + 4U * word16(datagram, begin + 2);
  }
  std::size_t end = datagram.size();
  if ((datagram[0] & 0x20) != 0) {
    const std::size_t padding = datagram[end - 1];
    if (padding == 0 || padding > end) return std::nullopt;
    end -= padding;
  }
  if (begin > end) return std::nullopt;
  return RtpPacket{payload_type,        (datagram[1] & 0x80) != 0, word16(datagram, 2),
                   word32(datagram, 4), word32(datagram, 8),       datagram.subspan(begin, end - begin)};
}

}  // namespace callpark::media
