// ./run as a user has it, with its own database and servers, on ports of this test. The programs are those that the
// tests are built with: CALLPARK_PRESET names their build directory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <regex>

#include "tests/support/packet_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;

class RunScript : public testing::Test {
 protected:
  Subprocess run(std::vector<std::string> arguments) { return run_at(ports_, "output", std::move(arguments)); }
  Subprocess run_at(const PortBlock& ports, const std::string& output, std::vector<std::string> arguments) {
    std::vector<std::string> command = {(source_directory() / "run").string(), "--ports", std::to_string(ports.base())};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return Subprocess(
        {.command = command,
         .output = directory_.path() / output,
         .environment = {"CALLPARK_PRESET=" + std::filesystem::path(CALLPARK_BINARY_DIR).filename().string()},
         .patience = seconds(20)});
  }
  [[nodiscard]] static bool is_ready(const Subprocess& idle, const std::string& address = "127.0.0.1") {
    const std::string line = "\nready sip=" + address + ":";
    return wait_until(seconds(180), [&] { return idle.output().find(line) != std::string::npos; });
  }
  /// Whether a process is left that has this run's directory in its command line.
  [[nodiscard]] bool something_is_left() const {
    return Subprocess({.command = {"pgrep", "--full", "--", (directory_.path() / "kept").string()}}).wait(seconds(5)) !=
           1;
  }

  TempDir directory_;
  PortBlock ports_;
};

TEST_F(RunScript, O1_B6_OnceShowsACallParkedRetrievedAndChargedAndEndsWithZero) {
  Subprocess once = run({"--once", "--dir", (directory_.path() / "kept").string()});
  EXPECT_EQ(once.wait(seconds(300)), 0) << once.output();
  EXPECT_THAT(once.output(), testing::ContainsRegex("packets a second|packets/s")) << once.output();
  EXPECT_THAT(once.output(), testing::ContainsRegex("-- logs are in .*/kept/log\n-- packages\n")) << "X65";
  EXPECT_THAT(once.output(), testing::ContainsRegex("\n-- up after [0-9]+ ")) << "X65";
  EXPECT_THAT(once.output(), testing::Not(testing::HasSubstr("messages:"))) << "X65: they are behind --messages";
  for (const char* asked_or_charged : {" incoming_call +101 +\\{\"decision\": \"allow\"\\}",
                                       " park +101 +\\{\"decision\": \"allow\", \"max_park_seconds\": ",
                                       " retrieve +103 +\\{\"decision\": \"allow\"\\}", " park +101 +[0-9.]+ +0\\.06 ",
                                       " talk +103 +[0-9.]+ +0\\.[0-9]*[1-9] "}) {
    EXPECT_THAT(once.output(), testing::ContainsRegex(asked_or_charged));
  }
  EXPECT_FALSE(something_is_left());
}

TEST_F(RunScript, O1_IdleSaysWhenItIsReadyAndLeavesNothingRunning) {
  Subprocess idle = run({"--idle", "--dir", (directory_.path() / "kept").string()});
  EXPECT_TRUE(is_ready(idle)) << idle.output();
  EXPECT_TRUE(something_is_left());
  // docs/billing.md promises both to an integrator.
  const std::string settings = read_file(directory_.path() / "kept" / "etc" / "parkd.yaml");
  EXPECT_THAT(settings, testing::HasSubstr("\nbilling:\n  permitted_networks: \"127.0.0.1\"\n"));
  EXPECT_THAT(settings, testing::HasSubstr("\nwebhooks:\n  permitted_networks: \"127.0.0.1\"\n"));
  idle.signal(SIGTERM);
  EXPECT_TRUE(idle.wait(seconds(30)).has_value()) << idle.output();
  EXPECT_FALSE(something_is_left());
}

TEST_F(RunScript, O1_TracePrintsTheLifeOfACallFromLogsAndDatabase) {
  const std::filesystem::path kept = directory_.path() / "kept";
  Subprocess stays = run({"--dir", kept.string()});
  const auto is_up = [&] { return stays.output().find("All processes run.") != std::string::npos; };
  ASSERT_TRUE(wait_until(seconds(300), [&] { return is_up() || !stays.running(); }) && is_up()) << stays.output();
  std::smatch parked;
  const std::string log = read_file(kept / "log" / "parkd.log");
  ASSERT_TRUE(std::regex_search(log, parked, std::regex(R"(\[(\S+)\] \{.*"event":"retrieved")"))) << log;
  const std::vector<std::string> command = {(source_directory() / "tools" / "trace").string(), parked[1], "--dir",
                                            kept.string()};
  const auto with_database = run_command(command);
  EXPECT_EQ(with_database.exit_code, 0);
  EXPECT_THAT(
      with_database.output,
      testing::ContainsRegex("sql +event parked, .*\n(.*\n)*.*sql +event retrieved, orbit 104, .*taken_by 103"));
  stays.signal(SIGTERM);
  ASSERT_TRUE(stays.wait(seconds(60)).has_value());

  const auto from_logs = run_command(command);
  EXPECT_EQ(from_logs.exit_code, 0);
  EXPECT_THAT(from_logs.output, Not(testing::HasSubstr("sql ")));
  std::string::size_type at = 0;
  for (const char* fact : {"kamailio  INVITE from ", "mediad    park-", "session opened on port ",
                           "is stored: at 104, media session park-", "kamailio  INVITE from ",
                           "is stored: retrieved by 103, peer ", "BYE from "}) {
    const auto found = from_logs.output.find(fact, at);
    ASSERT_NE(found, std::string::npos) << fact << " does not follow in\n" << from_logs.output;
    at = found + 1;
  }
  EXPECT_THAT(from_logs.output, testing::ContainsRegex("mediad    park-[a-z0-9]+: session closed: [1-9]"));

  const auto nothing = run_command({command[0], "no-such-call", "--dir", kept.string()});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.output, testing::HasSubstr("is about the call no-such-call"));
}

