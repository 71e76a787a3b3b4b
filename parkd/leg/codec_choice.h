// Which codecs of an audio line mediad can play, and the payload types under which it offers them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parkd/message/sdp_codecs.h"

namespace callpark::leg {

/// A codec that mediad can send, as it lists them.
struct PlayableCodec {
  std::string name;
  std::uint32_t clock_rate = 8000;
  /// None where RFC 3551 gives no static one.
  std::optional<std::uint8_t> payload_type;

  bool operator==(const PlayableCodec&) const = default;
};

/// The same encoding, whatever its number and parameters.
bool is_same_codec(const sip::Codec& left, const sip::Codec& right);

/// Null when mediad cannot play it.
const PlayableCodec* find_playable(const std::vector<PlayableCodec>& playable, const sip::Codec& codec);

bool is_opus(const sip::Codec& codec);
bool is_telephone_event(const sip::Codec& codec);
/// The events that go with audio of this clock rate; of a party that has others only, the first. Null when there are
/// none.
// RFC 4733 2.1: events "MUST use the same sequence number and timestamp base as the regular audio channel".
const sip::Codec* find_telephone_event(const std::vector<sip::Codec>& codecs, std::uint32_t clock_rate);
sip::Codec telephone_event(std::uint8_t payload_type, std::uint32_t clock_rate);

/// Adds to an offer's line what mediad can play of what the other side has shown (`theirs`), in their
/// sequence; everything when they have shown nothing that can be played. A codec keeps the number that our side has
/// given it (`ours`), else it gets theirs, and no number of ours gets another meaning, nor one that was in use
/// `earlier`. Behind them telephone-event, once for each clock rate of these codecs, as far as the other side has
/// shown it.
void add_codecs(sip::SdpMedia& line, const std::vector<sip::Codec>& ours, const std::vector<sip::Codec>& theirs,
                const std::vector<PlayableCodec>& playable, const std::vector<sip::Codec>& earlier = {});

}  // namespace callpark::leg
