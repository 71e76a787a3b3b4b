#include "mediad/engine/audio_library.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "mediad/engine/codec_facts.h"

namespace callpark::media {
namespace {

void write_wav(const std::filesystem::path& path, int seconds) {
  const auto number = [](std::uint32_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
    return text;
  };
  const std::uint32_t data_bytes = static_cast<std::uint32_t>(16000 * seconds);
  std::ofstream(path, std::ios::binary) << "RIFF" << number(36 + data_bytes, 4) << "WAVEfmt " << number(16, 4)
                                        << number(1, 2) << number(1, 2) << number(8000, 4) << number(16000, 4)
                                        << number(2, 2) << number(16, 2) << "data" << number(data_bytes, 4)
                                        << std::string(data_bytes, '\x11');
}

class Library : public testing::Test {
 protected:
  Library() {
    for (const char* name : {"moh", "classes/jazz", "classes/rock"}) {
      std::filesystem::create_directories(directory_ / name);
      write_wav(directory_ / name / "music.wav", 2);
    }
  }
  ~Library() override { std::filesystem::remove_all(directory_); }

  static std::filesystem::path make_directory() {
    std::string name = "/tmp/callpark-library-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory");
    return name;
  }
  void run_until(const std::function<bool()>& is_so) {
    const LoopHandle check = loop_.every(Duration(1), [&] {
      if (is_so()) loop_.stop();
    });
    const LoopHandle deadline = loop_.after(Duration(10'000), [this] { loop_.stop(); });
    loop_.run();
    ASSERT_TRUE(is_so());
  }

  /// Encodings that the loop had to wait for, and those of the worker.
  std::atomic<int> on_loop_{0};
  std::atomic<int> on_worker_{0};
  std::filesystem::path directory_ = make_directory();
  EventLoop loop_;
  AudioLibrary library_{loop_,
                        {.prompts_dir = directory_ / "prompts",
                         .texts_dir = directory_ / "texts",
                         .default_music = {directory_ / "moh"},
                         .music_classes_dir = directory_ / "classes",
                         .encode = [this, loop_thread = std::this_thread::get_id()](const auto&... arguments) {
                           ++(std::this_thread::get_id() == loop_thread ? on_loop_ : on_worker_);
                           return encode(arguments...);
                         }}};
};

TEST_F(Library, O4_NothingIsEncodedBeforeMediadAnswers) {
  library_.prepare();
  EXPECT_EQ(on_loop_, 0);
}

TEST_F(Library, O4_EveryClassIsEncodedBesideTheLoop) {
  library_.prepare();
  const int tracks = 3 * static_cast<int>(all_codecs().size());
  run_until([&] { return on_worker_ == tracks; });
  // The last one has to reach the loop, where nothing shows that.
  run_until([&] { return library_.is_prepared(); });
  for (const char* name : {"default", "jazz", "rock"}) {
    for (const CodecFacts& codec : all_codecs()) EXPECT_GT(library_.music(name, codec.name)->packets(), 0U);
  }
  EXPECT_EQ(on_loop_, 0);
  EXPECT_EQ(on_worker_, tracks) << "short files are whole at once";
}

TEST_F(Library, O4_FiveHundredSessionsOfOneCodecAreOneEncoding) {
  const SharedAudio first = library_.music("default", CodecName::kOpus);
  for (int session = 1; session < 500; ++session) EXPECT_EQ(library_.music("default", CodecName::kOpus), first);
  EXPECT_EQ(on_loop_, 1);
}

TEST_F(Library, O4_WhatIsNeededBeforeItsTurnIsKept) {
  library_.prepare();
  const SharedAudio needed = library_.music("rock", CodecName::kPcmu);
  run_until([&] { return library_.is_prepared(); });
  EXPECT_EQ(library_.music("rock", CodecName::kPcmu), needed);
  EXPECT_EQ(on_loop_, 1);
}

TEST_F(Library, L6_AFileReplacedWhileItIsPreparedIsHeardNew) {
  library_.prepare();
  write_wav(directory_ / "new.wav", 1);
  std::filesystem::rename(directory_ / "new.wav", directory_ / "classes/rock/music.wav");
  run_until([&] { return library_.is_prepared(); });
  EXPECT_EQ(library_.music("rock", CodecName::kPcmu)->packets(), 50U);
}

TEST_F(Library, O4_APartyWaitsForTheFirstSecondsOnlyAndTheMusicGrows) {
  write_wav(directory_ / "moh/music.wav", 30);
  std::vector<std::size_t> packets;
  SharedAudio longest = library_.music("default", CodecName::kPcmu);
  EXPECT_EQ(longest->packets(), 100U);
  library_.on_grown([&](const SharedAudio& before, const SharedAudio& after) {
    EXPECT_EQ(before, longest);
    longest = after;
    packets.push_back(after->packets());
  });
  run_until([&] { return packets.size() == 2; });
  EXPECT_EQ(packets, (std::vector<std::size_t>{1000, 1500}));
  EXPECT_EQ(library_.music("default", CodecName::kPcmu), longest);
  EXPECT_EQ(on_loop_, 1);
  EXPECT_EQ(on_worker_, 2);
}

TEST_F(Library, APreparedClassGrowsInOneStep) {
  write_wav(directory_ / "moh/music.wav", 30);
  library_.prepare();
  run_until([&] { return library_.is_prepared(); });
  SharedAudio whole;
  library_.on_grown([&](const SharedAudio&, const SharedAudio& after) { whole = after; });
  EXPECT_EQ(library_.music("default", CodecName::kPcmu)->packets(), 1000U);
  run_until([&] { return whole != nullptr; });
  EXPECT_EQ(whole->packets(), 1500U);
  EXPECT_EQ(on_loop_, 0);
}

TEST_F(Library, F7_AnOwnSoundIsFoundInItsLanguageElseInEnglish) {
  for (const char* language : {"en", "de"}) std::filesystem::create_directories(directory_ / "prompts" / language);
  write_wav(directory_ / "prompts/en/closed_today.wav", 1);
  EXPECT_EQ(library_.prompt("de", "closed_today", CodecName::kPcmu).value()->packets(), 50U);
  write_wav(directory_ / "prompts/de/closed_today.wav", 2);
  EXPECT_EQ(library_.prompt("de", "closed_today", CodecName::kPcmu).value()->packets(), 100U);
  std::ofstream(directory_ / "prompts/de/closed_today.wav") << "no sound";
  EXPECT_EQ(library_.prompt("de", "closed_today", CodecName::kPcmu).value()->packets(), 50U);
}

TEST_F(Library, F7_ASoundThatCannotBePlayedIsAnErrorUntilItsFileChanges) {
  std::filesystem::create_directories(directory_ / "prompts/en");
  const std::string path = directory_ / "prompts/en/closed_today.wav";
  const auto prompt = [this](const char* language) {
    return library_.prompt(language, "closed_today", CodecName::kPcmu);
  };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(prompt("en").error(), path + " cannot be read: No such file or directory");
  EXPECT_EQ(prompt("de").error(), (directory_ / "prompts/de/closed_today.wav").string() +
                                      " cannot be read: No such file or directory; " + prompt("en").error());
  std::ofstream(path).flush();
  EXPECT_EQ(prompt("en").error(), path + " is empty");
  write_wav(path, 1);
  EXPECT_EQ(prompt("en").value()->packets(), 50U);
}

TEST_F(Library, F7_ASpokenTextIsFoundInItsLanguageOnly) {
  const std::string name = "text_00112233445566778899aabbccddeeff";
  for (const char* language : {"prompts/en", "texts/en"}) std::filesystem::create_directories(directory_ / language);
  write_wav(directory_ / "prompts/en" / (name + ".wav"), 1);
  const std::string path = directory_ / "texts/en" / (name + ".wav");
  EXPECT_EQ(library_.prompt("en", name, CodecName::kPcmu).error(), path + " cannot be read: No such file or directory");
  write_wav(path, 2);
  EXPECT_EQ(library_.prompt("en", name, CodecName::kPcmu).value()->packets(), 100U);
  EXPECT_FALSE(library_.prompt("de", name, CodecName::kPcmu));
  write_wav(directory_ / "prompts/en/text_of_ours.wav", 1);
  EXPECT_TRUE(library_.prompt("en", "text_of_ours", CodecName::kPcmu));
}

TEST_F(Library, F7_AForgottenTextIsEncodedAgain) {
  const std::string name = "text_00112233445566778899aabbccddeeff";
  std::filesystem::create_directories(directory_ / "texts/en");
  const std::string path = directory_ / "texts/en" / (name + ".wav");
  write_wav(path, 1);
  const SharedAudio before = library_.prompt("en", name, CodecName::kPcmu).value();
  EXPECT_EQ(library_.prompt("en", name, CodecName::kPcmu).value(), before);
  library_.forget(path);
  EXPECT_EQ(before.use_count(), 1);
  EXPECT_NE(library_.prompt("en", name, CodecName::kPcmu).value(), before);
}

TEST_F(Library, F7_ATextIsEncodedBesideTheLoop) {
  const std::string name = "text_00112233445566778899aabbccddeeff";
  std::filesystem::create_directories(directory_ / "texts/en");
  const std::string path = directory_ / "texts/en" / (name + ".wav");
  write_wav(path, 1);
  const int codecs = static_cast<int>(all_codecs().size());
  int done = 0;
  library_.encode_ahead(path, [&] { ++done; });
  run_until([&] { return done == 1; });
  library_.encode_ahead(path, [&] { ++done; });
  EXPECT_EQ(done, 2) << "at once";
  for (const CodecFacts& codec : all_codecs())
    EXPECT_EQ(library_.prompt("en", name, codec.name).value()->packets(), 50U);
  EXPECT_EQ(on_loop_, 0);
  EXPECT_EQ(on_worker_, codecs);
  write_wav(path, 2);
  library_.encode_ahead(path, [&] { ++done; });
  run_until([&] { return done == 3; });
  EXPECT_EQ(library_.prompt("en", name, CodecName::kPcmu).value()->packets(), 100U);
  EXPECT_EQ(on_loop_, 0);
}

TEST_F(Library, F7_AMissingTextIsNoEncoding) {
  bool is_done = false;
  library_.encode_ahead(directory_ / "texts/en/nothing.wav", [&] { is_done = true; });
  run_until([&] { return is_done; });
  EXPECT_EQ(on_worker_, 0);
}

TEST_F(Library, F7_ASoundThatTheEncoderRefusesIsAnError) {
  AudioLibrary library(loop_,
                       {.prompts_dir = directory_,
                        .default_music = {},
                        .music_classes_dir = {},
                        .encode = [](const auto&...) -> EncodedAudio { throw std::runtime_error("no such rate"); }});
  EXPECT_EQ(library.prompt("moh", "music", CodecName::kPcmu)
                .error()
                .find((directory_ / "moh/music.wav").string() + " cannot be encoded: no such rate"),
            0U);
}

}  // namespace
}  // namespace callpark::media
