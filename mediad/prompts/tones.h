// Sounds that are made and not recorded.
#pragma once

#include "mediad/prompts/pcm.h"

namespace callpark::media {

/// One period of a ringback tone: 425 Hz for 1 s, then 4 s of silence (ETSI TR 101 041-1, the commonest cadence).
Pcm ringback_tone();
/// 200 ms, to be repeated.
Pcm silence();

}  // namespace callpark::media
