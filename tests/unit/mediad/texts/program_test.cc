#include "mediad/texts/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mediad/texts/descriptor.h"
#include "tests/unit/mediad/texts/texts_directory.h"

namespace callpark::media {
namespace {

using testing::Optional;
using testing::SizeIs;
using testing::StartsWith;

class Program : public TextsDirectory {
 protected:
  static std::optional<std::string> run(std::vector<std::string> command, const std::string& input = "",
                                        Duration time_max = Duration(60'000), int stop = -1) {
    return run_program({std::move(command), input, time_max, stop});
  }
  std::optional<std::string> run_script(const std::string& commands, Duration time_max = Duration(60'000)) {
    return run({write_script("script", commands)}, "", time_max);
  }
};

TEST_F(Program, F7_ItReadsItsInput) {
  const std::string text = "--help \"Grüß\" '$(id)' `id` \\ " + std::string(1000, '-');
  EXPECT_EQ(run({write_script("script", "cat >\"$1\""), at("copy")}, text), std::nullopt);
  EXPECT_EQ(read("copy"), text);
}

TEST_F(Program, F7_NoShellReadsItsArguments) {
  const std::string argument = "$(touch " + at("touched") + "); 'a' \"b\" *";
  EXPECT_EQ(run({write_script("script", "printf %s \"$1\" >\"$2\""), argument, at("copy")}), std::nullopt);
  EXPECT_EQ(read("copy"), argument);
  EXPECT_FALSE(std::filesystem::exists(at("touched")));
}

TEST_F(Program, F7_AFailureHasTheLastLineOfItsErrors) {
  EXPECT_EQ(run_script("echo first >&2\necho second >&2\nexit 3"), "ended with 3: second");
  EXPECT_EQ(run_script("exit 4"), "ended with 4");
  EXPECT_EQ(run_script("printf 'a\\tb\\377' >&2\nexit 1"), "ended with 1: a b\xef\xbf\xbd");
  EXPECT_EQ(run_script("kill -SEGV $$"), "was ended by signal 11");
}

TEST_F(Program, F7_ManyErrorsDoNotStopIt) {
  EXPECT_EQ(
      run_script("i=0\nwhile [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 >&2; i=$((i+1)); done\n"
                 "echo end >&2\nexit 1"),
      "ended with 1: end");
}

TEST_F(Program, F7_WhatIsNoProgramCannotBeStarted) {
  EXPECT_EQ(run({at("nothing")}), "cannot be started: No such file or directory");
  EXPECT_EQ(run({write("text", "no program")}), "cannot be started: Permission denied");
  EXPECT_THAT(run({"/bin/cat"}, std::string(4097, 'a')), Optional(StartsWith("cannot be started: ")));
}

TEST_F(Program, F7_AHangingProgramIsEndedWithItsChildren) {
  EXPECT_EQ(run_script("sleep 1000 &\necho $! $$ >$d/pids\nwait", Duration(1000)), "has not ended within 1 s");
  ASSERT_THAT(pids("pids"), SizeIs(2));
  EXPECT_TRUE(all_end(pids("pids")));
}

TEST_F(Program, F7_WhatItLeavesBehindIsEnded) {
  EXPECT_EQ(run_script("sleep 1000 &\necho $! >$d/pids"), std::nullopt);
  ASSERT_THAT(pids("pids"), SizeIs(1));
  EXPECT_TRUE(all_end(pids("pids")));
}

TEST_F(Program, F7_ItEndsWhenMediadEnds) {
  const Descriptor stop(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  EXPECT_EQ(run({write_script("script", "sleep 1000")}, "", Duration(60'000), stop.get()),
            "was ended, since mediad ends");
}

TEST_F(Program, F7_ItInheritsNoDescriptor) {
  const Descriptor open_here(eventfd(0, 0));
  ASSERT_GT(open_here.get(), 2);
  EXPECT_EQ(run_script("[ ! -e /proc/$$/fd/" + std::to_string(open_here.get()) + " ]"), std::nullopt);
}

}  // namespace
}  // namespace callpark::media
