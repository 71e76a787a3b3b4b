#include "base/config_reader.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace callpark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

enum class Colour { kRed, kGreen };

struct Config {
  std::string name;
  bool quick = false;
  int workers = 0;
  Duration wait{};
  Duration pause{};
  SocketAddress listen;
  Colour colour = Colour::kRed;
  std::vector<std::string> peers;
  std::string password;
};

class ConfigReaderTest : public testing::Test {
 protected:
  ConfigReaderTest() {
    reader_.text("name", config_.name, "first", "The name of this node.");
    reader_.required();
    reader_.boolean("quick", config_.quick, true, "Whether it hurries.");
    reader_.section("pool", "The threads.");
    reader_.number("pool.workers", config_.workers, 4, 1, 64, "How many.");
    reader_.live();
    reader_.duration("pool.wait_ms", config_.wait, 500, 100, 5000, Duration(1), "How long.");
    reader_.duration("pool.pause_seconds", config_.pause, 3, 1, 60, Duration(1000), "How long between.");
    reader_.address("net.listen", config_.listen, "127.0.0.1:80", "Where.");
    reader_.choice("net.colour", config_.colour, "red", {{"red", Colour::kRed}, {"green", Colour::kGreen}}, "Which.");
    reader_.list(
        "net.peers", {"a", "b"}, "a word without x", "Accepted peers.", [this] { config_.peers.clear(); },
        [this](const std::string& text) {
          config_.peers.push_back(text);
          return text.find('x') == std::string::npos;
        });
    reader_.live();
    reader_.text("net.password", config_.password, "", {.may_be_empty = true, .is_secret = true, .length_max = 5},
                 "The secret.");
  }

  std::vector<std::string> errors_of(const std::string& text) {
    std::vector<std::string> lines;
    for (const ConfigError& error : reader_.read_text(text, "test.yaml")) lines.push_back(to_string(error));
    return lines;
  }

  Config config_;
  ConfigReader reader_;
};

TEST_F(ConfigReaderTest, WhatTheFileDoesNotSayIsAtItsDefault) {
  EXPECT_THAT(errors_of("name: second\n"), IsEmpty());
  EXPECT_EQ(config_.name, "second");
  EXPECT_TRUE(config_.quick);
  EXPECT_EQ(config_.workers, 4);
  EXPECT_EQ(config_.wait, Duration(500));
  EXPECT_EQ(config_.pause, Duration(3000));
  EXPECT_EQ(config_.listen.to_string(), "127.0.0.1:80");
  EXPECT_EQ(config_.colour, Colour::kRed);
  EXPECT_THAT(config_.peers, ElementsAre("a", "b"));
}

TEST_F(ConfigReaderTest, WhatTheFileSaysCounts) {
  EXPECT_THAT(errors_of("name: \"10\"\nquick: false\npool: {workers: 64, wait_ms: 100, pause_seconds: 60}\n"
                        "net:\n  listen: unix:/run/x\n  colour: green\n  peers: [c]\n  password: '0'\n"),
              IsEmpty());
  EXPECT_EQ(config_.name, "10");
  EXPECT_FALSE(config_.quick);
  EXPECT_EQ(config_.workers, 64);
  EXPECT_EQ(config_.wait, Duration(100));
  EXPECT_EQ(config_.pause, Duration(60000));
  EXPECT_EQ(config_.listen.to_string(), "unix:/run/x");
  EXPECT_EQ(config_.colour, Colour::kGreen);
  EXPECT_THAT(config_.peers, ElementsAre("c"));
}

TEST_F(ConfigReaderTest, AReaderMayReadAgain) {
  EXPECT_THAT(errors_of("name: a\npool: {workers: 9}\n"), IsEmpty());
  EXPECT_THAT(errors_of("name: b\n"), IsEmpty());
  EXPECT_EQ(config_.workers, 4);
  EXPECT_THAT(config_.peers, ElementsAre("a", "b"));
}

TEST_F(ConfigReaderTest, AllErrorsAreReportedAtOnceInOrder) {
  EXPECT_THAT(errors_of("pool:\n  workers: 0\n  wait_ms: soon\nquick: yes\n"),
              ElementsAre("test.yaml: name is missing (The name of this node.)",
                          "test.yaml:2: pool.workers must be a whole number from 1 to 64, not \"0\" (How many.)",
                          "test.yaml:3: pool.wait_ms must be a whole number of milliseconds from 100 to 5000, not "
                          "\"soon\" (How long.)",
                          "test.yaml:4: quick must be true or false, not \"yes\" (Whether it hurries.)"));
}

