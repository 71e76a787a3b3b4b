#include "mediad/texts/text_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <ctime>

#include "mediad/prompts/audio_files.h"
#include "tests/unit/mediad/texts/texts_directory.h"

namespace callpark::media {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

std::string name_of(char digit) {
  return "text_" + std::string(32, digit);
}

class Files : public TextsDirectory {
 protected:
  std::string store(char digit, const std::string& language = "en") {
    EXPECT_EQ(files_.store(write("new.wav", wav()), language, name_of(digit)), std::nullopt);
    return files_.path(language, name_of(digit));
  }
  static void set_times(const std::string& path, std::time_t seconds_ago) {
    const timespec then{std::time(nullptr) - seconds_ago, 0};
    const std::array<timespec, 2> times{then, then};
    utimensat(AT_FDCWD, path.c_str(), times.data(), 0);
  }

  TextFiles files_{at("texts")};
};

TEST_F(Files, F7_AStoredFileIsThereInItsLanguage) {
  EXPECT_FALSE(files_.use("en", name_of('1')));
  EXPECT_EQ(store('1'), at("texts/en/" + name_of('1') + ".wav"));
  EXPECT_TRUE(files_.use("en", name_of('1')));
  EXPECT_FALSE(files_.use("de", name_of('1')));
  EXPECT_FALSE(fs::exists(at("new.wav")));
}

TEST_F(Files, F7_OnlySoundIsStored) {
  EXPECT_EQ(files_.store(write("new.wav", "no sound"), "en", name_of('1')), "its sound is not a WAV file");
  EXPECT_EQ(files_.store(at("nothing"), "en", name_of('1')), "its sound cannot be read: No such file or directory");
  EXPECT_EQ(files_.store(write("new.wav", wav().substr(0, 1000)), "en", name_of('1')),
            "its sound is cut off: 956 bytes of its sound are there, and 15044 are missing");
  EXPECT_FALSE(fs::exists(at("texts/en")));
}

TEST_F(Files, F7_ADamagedFileIsNotServed) {
  fs::resize_file(store('1'), 500);
  EXPECT_FALSE(files_.use("en", name_of('1')));
}

TEST_F(Files, F7_AUseIsNoChangeOfTheSound) {
  const std::string path = store('1');
  set_times(path, 1000);
  const FileStamp before = stamp_of(path);
  EXPECT_TRUE(files_.use("en", name_of('1')));
  EXPECT_EQ(stamp_of(path), before);
}

TEST_F(Files, F7_ADirectoryThatCannotBeWrittenIsNamed) {
  const TextFiles files(write("file", "x") + "/texts");
  EXPECT_EQ(files.make_scratch().error(), "texts.dir " + at("file/texts") + " cannot be written: Not a directory");
  EXPECT_EQ(files.store(write("new.wav", wav()), "en", name_of('1')),
            "texts.dir " + at("file/texts") + " cannot be written: Not a directory");
}

TEST_F(Files, F7_WhatWasUsedLongestAgoIsRemoved) {
  const std::string first = store('1');
  const std::string second = store('2', "de");
  const std::string third = store('3');
  set_times(first, 300);
  set_times(second, 200);
  set_times(third, 100);
  EXPECT_THAT(files_.trim(50'000), IsEmpty());
  EXPECT_TRUE(files_.use("en", name_of('1')));
  EXPECT_THAT(files_.trim(33'000), ElementsAre(second));
  EXPECT_FALSE(fs::exists(second));
  EXPECT_THAT(files_.trim(1), ElementsAre(third));
  EXPECT_TRUE(fs::exists(first)) << "it may be on its way to a call";
}

TEST_F(Files, F7_OnlySpokenTextsAreRemoved) {
  fs::create_directories(at("texts/en"));
  write("texts/en/text_of_ours.wav", wav());
  write("texts/en/" + name_of('1'), "x");
  const std::string older = store('2');
  set_times(older, 100);
  store('3');
  EXPECT_THAT(files_.trim(1), ElementsAre(older));
  EXPECT_TRUE(fs::exists(at("texts/en/text_of_ours.wav")));
}

TEST_F(Files, F7_ScratchOfAKilledMediadIsRemovedAfterAnHour) {
  const std::string old = files_.make_scratch().value();
  const std::string present = files_.make_scratch().value();
  std::ofstream(old + "/text.wav") << "half";
  set_times(old, 3700);
  EXPECT_THAT(files_.trim(1'000'000), IsEmpty());
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(present));
}

TEST_F(Files, F7_WithoutADirectoryNothingIsRemoved) {
  EXPECT_THAT(files_.trim(1), IsEmpty());
  EXPECT_FALSE(fs::exists(at("texts")));
}

}  // namespace
}  // namespace callpark::media
