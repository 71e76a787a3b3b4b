#include "mediad/prompts/wav_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numbers>
#include <string>

namespace callpark::media {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr unsigned kPcm = 1;
constexpr unsigned kFloat = 3;
constexpr unsigned kALaw = 6;
constexpr unsigned kMuLaw = 7;

std::string little(std::uint64_t value, unsigned count) {
  std::string bytes;
  for (unsigned i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

std::string chunk(const std::string& name, const std::string& body) {
  return name + little(body.size(), 4) + body + (body.size() % 2 != 0 ? std::string(1, '\0') : "");
}

std::string format_body(unsigned encoding, unsigned channels, unsigned rate, unsigned bits) {
  return little(encoding, 2) + little(channels, 2) + little(rate, 4) + little(rate * channels * bits / 8, 4) +
         little(channels * bits / 8, 2) + little(bits, 2);
}

std::string format(unsigned encoding, unsigned channels, unsigned rate, unsigned bits) {
  return chunk("fmt ", format_body(encoding, channels, rate, bits));
}

std::string wav(const std::string& chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WAVE" + chunks;
}

std::string samples(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += little(static_cast<unsigned>(value), 2);
  return bytes;
}

class WavFile {
 public:
  explicit WavFile(const std::string& bytes) {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    close(fd);
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  WavFile(const WavFile&) = delete;
  WavFile& operator=(const WavFile&) = delete;
  ~WavFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/callpark-wav-XXXXXX";
};

Result<Pcm, std::string> read(const std::string& bytes) {
  return read_wav(WavFile(bytes).path());
}
std::string error_of(const std::string& bytes) {
  const WavFile file(bytes);
  const auto pcm = read_wav(file.path());
  if (pcm) return "none";
  EXPECT_EQ(fault_of_wav(file.path()), pcm.error()) << "the headers show the same";
  EXPECT_EQ(read_wav_beginning(file.path(), 2).error(), pcm.error());
  return pcm.error();
}

TEST(WavReader, ReadsMonoSamplesAsTheyAre) {
  const auto pcm = read(wav(format(kPcm, 1, 8000, 16) + chunk("data", samples({1, -2, 32767, -32768}))));
  ASSERT_TRUE(pcm.has_value()) << pcm.error();
  EXPECT_EQ(pcm->rate_hz, 8000);
  EXPECT_THAT(pcm->samples, ElementsAre(1, -2, 32767, -32768));
}

TEST(WavReader, MixesTwoChannelsToOne) {
  const auto pcm = read(wav(format(kPcm, 2, 44100, 16) + chunk("data", samples({100, 300, -32768, -32768}))));
  ASSERT_TRUE(pcm.has_value()) << pcm.error();
  EXPECT_THAT(pcm->samples, ElementsAre(200, -32768));
}

// ---- F7: every usual rate, width and number of channels ----

// ITU-T G.711, the codes of a value between -1 and 1.
unsigned mu_law(double value) {
  const int magnitude = std::min(static_cast<int>(std::abs(value) * 32768), 32635) + 0x84;
  const int exponent = std::bit_width(static_cast<unsigned>(magnitude)) - 8;
  const int mantissa = magnitude >> (exponent + 3) & 0x0F;
  return static_cast<unsigned>(~((value < 0 ? 0x80 : 0) | exponent << 4 | mantissa)) & 0xFF;
}
unsigned a_law(double value) {
  const int magnitude = std::min(static_cast<int>(std::abs(value) * 4096), 4095);
  const int exponent = std::max(static_cast<int>(std::bit_width(static_cast<unsigned>(magnitude))) - 5, 0);
  const int mantissa = magnitude >> std::max(exponent, 1) & 0x0F;
  return ((value < 0 ? 0x00U : 0x80U) | static_cast<unsigned>(exponent << 4 | mantissa)) ^ 0x55U;
}

struct Encoding {
  std::string name;
  unsigned code;
  unsigned bits;
  /// How much a sample may differ, of 32768.
  int tolerance;
};

std::string encoded(const Encoding& encoding, double value) {
  if (encoding.code == kALaw) return little(a_law(value), 1);
  if (encoding.code == kMuLaw) return little(mu_law(value), 1);
  if (encoding.code == kFloat && encoding.bits == 32)
    return little(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
  if (encoding.code == kFloat) return little(std::bit_cast<std::uint64_t>(value), 8);
  const double full = std::pow(2.0, encoding.bits - 1);
  const auto whole = static_cast<std::int64_t>(value * (full - 1));
  // 8 bit samples have no sign.
  return little(static_cast<std::uint64_t>(encoding.bits == 8 ? whole + 128 : whole), encoding.bits / 8);
}

class EveryEncoding : public testing::TestWithParam<Encoding> {};

TEST_P(EveryEncoding, F7_IsReadAtEveryRateInMonoAndStereo) {
  const Encoding& encoding = GetParam();
  for (const unsigned rate : {8000U, 11'025U, 12'000U, 16'000U, 22'050U, 24'000U, 32'000U, 44'100U, 48'000U}) {
    for (const unsigned channels : {1U, 2U}) {
      std::string data;
      std::vector<double> wanted;
      for (unsigned i = 0; i < rate / 10; ++i) {
        wanted.push_back(0.6 * std::sin(2 * std::numbers::pi * 400 * i / rate));
        for (unsigned channel = 0; channel < channels; ++channel) data += encoded(encoding, wanted.back());
      }
      for (const bool extensible : {false, true}) {
        // The encoding of an extensible format is the beginning of a GUID.
        const std::string guid = little(encoding.code, 2) + std::string("\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71", 14);
        const std::string form =
            extensible ? chunk("fmt ", format_body(0xFFFE, channels, rate, encoding.bits) + little(22, 2) +
                                           little(encoding.bits, 2) + little(channels == 2 ? 3 : 4, 4) + guid)
                       : format(encoding.code, channels, rate, encoding.bits);
        const auto pcm = read(wav(form + chunk("data", data)));
        ASSERT_TRUE(pcm.has_value()) << pcm.error() << " at " << rate << " Hz, extensible " << extensible;
        ASSERT_EQ(pcm->rate_hz, static_cast<int>(rate));
        ASSERT_EQ(pcm->samples.size(), wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          ASSERT_NEAR(pcm->samples[i], wanted[i] * 32767, encoding.tolerance) << i << " at " << rate << " Hz";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EveryEncoding,
                         testing::Values(Encoding{"Pcm8", kPcm, 8, 520}, Encoding{"Pcm16", kPcm, 16, 2},
                                         Encoding{"Pcm24", kPcm, 24, 2}, Encoding{"Pcm32", kPcm, 32, 2},
                                         Encoding{"Float32", kFloat, 32, 2}, Encoding{"Float64", kFloat, 64, 2},
                                         Encoding{"ALaw", kALaw, 8, 800}, Encoding{"MuLaw", kMuLaw, 8, 800}),
                         [](const auto& encoding) { return encoding.param.name; });

TEST(WavReader, F7_FloatsThatAreTooLoudOrNoNumbersAreClipped) {
  std::string data;
  for (const float value :
       {2.0F, -2.0F, 1.0F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    data += little(std::bit_cast<std::uint32_t>(value), 4);
  }
  const auto pcm = read(wav(format(kFloat, 1, 8000, 32) + chunk("data", data)));
  ASSERT_TRUE(pcm.has_value()) << pcm.error();
  EXPECT_THAT(pcm->samples, ElementsAre(32767, -32768, 32767, 0, 0));
}

// ---- F7: what cannot be played ----

struct Wrong {
  std::string name;
  std::string bytes;
  std::string error;
};

class WrongFile : public testing::TestWithParam<Wrong> {};

TEST_P(WrongFile, F7_IsRefusedWithTheReason) {
  EXPECT_EQ(error_of(GetParam().bytes), GetParam().error);
}

const std::string kSound = chunk("data", samples({1, 2, 3, 4}));

INSTANTIATE_TEST_SUITE_P(
    Each, WrongFile,
    testing::Values(Wrong{"Empty", "", "is empty"}, Wrong{"Short", "RIFF", "is not a WAV file"},
                    Wrong{"Mp3", "ID3\4" + std::string(200, 'x'), "is not a WAV file"},
                    Wrong{"Ogg", "OggS" + std::string(200, '\0'), "is not a WAV file"},
                    Wrong{"Flac", "fLaC" + std::string(200, '\0'), "is not a WAV file"},
                    Wrong{"Aiff", "FORM" + little(100, 4) + "AIFF", "is not a WAV file"},
                    Wrong{"OtherRiff", "RIFFxxxxAVI " + std::string(200, 'x'), "is not a WAV file"},
                    Wrong{"NoChunk", wav(""), "holds no sound"},
                    Wrong{"NoData", wav(format(kPcm, 1, 8000, 16)), "holds no sound"},
                    Wrong{"EmptyData", wav(format(kPcm, 1, 8000, 16) + chunk("data", "")), "holds no sound"},
                    Wrong{"HalfASample", wav(format(kPcm, 1, 8000, 16) + chunk("data", "a")), "holds no sound"},
                    Wrong{"NoFormat", wav(kSound), "has no format before its data"},
                    Wrong{"FormatBehind", wav(kSound + format(kPcm, 1, 8000, 16)), "has no format before its data"},
                    Wrong{"ShortFormat", wav(chunk("fmt ", "short") + kSound), "has a format chunk that is too short"},
                    Wrong{"CutOff", wav(format(kPcm, 1, 8000, 16) + kSound).substr(0, 49),
                          "is cut off: 5 bytes of its sound are there, and 3 are missing"},
                    Wrong{"CutOffAtTheSound", wav(format(kPcm, 1, 8000, 16) + kSound).substr(0, 44), "holds no sound"},
                    Wrong{"CutOffInTheHeader", wav(format(kPcm, 1, 8000, 16) + kSound).substr(0, 30),
                          "has a format chunk that is too short"},
                    Wrong{"Pcm12", wav(format(kPcm, 1, 8000, 12) + kSound),
                          "has 12 bits a sample; 8, 16, 24 and 32 bit PCM, float, A-law and mu-law can be played"},
                    Wrong{"Adpcm", wav(format(0x11, 1, 8000, 4) + kSound),
                          "is encoded in ADPCM; PCM, float, A-law and mu-law can be played"},
                    Wrong{"Gsm", wav(format(0x31, 1, 8000, 0) + kSound),
                          "is encoded in GSM; PCM, float, A-law and mu-law can be played"},
                    Wrong{"Mp3InAWav", wav(format(0x55, 1, 44100, 0) + kSound),
                          "is encoded in MP3; PCM, float, A-law and mu-law can be played"},
                    Wrong{"Unknown", wav(format(0x1234, 1, 44100, 0) + kSound),
                          "is encoded in 0x1234; PCM, float, A-law and mu-law can be played"},
                    Wrong{"SixChannels", wav(format(kPcm, 6, 48000, 16) + kSound), "has 6 channels and not one or two"},
                    Wrong{"NoChannel", wav(format(kPcm, 0, 48000, 16) + kSound), "has 0 channels and not one or two"},
                    Wrong{"TooSlow", wav(format(kPcm, 1, 4000, 16) + kSound),
                          "has 4000 Hz, which is not between 8000 and 48000"},
                    Wrong{"TooFast", wav(format(kPcm, 2, 96000, 24) + kSound),
                          "has 96000 Hz, which is not between 8000 and 48000"}),
    [](const auto& wrong) { return wrong.param.name; });

TEST(WavReader, F7_AFileOfAGigabyteIsRefusedUnread) {
  const WavFile file(wav(format(kPcm, 1, 8000, 16) + kSound));
  ASSERT_EQ(truncate(file.path().c_str(), 1'000'000'000), 0);
  EXPECT_EQ(read_wav(file.path()).error(), "is larger than 256 MB");
  EXPECT_EQ(fault_of_wav(file.path()), "is larger than 256 MB");
}

TEST(WavReader, F7_WhatIsNoFileIsRefused) {
  EXPECT_EQ(read_wav("/nonexistent/x.wav").error(), "cannot be read: No such file or directory");
  EXPECT_EQ(read_wav("/tmp").error(), "is not a file");
  const std::string pipe = testing::TempDir() + "wav_reader_pipe_" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read_wav(pipe).error(), "is not a file") << "and nothing waits for its writer";
  unlink(pipe.c_str());
}

TEST(WavReader, F7_ASizeThatTheWriterDidNotKnowMeansTheRestOfTheFile) {
  for (const std::uint32_t unknown : {0xFFFF'FFFFU, 0x7FFF'F000U}) {
    const auto pcm = read(wav(format(kPcm, 1, 8000, 16) + "data" + little(unknown, 4) + samples({1, 2, 3})));
    ASSERT_TRUE(pcm.has_value()) << pcm.error();
    EXPECT_THAT(pcm->samples, ElementsAre(1, 2, 3));
  }
}

TEST(WavReader, ABeginningIsReadAlone) {
  const WavFile file(wav(format(kPcm, 2, 8000, 16) + chunk("LIST", "abc") +
                         chunk("data", std::string(4 * 8000 * 3, '\1')) + chunk("note", "behind the sound")));
  const auto beginning = read_wav_beginning(file.path(), 2);
  ASSERT_TRUE(beginning.has_value());
  EXPECT_EQ(beginning->pcm.samples.size(), 2U * 8000);
  EXPECT_FALSE(beginning->is_whole);
  const auto whole = read_wav_beginning(file.path(), 3);
  ASSERT_TRUE(whole.has_value());
  EXPECT_TRUE(whole->is_whole);
  EXPECT_EQ(whole->pcm.samples, read_wav(file.path())->samples);
}

TEST(WavReader, SkipsChunksItDoesNotKnow) {
  EXPECT_TRUE(read(wav(chunk("LIST", "abc") + format(kPcm, 1, 16000, 16) + chunk("data", samples({5})))).has_value());
}

TEST(WavReader, NoPrefixOfAFileCanHurt) {
  const std::string whole = wav(format(0xFFFE, 2, 48000, 16) + chunk("data", samples({1, 2, 3, 4})));
  for (std::size_t size = 0; size <= whole.size(); ++size) (void)read(whole.substr(0, size));
}

}  // namespace
}  // namespace callpark::media
