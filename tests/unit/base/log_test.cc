#include "base/log.h"

#include <gmock/gmock.h>

#include <string>

namespace callpark {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override { set_log_level(LogLevel::kInfo); }

  template <class Write>
  std::string written(Write write) {
    testing::internal::CaptureStderr();
    write();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, ALineHasTimeLevelCallAndSentence) {
  const std::string line = written([] { log_info("abc@phone", "parked at {} by {}", 102, "101"); });
  EXPECT_THAT(line, MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z info +"
                                 "\\[abc@phone\\] parked at 102 by 101\n"));
}

TEST_F(LogTest, ALineAboutNoCallHasNoBrackets) {
  EXPECT_THAT(written([] { log_error({}, "the database is away"); }), HasSubstr(" the database is away\n"));
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  set_log_level(LogLevel::kWarning);
  EXPECT_EQ(written([] { log_info({}, "quiet"); }), "");
  EXPECT_THAT(written([] { log_warning({}, "loud"); }), HasSubstr("loud"));
}

TEST_F(LogTest, OffWritesNothing) {
  set_log_level(LogLevel::kOff);
  EXPECT_EQ(written([] { log_error({}, "nothing"); }), "");
}

TEST_F(LogTest, WhatIsNotWrittenIsNotFormatted) {
  set_log_level(LogLevel::kError);
  log_debug({}, "{}", 1);
  EXPECT_FALSE(log_enabled(LogLevel::kDebug));
  EXPECT_TRUE(log_enabled(LogLevel::kError));
}

TEST_F(LogTest, APeersBytesCannotForgeALine) {
  const std::string lines = written([] { log_info("id\r\n2024 error", "From: {}", std::string("a\nb\x1b[0m\x7f")); });
  EXPECT_THAT(lines, HasSubstr("[id\\x0d\\x0a2024 error] From: a\\x0ab\\x1b[0m\\x7f\n"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
}

TEST_F(LogTest, LevelsAreReadByName) {
  EXPECT_EQ(log_level_of("debug"), LogLevel::kDebug);
  EXPECT_EQ(log_level_of("warning"), LogLevel::kWarning);
  EXPECT_EQ(log_level_of("Warning"), std::nullopt);
  EXPECT_EQ(log_level_of(""), std::nullopt);
}

}  // namespace
}  // namespace callpark