TEST_F(ConfigReaderTest, AnUnknownKeyIsAnErrorAndTheKnownOnesAreNamed) {
  EXPECT_THAT(errors_of("name: a\npool:\n  worker: 3\nspeed: 1\n"),
              ElementsAre("test.yaml:3: unknown key pool.worker; known here: workers, wait_ms, pause_seconds",
                          "test.yaml:4: unknown key speed; known here: name, quick, pool, net"));
}

TEST_F(ConfigReaderTest, AKeyThatStandsTwiceIsAnError) {
  EXPECT_THAT(errors_of("name: a\nquick: true\nname: b\n"),
              ElementsAre("test.yaml:3: name is here a second time; first in line 1 (The name of this node.)"));
  EXPECT_THAT(errors_of("name: a\npool: {workers: 1, workers: 1}\n"), SizeIs(1));
  EXPECT_THAT(errors_of("name: a\npool: {workers: 1}\npool: {wait_ms: 100}\n"),
              ElementsAre("test.yaml:3: pool is here a second time; first in line 2"));
}

TEST_F(ConfigReaderTest, EachWrongItemOfAListHasItsLine) {
  EXPECT_THAT(errors_of("name: a\nnet:\n  peers:\n    - ax\n    - b\n    - [c]\n"),
              ElementsAre("test.yaml:4: net.peers must be a word without x, not \"ax\" (Accepted peers.)",
                          "test.yaml:6: net.peers must be a single value (Accepted peers.)"));
}

TEST_F(ConfigReaderTest, ASecretIsNotRepeated) {
  const auto errors = errors_of("name: a\nnet: {password: hunter2}\n");
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0], HasSubstr("net.password must be"));
  EXPECT_THAT(errors[0], Not(HasSubstr("hunter2")));
}

TEST_F(ConfigReaderTest, AFileThatCannotBeReadIsAnError) {
  const auto errors = reader_.read_file("/nonexistent/test.yaml");
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(to_string(errors[0]), "/nonexistent/test.yaml: cannot be read: No such file or directory");
  EXPECT_THAT(reader_.read_file("/tmp"), ElementsAre(testing::Field(&ConfigError::message, HasSubstr("directory"))));
}

