// Encodes whole sounds through mediastreamer2's filters, which the encoder drives itself: no ticker, no clock, no sound
// card, at the processor's full speed.
#pragma once

#include <stop_token>

#include "media_protocol/messages.h"
#include "mediad/engine/encoded_audio.h"
#include "mediad/prompts/pcm.h"

namespace callpark::media {

enum class Ending {
  /// The sound is played once: the last packet is filled up with silence.
  kSilence,
  /// The sound is repeated: at most 19 ms are cut off, and the first packet is encoded as the successor of the last
  /// one, so the seam is inaudible.
  kLoop,
};

/// Supports every codec of messages.h. Throws std::runtime_error if mediastreamer2 lacks the codec or refuses the
/// rates. May be called from any thread. opus is encoded about 300 times faster than real time, the others 1,000 times
/// and more. If `stop` is requested, returns what has been encoded so far.
EncodedAudio encode(const Pcm& pcm, CodecName codec, Ending ending, const std::stop_token& stop = {});

}  // namespace callpark::media
