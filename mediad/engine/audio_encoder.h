// Encodes whole sounds through mediastreamer2's filters, which are driven by hand: no ticker, no clock, no sound card,
// as fast as the processor can.
#pragma once

#include <stop_token>

#include "media_protocol/messages.h"
#include "mediad/engine/encoded_audio.h"
#include "mediad/prompts/pcm.h"

namespace callpark::media {

enum class Ending {
  /// Played once: the last packet is filled up with silence.
  kSilence,
  /// Repeated: at most 19 ms are cut off, and the first packet is encoded as what follows the last one, so the seam
  /// cannot be heard.
  kLoop,
};

/// Every codec that messages.h names is there. Throws std::runtime_error when mediastreamer2 lacks it or refuses the
/// rates. From any thread. About 300 times faster than the sound lasts for opus, 1,000 times and more
/// for the others.
/// When `stop` is asked for, what has been encoded so far is given.
EncodedAudio encode(const Pcm& pcm, CodecName codec, Ending ending, const std::stop_token& stop = {});

}  // namespace callpark::media
