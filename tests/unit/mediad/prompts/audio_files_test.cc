#include "mediad/prompts/audio_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "mediad/prompts/tones.h"

namespace callpark::media {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsSupersetOf;

class AudioFiles : public testing::Test {
 protected:
  AudioFiles() {
    std::string name = testing::TempDir() + "audio_files_XXXXXX";
    dir_ = mkdtemp(name.data());
  }
  ~AudioFiles() override { fs::remove_all(dir_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
    return dir_ + "/" + name;
  }
  std::string dir_;
};

TEST_F(AudioFiles, ADirectoryStandsForItsWavFilesByName) {
  const std::string second = write("b.wav", "x");
  const std::string first = write("a.wav", "x");
  write("readme.txt", "x");
  EXPECT_THAT(wav_files({dir_, "/elsewhere/c.wav"}), ElementsAre(first, second, "/elsewhere/c.wav"));
}

TEST_F(AudioFiles, AStampChangesWithTheFile) {
  const std::string path = write("a.wav", "one");
  const FileStamp before = stamp_of(path);
  EXPECT_EQ(before, stamp_of(path));
  write("a.wav", "another");
  EXPECT_NE(before, stamp_of(path));
  fs::remove(path);
  EXPECT_EQ(stamp_of(path), stamp_of(path));
}

TEST_F(AudioFiles, MusicClassesAreSubdirectories) {
  fs::create_directory(dir_ + "/jazz");
  write("a.wav", "x");
  EXPECT_THAT(subdirectories(dir_), ElementsAre("jazz"));
  EXPECT_TRUE(subdirectories(dir_ + "/none").empty());
}

TEST(PromptNames, KeysHaveTheirOwnPrompts) {
  EXPECT_EQ(digit_prompt('7'), "digit_7");
  EXPECT_EQ(digit_prompt('*'), "digit_star");
  EXPECT_EQ(digit_prompt('#'), "digit_hash");
  EXPECT_EQ(prompt_path("/p", "en", "goodbye"), "/p/en/goodbye.wav");
}

TEST(PromptNames, F7_ASpokenTextIsKnownByItsName) {
  const std::string digits = "00112233445566778899aabbccddeeff";
  EXPECT_TRUE(is_text_name("text_" + digits));
  for (const std::string& name : {"text_" + digits + "0", "text_" + digits.substr(1), std::string("text_greeting"),
                                  digits, "text_" + digits.substr(1) + "F", std::string()}) {
    EXPECT_FALSE(is_text_name(name)) << name;
  }
}

// tools/build_prompts has a line NAME|TEXT for each sentence, in the same sequence in every language.
TEST(PromptNames, F3_EveryLanguageHasEverySentence) {
  std::ifstream script(fs::path(CALLPARK_SOURCE_DIR) / "tools/build_prompts");
  std::vector<std::vector<std::string>> languages;
  for (std::string line; std::getline(script, line);) {
    if (line.find(") cat <<'END'") != std::string::npos) languages.emplace_back();
    const auto bar = line.find('|');
    const bool is_sentence = bar != std::string::npos && bar > 0 &&
                             line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == bar && bar + 1 < line.size();
    if (is_sentence && !languages.empty()) languages.back().push_back(line.substr(0, bar));
  }
  ASSERT_EQ(languages.size(), 6U);
  for (const auto& language : languages) EXPECT_EQ(language, languages.front());
  EXPECT_THAT(languages.front(),
              IsSupersetOf({"enter_pin", "wrong_pin", "call_flow_locked", "day_mode", "night_mode", "not_available",
                            "goodbye", "invalid_choice", "not_reached", "make_choice"}));
}

TEST(Tones, RingbackSoundsForOneSecondOfFive) {
  const Pcm tone = ringback_tone();
  ASSERT_EQ(tone.samples.size(), static_cast<std::size_t>(5 * tone.rate_hz));
  EXPECT_GT(*std::max_element(tone.samples.begin(), tone.samples.begin() + tone.rate_hz), 3000);
  EXPECT_EQ(*std::max_element(tone.samples.begin() + tone.rate_hz, tone.samples.end()), 0);
}

}  // namespace
}  // namespace callpark::media
