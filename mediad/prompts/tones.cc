#include "mediad/prompts/tones.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace callpark::media {
namespace {

constexpr int kRateHz = 16000;
constexpr double kToneHz = 425;
// -16 dBm0, the level at which exchanges send the tone; full scale is +3.14 dBm0.
constexpr double kAmplitude = 32767 * 0.11;
constexpr int kRampSamples = kRateHz / 200;

}  // namespace

Pcm ringback_tone() {
  Pcm pcm{kRateHz, std::vector<std::int16_t>(5 * kRateHz)};
  for (int i = 0; i < kRateHz; ++i) {
    // The tone fades in and out, since an abrupt beginning clicks.
    const double ramp = std::min({1.0, double(i) / kRampSamples, double(kRateHz - i) / kRampSamples});
    const double value = kAmplitude * ramp * std::sin(2 * std::numbers::pi * kToneHz * i / kRateHz);
    pcm.samples[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(value);
  }
  return pcm;
}

Pcm silence() {
  return {8000, std::vector<std::int16_t>(1600)};
}

}  // namespace callpark::media
