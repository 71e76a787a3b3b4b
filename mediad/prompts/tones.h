// Sounds that are generated and not recorded.
#pragma once

#include "mediad/prompts/pcm.h"

namespace callpark::media {

/// Returns one period of a ringback tone: 425 Hz for 1 s, then 4 s of silence (ETSI TR 101 041-1, the commonest
/// cadence).
Pcm ringback_tone();
/// Returns 200 ms of silence, for a loop.
Pcm silence();

}  // namespace callpark::media
