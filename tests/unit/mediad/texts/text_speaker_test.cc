#include "mediad/texts/text_speaker.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/log.h"
#include "mediad/texts/text_name.h"
#include "tests/unit/mediad/texts/texts_directory.h"

namespace callpark::media {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Notes the text, and has spoken it.
const std::string kSpeak = "printf '%s\\n' \"$(cat)\" >>$d/log; cp $d/sound.wav \"$2\"";

class Speaker : public TextsDirectory {
 protected:
  Speaker() {
    set_log_level(LogLevel::kOff);
    write("sound.wav", wav());
    options_.directory = at("texts");
    options_.command = write_script("speak", kSpeak);
    options_.time_max = Duration(60'000);
  }
  ~Speaker() override { set_log_level(LogLevel::kInfo); }

  void start() {
    speaker_.emplace(loop_, options_,
                     TextSpeaker::Callbacks{[this](const std::string& path, const std::function<void()>& go_on) {
                                              ready_.push_back(path);
                                              go_on();
                                            },
                                            [this](const std::string& path) { removed_.push_back(path); }});
  }
  /// Adds the name or the reason to `answers_`.
  void prepare(const std::string& text, const std::string& language = "en") {
    speaker_->prepare(language, text, [this](const Result<std::string, std::string>& name) {
      answers_.push_back(name ? *name : name.error());
    });
  }
  void run_until(const std::function<bool()>& is_so) {
    const LoopHandle check = loop_.every(Duration(1), [&] {
      if (is_so()) loop_.stop();
    });
    const LoopHandle deadline = loop_.after(Duration(30'000), [this] { loop_.stop(); });
    loop_.run();
    ASSERT_TRUE(is_so());
  }
  std::vector<std::string> answers(std::size_t count) {
    run_until([&] { return answers_.size() >= count; });
    return std::exchange(answers_, {});
  }
  std::vector<std::string> answer_of(const std::string& text) {
    prepare(text);
    return answers(1);
  }
  std::string path(const std::string& text) const { return at("texts/en/" + text_name("en", text) + ".wav"); }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(at("texts"))) count += entry.is_regular_file() ? 1 : 0;
    return count;
  }

  EventLoop loop_;
  TextSpeaker::Options options_;
  std::optional<TextSpeaker> speaker_;
  std::vector<std::string> answers_;
  std::vector<std::string> ready_;
  std::vector<std::string> removed_;
};

TEST_F(Speaker, F7_ATextIsSpokenOnceAndThenServed) {
  start();
  const std::string name = text_name("en", "Hello.");
  prepare("Hello.");
  EXPECT_THAT(answers_, IsEmpty()) << "never from within the call";
  EXPECT_THAT(answers(1), ElementsAre(name));
  EXPECT_THAT(answer_of("Hello."), ElementsAre(name));
  start();
  EXPECT_THAT(answer_of("Hello."), ElementsAre(name));
  EXPECT_EQ(read("log"), "Hello.\n");
  EXPECT_EQ(read("texts/en/" + name + ".wav"), wav());
  EXPECT_THAT(ready_, ElementsAre(path("Hello."), path("Hello."), path("Hello.")));
}

TEST_F(Speaker, F7_RequestsForOneTextWaitForOneProgram) {
  start();
  for (int i = 0; i < 5; ++i) prepare("Hello.");
  EXPECT_THAT(answers(5), Each(text_name("en", "Hello.")));
  EXPECT_EQ(read("log"), "Hello.\n");
}

TEST_F(Speaker, F7_EachLanguageIsSpokenForItself) {
  start();
  prepare("Taxi", "en");
  prepare("Taxi", "de");
  EXPECT_THAT(answers(2), UnorderedElementsAre(text_name("en", "Taxi"), text_name("de", "Taxi")));
  EXPECT_EQ(read("log"), "Taxi\nTaxi\n");
}

TEST_F(Speaker, F7_NoMoreThanTwoProgramsRunAtOnce) {
  write_script("speak",
               "for slot in 1 2 3; do mkdir $d/slot$slot 2>/dev/null && break; done\n"
               "[ $slot != 3 ] || exit 9\nsleep 0.02\ncp $d/sound.wav \"$2\"\nrmdir $d/slot$slot");
  start();
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) {
    prepare(std::to_string(i));
    names.push_back(text_name("en", std::to_string(i)));
  }
  EXPECT_THAT(answers(8), testing::UnorderedElementsAreArray(names));
}

TEST_F(Speaker, F7_TooManyTextsAreRefused) {
  ASSERT_EQ(mkfifo(at("go").c_str(), 0600), 0);
  const Descriptor go(open(at("go").c_str(), O_RDWR | O_CLOEXEC));
  write_script("speak", "cat >>$d/log\nread line <$d/go\ncp $d/sound.wav \"$2\"");
  options_.programs_max = 1;
  options_.waiting_max = 1;
  start();
  prepare("a");
  run_until([this] { return read("log") == "a"; });
  prepare("b");
  prepare("c");
  EXPECT_THAT(answers(1), ElementsAre("1 texts wait to be spoken already"));
  ASSERT_EQ(::write(go.get(), "\n\n", 2), 2);
  EXPECT_THAT(answers(2), ElementsAre(text_name("en", "a"), text_name("en", "b")));
  EXPECT_EQ(read("log"), "ab");
}

TEST_F(Speaker, F7_AProgramThatFailsIsAskedAgainNextTime) {
  write_script("speak", "echo no voice >&2; exit 1");
  start();
  EXPECT_THAT(answer_of("Hello."), ElementsAre(at("speak") + " ended with 1: no voice"));
  write_script("speak", kSpeak);
  EXPECT_THAT(answer_of("Hello."), ElementsAre(text_name("en", "Hello.")));
}

TEST_F(Speaker, F7_WhatIsNoSoundIsNotServed) {
  write_script("speak", "echo half >\"$2\"");
  start();
  EXPECT_THAT(answer_of("Hello."), ElementsAre("its sound is not a WAV file"));
  EXPECT_EQ(files(), 0U) << "and nothing of it is left";
}

TEST_F(Speaker, F7_ADamagedFileIsSpokenAgain) {
  start();
  answer_of("Hello.");
  fs::resize_file(path("Hello."), 100);
  EXPECT_THAT(answer_of("Hello."), ElementsAre(text_name("en", "Hello.")));
  EXPECT_EQ(read("log"), "Hello.\nHello.\n");
}

TEST_F(Speaker, F7_ADirectoryThatCannotBeWrittenIsAnError) {
  options_.directory = write("file", "x") + "/texts";
  start();
  EXPECT_THAT(answer_of("Hello."),
              ElementsAre("texts.dir " + at("file/texts") + " cannot be written: Not a directory"));
}

TEST_F(Speaker, F7_TheTextUsedLongestAgoIsRemovedAndReported) {
  options_.bytes_max = 33'000;
  start();
  answer_of("a");
  answer_of("b");
  // Earlier, since the clock of files has steps of some milliseconds.
  for (const auto& [text, seconds] : {std::pair("a", 1), std::pair("b", 2)}) {
    const std::array<timespec, 2> times{{{seconds, 0}, {0, UTIME_OMIT}}};
    utimensat(AT_FDCWD, path(text).c_str(), times.data(), 0);
  }
  answer_of("a");
  answer_of("c");
  run_until([this] { return !removed_.empty(); });
  EXPECT_THAT(removed_, ElementsAre(path("b")));
  EXPECT_EQ(files(), 2U);
}

TEST_F(Speaker, F7_AProgramThatHangsEndsWithTheSpeaker) {
  write_script("speak", "sleep 1000 & echo $! $$ >$d/pids; wait");
  start();
  prepare("Hello.");
  prepare("Good bye.");
  prepare("It waits.");
  run_until([this] { return pids("pids").size() == 2; });
  speaker_.reset();
  EXPECT_TRUE(all_end(pids("pids")));
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(Speaker, F7_TheLoopGoesOnWhileATextIsSpoken) {
  write_script("speak", "sleep 1000");
  start();
  prepare("Hello.");
  int rounds = 0;
  const LoopHandle round = loop_.every(Duration(1), [&] { ++rounds; });
  run_until([&] { return rounds >= 20; });
  EXPECT_THAT(answers_, IsEmpty());
}

}  // namespace
}  // namespace callpark::media
