// parkd and mediad under a service manager: what they report to it, and what a reload changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/component/mediad_fixture.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/notify_socket.h"

namespace callpark::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// Ten messages fit into the socket, and a daemon waits for a place: the watchdog is fed once a second.
constexpr const char* kWatchdogUs = "3000000";

class Notified {
 protected:
  /// The next message with these words; empty if none comes.
  std::string await(const std::string& part) {
    std::string message;
    wait_until(kSoon, [&] { return !(message = systemd_.find(part)).empty(); });
    return message;
  }

  NotifySocket systemd_;
};

// ---- parkd ----

class ParkdService : public testing::Test, protected Notified {
 protected:
  ParkdService() {
    write_file(directory_.path() / "password", database_.password() + "\n");
    write_config("");
  }
  ~ParkdService() override {
    if (HasFailure()) std::fputs(parkd_.output().c_str(), stderr);
  }

  std::filesystem::path config() const { return directory_.path() / "parkd.yaml"; }
  void write_config(const std::string& more, const std::string& node_name = "node-1") {
    const std::string local = "127.0.0.1:";
    write_file(config(), "node_name: " + node_name + "\nsip: {listen: " + local + std::to_string(ports_.base() + 2) +
                             "}\nkamailio: {inside: " + local + std::to_string(ports_.base() + 1) +
                             "}\nhttp: {listen: " + local + std::to_string(ports_.base() + 3) +
                             "}\nmediad: {control: " + (directory_.path() / "mediad.sock").string() +
                             "}\ndatabase: {socket: " + database_.socket().string() +
                             ", password_file: " + (directory_.path() / "password").string() + "}\n" + more);
  }
  void start(const std::string& watchdog_us = kWatchdogUs) {
    parkd_ = Subprocess({.command = {(program_directory() / "parkd").string(), "--config", config().string()},
                         .output = directory_.path() / "parkd.log",
                         .environment = {"NOTIFY_SOCKET=" + systemd_.name(), "WATCHDOG_USEC=" + watchdog_us}});
  }
  testing::AssertionResult logs(const std::string& part) {
    if (wait_until(kSoon, [&] { return parkd_.output().find(part) != std::string::npos; })) {
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "the log has no " << part;
  }

  TempDir directory_{"service"};
  PortBlock ports_;
  MariadbServer database_;
  Subprocess parkd_;
};

TEST_F(ParkdService, O8_IsReadyOnceItsCallsAreReadAndStopsOnASignal) {
  database_.stop();
  start();
  EXPECT_THAT(await("STATUS="), HasSubstr("the calls in the database are not read yet"));
  EXPECT_FALSE(await("WATCHDOG=1").empty()) << "the loop turns while parkd waits";
  database_.start();
  EXPECT_THAT(await("READY=1"), StartsWith("READY=1\nSTATUS=0 calls, 0 of them parked; mediad is not connected"));
  parkd_.signal(SIGTERM);
  EXPECT_EQ(await("STOPPING=1"), "STOPPING=1\nSTATUS=stops; 0 calls wait for the next parkd");
  EXPECT_EQ(parkd_.wait(kSoon), 0);
}

TEST_F(ParkdService, O8_AStoppedProcessFeedsNoWatchdog) {
  start("300000");
  EXPECT_FALSE(await("READY=1").empty());
  EXPECT_EQ(await("WATCHDOG=1"), "WATCHDOG=1");
  parkd_.pause();
  systemd_.forget();
  EXPECT_TRUE(holds_for(std::chrono::milliseconds(400), [this] { return systemd_.receive().empty(); }));
  parkd_.resume();
  EXPECT_EQ(await("WATCHDOG=1"), "WATCHDOG=1");
}

TEST_F(ParkdService, O8_AReloadAppliesWhatItCanAndNamesTheRest) {
  start();
  EXPECT_FALSE(await("READY=1").empty());
  write_config("log_level: debug\npark: {music_retry_ms: 501}\n", "node-2");
  parkd_.signal(SIGHUP);
  EXPECT_THAT(await("RELOADING=1"), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_FALSE(await("READY=1").empty());
  EXPECT_TRUE(logs("is read again: log_level, park.music_retry_ms are applied; node_name needs a restart"));
}

TEST_F(ParkdService, O8_AFileWithErrorsChangesNothing) {
  start();
  EXPECT_FALSE(await("READY=1").empty());
  write_config("log_level: debug\npark: {music_retry_ms: soon}\n");
  parkd_.signal(SIGHUP);
  EXPECT_FALSE(await("RELOADING=1").empty());
  EXPECT_FALSE(await("READY=1").empty()) << "it serves as before";
  EXPECT_TRUE(logs("parkd.yaml:8: park.music_retry_ms must be"));
  EXPECT_TRUE(logs("parkd.yaml has errors and is not applied"));
  EXPECT_THAT(parkd_.output(), Not(HasSubstr("is read again")));
}

TEST_F(ParkdService, O8_CheckConfigReportsWhatAStartWouldRefuse) {
  const auto check = [this] {
    return run_command({(program_directory() / "parkd").string(), "--check-config", "--config", config().string()});
  };
  EXPECT_EQ(check().exit_code, 0);
  EXPECT_THAT(check().output, IsEmpty());
  std::filesystem::remove(directory_.path() / "password");
  EXPECT_EQ(check().exit_code, 2);
  EXPECT_THAT(check().output, HasSubstr("database.password_file: "));
}

// ---- mediad ----

/// For mediad, which the fixture starts.
class NotifiedByEnvironment : protected Notified {
 protected:
  NotifiedByEnvironment() {
    setenv("NOTIFY_SOCKET", systemd_.name().c_str(), 1);
    setenv("WATCHDOG_USEC", kWatchdogUs, 1);
  }
  ~NotifiedByEnvironment() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }
};

class MediadService : protected NotifiedByEnvironment, public Mediad {
 protected:
  void reload_with(const std::string& before, const std::string& after) {
    std::string text = read_file(config());
    const auto at = text.find(before);
    ASSERT_NE(at, std::string::npos);
    write_file(config(), text.replace(at, before.size(), after));
    process_.signal(SIGHUP);
    EXPECT_FALSE(await("RELOADING=1").empty());
    EXPECT_FALSE(await("READY=1").empty());
  }
};

TEST_F(MediadService, O8_IsReadyOnceItListensAndStopsOnASignal) {
  EXPECT_EQ(await("READY=1"), "READY=1\nSTATUS=0 sessions");
  EXPECT_EQ(await("WATCHDOG=1"), "WATCHDOG=1");
  process_.signal(SIGTERM);
  EXPECT_THAT(await("STOPPING=1"), StartsWith("STOPPING=1\nSTATUS=stops; 0 sessions end"));
  EXPECT_EQ(process_.wait(kSoon), 0);
}

TEST_F(MediadService, O8_AReloadLowersTheNumberOfSessions) {
  Ear ear;
  open(request("s1", ear, media::Music{"default"}));
  reload_with("max: " + std::to_string(kSessionsMax), "max: 1");
  const auto second = client().ask(request("s2", ear, media::Music{"default"}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, media::ErrorCode::kTooManySessions);
  EXPECT_GT(ear.next(5).size(), 0U) << "the first goes on";
}

TEST_F(MediadService, O8_AReloadExchangesTheProgramThatSpeaks) {
  const auto program = directory_.path() / "other_program";
  write_file(program, "#!/bin/bash\nexec /bin/false\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  reload_with(text_command().string(), program.string());
  const auto answer = client().ask(media::TextPrepare{"en", "Hello"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("other_program"));
}

TEST_F(MediadService, O8_AFileWithErrorsChangesNothing) {
  reload_with("connections_max: 3", "connections_max: many");
  EXPECT_THAT(process_.output(), HasSubstr("mediad.yaml has errors and is not applied"));
}

}  // namespace
}  // namespace callpark::test
