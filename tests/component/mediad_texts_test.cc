// Texts that mediad has spoken: the program that callpark has for it, its cache, and what a wrong text or program does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "mediad/prompts/wav_reader.h"
#include "tests/component/mediad_fixture.h"
#include "tests/support/source_directory.h"

namespace callpark::test {
namespace {

using media::Announcement;
using media::ErrorCode;
using media::Prompt;
using media::SessionPlayed;
using media::TextPrepare;
using media::TextPrepareResult;
using testing::HasSubstr;
using testing::StartsWith;

class MediadTexts : public Mediad {
 protected:
  MediadTexts() {
    // The real one, with a note for each text.
    write_command("echo \"$1\" >>" + (directory_.path() / "spoken").string() + "\nexec " +
                  (source_directory() / "tools/speak_text").string() + " \"$@\"");
  }

  void write_command(const std::string& commands) {
    write_file(text_command(), "#!/bin/bash\n" + commands + "\n");
    std::filesystem::permissions(text_command(), std::filesystem::perms::owner_all);
  }
  /// The languages of the texts that were spoken, one a line.
  std::string spoken() const { return read_file(directory_.path() / "spoken"); }

  std::string prepare(const std::string& text, const std::string& language) {
    return client().get<TextPrepareResult>(TextPrepare{language, text}).name;
  }
  media::RpcError refusal(const std::string& text, const std::string& language = "en") {
    const auto answer = client().ask(TextPrepare{language, text});
    return answer ? media::RpcError{} : answer.error();
  }
  std::filesystem::path path(const std::string& name, const std::string& language) const {
    return texts() / language / (name + ".wav");
  }
  Sound sound(const std::string& name, const std::string& language) const {
    const auto pcm = media::read_wav(path(name, language));
    return pcm ? Sound{pcm->rate_hz, pcm->samples} : Sound{};
  }
  void stop() {
    process_.signal(SIGTERM);
    ASSERT_EQ(process_.wait(kSoon), 0);
  }
  void limit_seconds(int seconds) {
    stop();
    std::string text = read_file(config());
    const std::string setting = "seconds_max: 60";
    text.replace(text.find(setting), setting.size(), "seconds_max: " + std::to_string(seconds));
    write_file(config(), text);
    start();
  }
  static bool is_alive(pid_t pid) {
    const std::string status = read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto name_end = status.rfind(") ");
    return name_end != std::string::npos && status.at(name_end + 2) != 'Z' && status.at(name_end + 2) != 'X';
  }
  std::vector<pid_t> pids() const {
    std::istringstream text(read_file(directory_.path() / "pids"));
    std::vector<pid_t> found;
    for (pid_t pid = 0; text >> pid;) found.push_back(pid);
    return found;
  }
};

// sox adds noise of the last bits, which is another one each time.
bool are_alike(const std::vector<std::int16_t>& a, const std::vector<std::int16_t>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](std::int16_t one, std::int16_t other) { return std::abs(one - other) < 16; });
}

class MediadTextsInALanguage : public MediadTexts, public testing::WithParamInterface<std::string> {};

TEST_P(MediadTextsInALanguage, F7_ATextIsSpokenOnceAndServedAfterARestart) {
  const std::string touched = (directory_.path() / "touched").string();
  std::string text = "--help -o \"Grüß Gott\" 'drei' „vier“ `touch " + touched + "` $(touch " + touched + ") | > * ";
  while (text.size() < 980) text += "Bitte warten Sie. ";
  text.resize(1000, '.');
  const std::string name = prepare(text, GetParam());
  EXPECT_THAT(name, StartsWith("text_"));
  const Sound first = sound(name, GetParam());
  EXPECT_EQ(first.rate, 16000);
  EXPECT_GT(first.duration(), 10s) << "it is spoken to its end";
  EXPECT_NEAR(first.level(), 3277, 330) << "as loud as the prompts: 20 dB below full scale";
  EXPECT_EQ(prepare(text, GetParam()), name);
  stop();
  start();
  EXPECT_EQ(prepare(text, GetParam()), name);
  EXPECT_EQ(spoken(), GetParam() + "\n");
  EXPECT_FALSE(std::filesystem::exists(touched));
}

INSTANTIATE_TEST_SUITE_P(Each, MediadTextsInALanguage, testing::Values("en", "de", "ru"),
                         [](const auto& language) { return language.param; });

TEST_F(MediadTexts, F7_ASpokenTextIsHeard) {
  const std::string name = prepare("Der Laden ist geschlossen.", "de");
  Ear ear;
  open(request("s", ear, Announcement{"de", {Prompt{name}}}));
  const Sound heard = decode(ear.next(50), decode_pcmu);
  EXPECT_GT(heard.level(), 10 * kSilenceLevel);
  EXPECT_EQ(client().next_notification(), media::Notification(SessionPlayed{"s", "", false}));
}

