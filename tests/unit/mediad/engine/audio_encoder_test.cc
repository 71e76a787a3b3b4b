#include "mediad/engine/audio_encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "mediad/engine/codec_facts.h"

namespace callpark::media {
namespace {

Pcm tone(int rate_hz, double seconds, double hz = 400) {
  Pcm pcm{rate_hz, {}};
  const auto count = static_cast<std::size_t>(seconds * rate_hz);
  for (std::size_t i = 0; i < count; ++i) {
    pcm.samples.push_back(
        static_cast<std::int16_t>(8000 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz)));
  }
  return pcm;
}

// ITU-T G.711, table 2a.
int decode_pcmu(std::uint8_t code) {
  code = static_cast<std::uint8_t>(~code);
  const int magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4);
  return (code & 0x80) != 0 ? 0x84 - magnitude : magnitude - 0x84;
}

class EveryCodec : public testing::TestWithParam<CodecName> {};

TEST_P(EveryCodec, GivesOnePayloadForEach20Ms) {
  for (const int rate_hz : {8000, 11025, 16000, 22050, 44100, 48000}) {
    EXPECT_EQ(encode(tone(rate_hz, 1.0), GetParam(), Ending::kSilence).packets(), 50u) << rate_hz;
  }
}

TEST_P(EveryCodec, KeepsTimeAtARateThatHasNoWholeNumberOfSamplesInAPacket) {
  EXPECT_EQ(encode(tone(11025, 60.0), GetParam(), Ending::kLoop).packets(), 3000u);
}

TEST_P(EveryCodec, FillsUpTheLastPacketOfWhatEnds) {
  EXPECT_EQ(encode(tone(8000, 0.021), GetParam(), Ending::kSilence).packets(), 2u);
}

TEST_P(EveryCodec, CutsALoopToWholePackets) {
  EXPECT_EQ(encode(tone(8000, 0.219), GetParam(), Ending::kLoop).packets(), 10u);
  EXPECT_EQ(encode(tone(8000, 0.01), GetParam(), Ending::kLoop).packets(), 1u) << "shorter than a packet";
}

TEST_P(EveryCodec, PayloadsOfTheSampleCodecsHave160Bytes) {
  const EncodedAudio audio = encode(tone(8000, 1.0), GetParam(), Ending::kLoop);
  for (std::size_t i = 0; i < audio.packets(); ++i) {
    if (GetParam() == CodecName::kOpus) {
      EXPECT_GT(audio.payload(i).size(), 10u);
      EXPECT_LT(audio.payload(i).size(), 400u);
    } else {
      EXPECT_EQ(audio.payload(i).size(), 160u);
    }
  }
}

TEST_P(EveryCodec, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(encode(tone(8000, 1.0), GetParam(), Ending::kLoop, stop.get_token()).packets(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Codecs, EveryCodec,
                         testing::Values(CodecName::kPcmu, CodecName::kPcma, CodecName::kG722, CodecName::kOpus),
                         [](const auto& name) { return std::string(codec_text(name.param)); });

TEST(AudioEncoder, WhatIsEncodedIsWhatWasThere) {
  const Pcm pcm = tone(8000, 1.0);
  const EncodedAudio audio = encode(pcm, CodecName::kPcmu, Ending::kSilence);
  for (std::size_t packet = 0; packet < audio.packets(); ++packet) {
    for (std::size_t i = 0; i < 160; ++i) {
      const int original = pcm.samples[packet * 160 + i];
      ASSERT_NEAR(decode_pcmu(audio.payload(packet)[i]), original, 16 + std::abs(original) / 16);
    }
  }
}

// A jump would be as large as the tone; from one sample to the next it moves by 400 × 2π / 8000 of its amplitude.
TEST(AudioEncoder, TheSeamOfALoopCannotBeHeard) {
  for (const int rate_hz : {8000, 16000}) {
    const EncodedAudio audio = encode(tone(rate_hz, 1.0), CodecName::kPcmu, Ending::kLoop);
    const int last = decode_pcmu(audio.payload(audio.packets() - 1)[159]);
    const int first = decode_pcmu(audio.payload(0)[0]);
    EXPECT_LT(std::abs(first - last), 8000 * 400 * 2 * 3.15 / 8000 + 300) << rate_hz;
  }
}

}  // namespace
}  // namespace callpark::media
