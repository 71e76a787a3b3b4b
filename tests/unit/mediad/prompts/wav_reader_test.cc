#include "mediad/prompts/wav_reader.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace callpark::media {
namespace {

std::string little(unsigned value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFF);
  return bytes;
}

std::string chunk(const std::string& name, const std::string& body) {
  return name + little(static_cast<unsigned>(body.size()), 4) + body +
         (body.size() % 2 != 0 ? std::string(1, '\0') : "");
}

std::string format(unsigned encoding, unsigned channels, unsigned rate, unsigned bits) {
  return chunk("fmt ", little(encoding, 2) + little(channels, 2) + little(rate, 4) +
                           little(rate * channels * bits / 8, 4) + little(channels * bits / 8, 2) + little(bits, 2));
}

std::string wav(const std::string& chunks) {
  return "RIFF" + little(static_cast<unsigned>(chunks.size() + 4), 4) + "WAVE" + chunks;
}

std::string samples(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += little(static_cast<unsigned>(value) & 0xFFFF, 2);
  return bytes;
}

TEST(WavReader, ReadsMonoSamples) {
  const auto pcm = parse_wav(wav(format(1, 1, 8000, 16) + chunk("data", samples({1, -2, 32767}))));
  ASSERT_TRUE(pcm.has_value());
  EXPECT_EQ(pcm->rate_hz, 8000);
  EXPECT_EQ(pcm->samples, (std::vector<std::int16_t>{1, -2, 32767}));
}

TEST(WavReader, MixesTwoChannelsToOne) {
  const auto pcm = parse_wav(wav(format(1, 2, 44100, 16) + chunk("data", samples({100, 300, -32768, -32768}))));
  ASSERT_TRUE(pcm.has_value());
  EXPECT_EQ(pcm->samples, (std::vector<std::int16_t>{200, -32768}));
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

TEST(WavReader, ABeginningIsReadAlone) {
  const WavFile file(wav(format(1, 2, 8000, 16) + chunk("LIST", "abc") +
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

TEST(WavReader, TheHeadersShowWhetherThereIsSound) {
  const std::string good = wav(format(1, 1, 8000, 16) + chunk("data", samples({1})));
  EXPECT_EQ(fault_of_wav(WavFile(good).path()), std::nullopt);
  for (const std::string& bad :
       {std::string(), std::string("RIFF"), wav(""), wav(format(1, 1, 8000, 16)),
        wav(format(1, 1, 8000, 8) + chunk("data", "abcd")), wav(chunk("data", "abcd") + format(1, 1, 8000, 16)),
        wav(format(1, 1, 8000, 16) + chunk("data", "a"))}) {
    const WavFile file(bad);
    const auto pcm = read_wav(file.path());
    ASSERT_FALSE(pcm.has_value());
    EXPECT_EQ(fault_of_wav(file.path()), pcm.error());
  }
  EXPECT_NE(fault_of_wav("/nowhere/music.wav"), std::nullopt);
}

TEST(WavReader, SkipsChunksItDoesNotKnow) {
  EXPECT_TRUE(parse_wav(wav(chunk("LIST", "abc") + format(1, 1, 16000, 16) + chunk("data", samples({5})))).has_value());
}

TEST(WavReader, PlaysWhatIsThereOfAFileThatWasCutOff) {
  std::string bytes = wav(format(1, 1, 8000, 16) + chunk("data", samples({1, 2, 3, 4})));
  bytes.resize(bytes.size() - 3);
  const auto pcm = parse_wav(bytes);
  ASSERT_TRUE(pcm.has_value());
  EXPECT_EQ(pcm->samples, (std::vector<std::int16_t>{1, 2}));
}

TEST(WavReader, SaysWhatIsWrong) {
  EXPECT_EQ(parse_wav("").error(), "is not a WAV file");
  EXPECT_EQ(parse_wav("RIFFxxxxMP3 ").error(), "is not a WAV file");
  EXPECT_EQ(parse_wav(wav(format(1, 1, 8000, 8))).error(), "is not 16 bit PCM");
  EXPECT_EQ(parse_wav(wav(format(7, 1, 8000, 16))).error(), "is not 16 bit PCM");
  EXPECT_EQ(parse_wav(wav(format(1, 6, 8000, 16))).error(), "has neither one nor two channels");
  EXPECT_EQ(parse_wav(wav(format(1, 1, 4000, 16))).error(), "is not between 8 and 48 kHz");
  EXPECT_EQ(parse_wav(wav(chunk("data", "ab"))).error(), "has no format before its data");
  EXPECT_EQ(parse_wav(wav(format(1, 1, 8000, 16) + chunk("data", ""))).error(), "holds no sound");
  EXPECT_EQ(parse_wav(wav(chunk("fmt ", "short"))).error(), "has a format chunk that is too short");
}

TEST(WavReader, AFileThatIsNotThereIsAnError) {
  EXPECT_FALSE(read_wav("/nonexistent/x.wav").has_value());
}

TEST(WavReader, NoPrefixOfAFileCanHurt) {
  const std::string whole = wav(format(0xFFFE, 2, 48000, 16) + chunk("data", samples({1, 2, 3, 4})));
  for (std::size_t size = 0; size <= whole.size(); ++size) (void)parse_wav(whole.substr(0, size));
}

}  // namespace
}  // namespace callpark::media