TEST_F(MediadTexts, F7_ALanguageWithoutAVoiceIsSpokenInEnglish) {
  const std::string text = "Please make your choice.";
  const auto sound_in = [&](const std::string& language) { return sound(prepare(text, language), language).samples; };
  const auto english = sound_in("en");
  EXPECT_FALSE(english.empty());
  const auto german = sound_in("de");
  EXPECT_TRUE(are_alike(sound_in("xx"), english));
  EXPECT_TRUE(are_alike(sound_in("en_GB"), english)) << "as its prompts";
  EXPECT_FALSE(are_alike(german, english));
  EXPECT_TRUE(are_alike(sound_in("de_AT"), german));
}

TEST_F(MediadTexts, F7_TwoRequestsForOneTextAreOneSynthesis) {
  MediadClient other(socket());
  const std::string line = media::encode_request(7, TextPrepare{"en", "One moment."}) + "\n";
  client().send_bytes(line);
  other.send_bytes(line);
  const auto answer = client().read_line().value_or("closed");
  EXPECT_THAT(answer, HasSubstr(R"("name":"text_)"));
  EXPECT_EQ(other.read_line(), answer);
  EXPECT_EQ(spoken(), "en\n");
}

TEST_F(MediadTexts, F7_AWrongTextIsRefusedWithASentence) {
  const auto refused = [this](const std::string& params) {
    client().send_bytes(R"({"jsonrpc":"2.0","id":1,"method":"text.prepare","params":)" + params + "}\n");
    return client().read_line().value_or("closed");
  };
  EXPECT_THAT(refused(R"({"language":"en","text":""})"), HasSubstr("params.text must be a text of 1 to 1000 bytes"));
  EXPECT_THAT(refused(R"({"language":"en","text":")" + std::string(1001, 'a') + "\"}"),
              HasSubstr("params.text must be a text of 1 to 1000 bytes"));
  EXPECT_THAT(refused(R"({"language":"en","text":"a\nb"})"),
              HasSubstr("params.text must be UTF-8 without control characters"));
  EXPECT_THAT(refused(R"({"language":"../en","text":"a"})"),
              HasSubstr("params.language must be the name of a language"));
  EXPECT_THAT(refused(R"({"text":"a"})"), HasSubstr("params.language must be a text of 1 to 64 bytes"));
  EXPECT_EQ(spoken(), "");
}

TEST_F(MediadTexts, F7_ATextWithNothingToSpeakIsRefused) {
  const std::string program = text_command().string();
  for (const char* language : {"en", "de"}) {
    EXPECT_EQ(refusal("   ", language).code, ErrorCode::kTextNotSpoken);
    EXPECT_EQ(refusal("   ", language).message, program + " ended with 1: speak_text: there is no text");
    EXPECT_EQ(refusal("...", language).message,
              program + " ended with 1: speak_text: nothing of the text can be spoken");
  }
  EXPECT_FALSE(std::filesystem::exists(texts() / "en"));
}

TEST_F(MediadTexts, F7_AProgramThatIsMissingIsNamed) {
  std::filesystem::remove(text_command());
  const auto error = refusal("Hello.");
  EXPECT_EQ(error.code, ErrorCode::kTextNotSpoken);
  EXPECT_EQ(error.message, text_command().string() + " cannot be started: No such file or directory");
}

TEST_F(MediadTexts, F7_ADirectoryThatCannotBeWrittenIsNamed) {
  write_file(texts(), "a file");
  const auto error = refusal("Hello.");
  EXPECT_EQ(error.code, ErrorCode::kTextNotSpoken);
  EXPECT_THAT(error.message, StartsWith("texts.dir " + texts().string() + " cannot be written: "));
}

TEST_F(MediadTexts, F7_AHangingProgramIsEndedAndMediadServesOthersMeanwhile) {
  write_command("sleep 1000 &\necho $! $$ >" + (directory_.path() / "pids").string() + "\nwait");
  limit_seconds(1);
  MediadClient other(socket());
  other.send_bytes(media::encode_request(7, TextPrepare{"en", "Hello."}) + "\n");
  EXPECT_FALSE(client().get<media::CodecListResult>(media::CodecList{}).codecs.empty());
  EXPECT_THAT(other.read_line().value_or("closed"), HasSubstr(" has not ended within 1 s"));
  ASSERT_EQ(pids().size(), 2U);
  EXPECT_TRUE(wait_until(kSoon, [this] { return std::ranges::none_of(pids(), is_alive); }));
}

TEST_F(MediadTexts, F7_AProgramThatHangsDoesNotKeepMediadFromItsEnd) {
  write_command("sleep 1000 &\necho $! $$ >" + (directory_.path() / "pids").string() + "\nwait");
  client().send_bytes(media::encode_request(7, TextPrepare{"en", "Hello."}) + "\n");
  require_until(
      kSoon, [this] { return pids().size() == 2; }, "the program to run");
  stop();
  EXPECT_TRUE(wait_until(kSoon, [this] { return std::ranges::none_of(pids(), is_alive); }));
}

}  // namespace
}  // namespace callpark::test
