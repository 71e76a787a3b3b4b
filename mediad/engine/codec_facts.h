// The constants of each codec: RTP clock, static payload type, and the rate of its input.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "media_protocol/messages.h"

namespace callpark::media {

inline constexpr int kPacketMs = 20;
inline constexpr int kPacketsPerSecond = 1000 / kPacketMs;

struct CodecFacts {
  CodecName name;
  /// RFC 3551 section 4.5.2: G722 keeps the 8 kHz of an old error although it samples at 16 kHz.
  int clock_hz;
  int sample_hz;
  std::optional<std::uint8_t> static_payload_type;

  std::uint32_t clock_per_packet() const { return static_cast<std::uint32_t>(clock_hz / kPacketsPerSecond); }
  int samples_per_packet() const { return sample_hz / kPacketsPerSecond; }
};

/// In the order of CodecName.
std::span<const CodecFacts> all_codecs();
const CodecFacts& facts_of(CodecName name);

}  // namespace callpark::media
