// The codecs of an RTP line of a session description: payload types, a=rtpmap and a=fmtp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parkd/message/sdp.h"

namespace callpark::sip {

struct Codec {
  std::uint8_t payload_type = 0;
  /// As in a=rtpmap; of a static payload type without one, as in RFC 3551. Case does not matter.
  std::string name;
  std::uint32_t clock_rate = 0;
  std::uint8_t channels = 1;
  /// Value of a=fmtp behind the payload type; "" if there is none.
  std::string fmtp;

  bool operator==(const Codec&) const = default;
};

/// The formats of an RTP line in order, with a=rtpmap, a=fmtp and the static payload types of RFC 3551 filled in.
/// Formats that are no payload type, or have no known meaning, are left out.
std::vector<Codec> codecs(const SdpMedia& media);
/// Adds the payload type to formats, with a=rtpmap, and a=fmtp where the codec has one.
void add_codec(SdpMedia& media, const Codec& codec);

}  // namespace callpark::sip