TEST_F(ConfigReaderTest, HostileFilesAreRefusedQuickly) {
  EXPECT_THAT(errors_of(std::string(100'000, '[')), SizeIs(1));
  EXPECT_THAT(errors_of("name: a\n# " + std::string(2'000'000, 'x')), ElementsAre(HasSubstr("longer than")));
  EXPECT_THAT(errors_of("a: &a [*a]\nname: a\n"), SizeIs(1));
}

TEST_F(ConfigReaderTest, TheExampleHoldsEveryKeyAndReadsBackAsTheDefaults) {
  const std::string example = reader_.example();
  EXPECT_THAT(example, HasSubstr("# The name of this node. Required: a text of 1 to 255 bytes.\nname: \"first\"\n"));
  EXPECT_THAT(
      example,
      HasSubstr(
          "\n# The threads.\npool:\n  # How many. A whole number from 1 to 64. Applied by a reload.\n  workers: 4\n"));
  EXPECT_THAT(example, HasSubstr("  peers:\n    - \"a\"\n    - \"b\"\n"));
  EXPECT_THAT(errors_of(example), IsEmpty());
  EXPECT_EQ(config_.name, "first");
  EXPECT_EQ(config_.workers, 4);
}

// A table with two keys of which a file has one.
class ConfigReaderAlternatives : public testing::Test {
 protected:
  ConfigReaderAlternatives() {
    reader_.text("password", password_, "", {.may_be_empty = true}, "The secret.");
    reader_.text("password_file", file_, "", {.may_be_empty = true}, "Where it is.");
    reader_.alternative_to("password");
  }
  std::vector<std::string> errors_of(const std::string& text) {
    std::vector<std::string> lines;
    for (const ConfigError& error : reader_.read_text(text, "test.yaml")) lines.push_back(to_string(error));
    return lines;
  }

  std::string password_;
  std::string file_;
  ConfigReader reader_;
};

TEST_F(ConfigReaderAlternatives, O8_OneOfTheTwoIsNeeded) {
  EXPECT_THAT(errors_of("password: ''\n"), IsEmpty());
  EXPECT_THAT(errors_of("password_file: /x\n"), IsEmpty());
  EXPECT_THAT(errors_of("{}\n"), ElementsAre("test.yaml: password or password_file is missing (The secret.)"));
  EXPECT_THAT(errors_of("password: a\npassword_file: /x\n"),
              ElementsAre("test.yaml:2: password_file and password are both here; there must be one only"));
}

TEST_F(ConfigReaderAlternatives, O8_TheExampleHasTheSecondAsAComment) {
  EXPECT_THAT(reader_.example(), HasSubstr("\npassword: \"\"\n"));
  EXPECT_THAT(reader_.example(), HasSubstr("\n# password_file: \"\"\n"));
  EXPECT_THAT(errors_of(reader_.example()), IsEmpty());
}

TEST_F(ConfigReaderTest, O8_AReloadAppliesLiveKeysOnly) {
  ASSERT_THAT(errors_of("name: a\npool: {workers: 1, wait_ms: 100}\n"), IsEmpty());
  const ConfigTexts running = reader_.texts();
  ASSERT_THAT(errors_of("name: b\npool: {workers: 2, wait_ms: 200}\nnet: {peers: [c]}\n"), IsEmpty());
  const ConfigChanges changes = reader_.reload(running, ConfigTexts(reader_.texts()));
  EXPECT_THAT(changes.applied, ElementsAre("pool.workers", "net.peers"));
  EXPECT_THAT(changes.need_restart, ElementsAre("name", "pool.wait_ms"));
  EXPECT_EQ(config_.name, "a");
  EXPECT_EQ(config_.workers, 2);
  EXPECT_EQ(config_.wait, Duration(100));
  EXPECT_THAT(config_.peers, ElementsAre("c"));
}

TEST_F(ConfigReaderTest, O8_AKeyThatIsGoneIsAtItsDefaultAfterAReload) {
  ASSERT_THAT(errors_of("name: a\npool: {workers: 1}\n"), IsEmpty());
  const ConfigTexts running = reader_.texts();
  ASSERT_THAT(errors_of("name: a\n"), IsEmpty());
  EXPECT_THAT(reader_.reload(running, ConfigTexts(reader_.texts())).applied, ElementsAre("pool.workers"));
  EXPECT_EQ(config_.workers, 4);
}

// The second reload compares with what the process has, not with what the file had.
TEST_F(ConfigReaderTest, O8_WhatNeedsARestartIsReportedUntilThen) {
  ASSERT_THAT(errors_of("name: a\n"), IsEmpty());
  const ConfigTexts running = reader_.texts();
  ASSERT_THAT(errors_of("name: b\n"), IsEmpty());
  const ConfigTexts read = reader_.texts();
  EXPECT_THAT(reader_.reload(running, read).need_restart, ElementsAre("name"));
  EXPECT_THAT(reader_.reload(ConfigTexts(reader_.texts()), read).need_restart, ElementsAre("name"));
  EXPECT_THAT(reader_.reload(ConfigTexts(reader_.texts()), running).need_restart, IsEmpty());
}

TEST(ConfigChanges, O8_AreOneSentence) {
  EXPECT_EQ(to_string(ConfigChanges{}), "nothing has changed");
  EXPECT_EQ(to_string(ConfigChanges{{"a"}, {}}), "a is applied");
  EXPECT_EQ(to_string(ConfigChanges{{}, {"a", "b"}}), "a, b need a restart");
  EXPECT_EQ(to_string(ConfigChanges{{"a", "b"}, {"c"}}), "a, b are applied; c needs a restart");
}

TEST(ConfigReaderTable, ADefaultThatIsWrongIsOurOwnMistake) {
  int value = 0;
  ConfigReader reader;
  reader.number("value", value, 0, 1, 9, "Out of range.");
  EXPECT_THROW((void)reader.read_text("", "test.yaml"), std::logic_error);
}

}  // namespace
}  // namespace callpark
