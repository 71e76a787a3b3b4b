// The RTCP packet that reports to a listener what was sent: a sender report and the source's name (RFC 3550 section
// 6.4.1 and 6.5). Without it phones cannot measure the delay, and some hang up.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace callpark::media {

struct SentSoFar {
  std::uint32_t ssrc = 0;
  /// The timestamp of the last packet, which is also the moment of the report.
  std::uint32_t rtp_timestamp = 0;
  std::uint64_t packets = 0;
  std::uint64_t payload_bytes = 0;
};

/// Pure. `cname` is at most 255 bytes.
std::vector<std::uint8_t> make_sender_report(const SentSoFar& sent, std::chrono::system_clock::time_point now,
                                             std::string_view cname);

}  // namespace callpark::media
