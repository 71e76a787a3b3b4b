// Sound as samples: one channel, 16 bits, at one rate.
#pragma once

#include <cstdint>
#include <vector>

namespace callpark::media {

struct Pcm {
  int rate_hz = 8000;
  std::vector<std::int16_t> samples;
};

}  // namespace callpark::media