TEST_F(RunScript, X39_OnlyItsUserReadsTheFilesOfARunAndReachesItsDatabase) {
  namespace fs = std::filesystem;
  const fs::path kept = directory_.path() / "kept";
  // As an earlier version has left them.
  for (const char* part : {"etc", "log", "run"}) {
    fs::create_directories(kept / part);
    fs::permissions(kept / part, fs::perms(0755));
  }
  Subprocess idle = run({"--idle", "--dir", kept.string()});
  ASSERT_TRUE(is_ready(idle)) << idle.output();
  const auto others = fs::perms::group_all | fs::perms::others_all;
  for (const char* part : {"etc", "log", "mysql", "mysql-tmp", "run"}) {
    EXPECT_EQ(fs::status(kept / part).permissions() & others, fs::perms::none) << part;
  }
  for (const auto& file : fs::directory_iterator(kept / "etc")) {
    EXPECT_EQ(file.status().permissions() & others, fs::perms::none) << file.path();
  }
  for (const char* log : {"kamailio.log", "mariadb.log", "parkd.log", "mediad.log"}) {
    EXPECT_EQ(fs::status(kept / "log" / log).permissions() & others, fs::perms::none) << log;
  }
}

TEST_F(RunScript, X66_PhonesRegisterAtTheAddressThatWasGiven) {
  const LoopbackAddress address;
  const LoopbackAddress phone_address;
  Subprocess idle = run({"--idle", "--dir", (directory_.path() / "kept").string(), "--address", address.text()});
  ASSERT_TRUE(is_ready(idle, address.text())) << idle.output();
  PacketPhone phone({.user = "101",
                     .password = "demo-101",
                     .address = phone_address.text(),
                     .proxy = {address.text(), ports_.base()}});
  EXPECT_NO_THROW(phone.register_phone());
  EXPECT_THAT(read_file(directory_.path() / "kept" / "etc" / "mediad.yaml"),
              testing::HasSubstr("\n  address: \"" + address.text() + "\"\n"));
}

TEST_F(RunScript, X66_AnAddressOfAnotherMachineIsRefused) {
  for (const char* address : {"192.0.2.250", "::1", "pbx.example"}) {
    Subprocess wrong = run({"--idle", "--address", address});
    EXPECT_EQ(wrong.wait(seconds(10)), 1);
    EXPECT_THAT(wrong.output(), testing::HasSubstr("--address needs an IPv4 address of this machine"));
  }
}

TEST_F(RunScript, X64_ADirectoryThatAConfigurationCannotNameIsRefused) {
  for (const char* name : {"two words", "a\"quote", "what!"}) {
    const auto place = directory_.path() / name;
    Subprocess wrong = run({"--idle", "--dir", place.string()});
    EXPECT_EQ(wrong.wait(seconds(10)), 1);
    EXPECT_THAT(
        wrong.output(),
        testing::EndsWith("run: '" + place.string() +
                          "': the directory of this source tree and --dir may have letters, digits and /._+- only\n"));
    EXPECT_FALSE(std::filesystem::exists(place));
  }
}

TEST_F(RunScript, O1_ASwitchThatItDoesNotKnowIsRefused) {
  Subprocess wrong = run({"--onse"});
  EXPECT_EQ(wrong.wait(seconds(10)), 2);
}

TEST_F(RunScript, X61_ASecondRunOnTheSamePortsIsRefusedBeforeItStartsAnything) {
  Subprocess first = run({"--idle", "--dir", (directory_.path() / "kept").string()});
  ASSERT_TRUE(is_ready(first)) << first.output();
  Subprocess second = run_at(ports_, "second", {"--once", "--dir", (directory_.path() / "second-kept").string()});
  EXPECT_EQ(second.wait(seconds(300)), 1) << second.output();
  EXPECT_THAT(
      second.output(),
      testing::MatchesRegex("run: udp:127.0.0.1:[0-9]+ is used by kamailio \\(process [0-9]+\\): end that, or choose "
                            "other ports with --ports N\n"));
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "second-kept"));
  EXPECT_TRUE(first.running());
  EXPECT_EQ(first.output().find("died"), std::string::npos) << first.output();
}

TEST_F(RunScript, X61_ASecondRunInTheSameDirectoryIsRefusedBeforeItStartsAnything) {
  const std::string kept = (directory_.path() / "kept").string();
  Subprocess first = run({"--idle", "--dir", kept});
  ASSERT_TRUE(is_ready(first)) << first.output();
  const PortBlock other_ports;
  Subprocess second = run_at(other_ports, "second", {"--once", "--dir", kept});
  EXPECT_EQ(second.wait(seconds(300)), 1) << second.output();
  EXPECT_THAT(second.output(), testing::MatchesRegex("run: .*/kept belongs to another run that is still up: end that "
                                                     "run, or choose another --dir\n"));
  EXPECT_TRUE(first.running());
  EXPECT_EQ(first.output().find("died"), std::string::npos) << first.output();
}

}  // namespace
}  // namespace callpark::test
