#include "base/service_manager.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "tests/support/notify_socket.h"
#include "tests/unit/base/loop_fixture.h"

namespace callpark {
namespace {

using testing::MatchesRegex;

class ServiceManagerTest : public LoopFixture {
 protected:
  ServiceManagerTest() {
    setenv("NOTIFY_SOCKET", systemd_.name().c_str(), 1);
    setenv("WATCHDOG_USEC", "30000", 1);
  }
  ~ServiceManagerTest() override {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }

  // A service manager that has no watchdog for this process.
  ServiceManager without_watchdog() {
    unsetenv("WATCHDOG_USEC");
    return ServiceManager(loop_);
  }
  void await_watchdog() {
    run_until([this] { return systemd_.find("WATCHDOG=1") == "WATCHDOG=1"; });
  }

  test::NotifySocket systemd_;
};

TEST_F(ServiceManagerTest, O8_ReadyReloadingAndStoppingAreReported) {
  ServiceManager manager = without_watchdog();
  manager.report_ready("2 calls");
  EXPECT_EQ(systemd_.receive(), "READY=1\nSTATUS=2 calls");
  manager.report_reloading();
  EXPECT_THAT(systemd_.receive(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  manager.report_stopping("bye");
  EXPECT_EQ(systemd_.receive(), "STOPPING=1\nSTATUS=bye");
}

// systemd compares it with the time at which it asked for the reload.
TEST_F(ServiceManagerTest, O8_AReloadHasTheTimeOfTheMonotonicClock) {
  ServiceManager manager = without_watchdog();
  const auto before = monotonic_now();
  manager.report_reloading();
  const std::string message = systemd_.receive();
  const MonotonicTime reported(std::chrono::microseconds(std::stoll(message.substr(message.rfind('=') + 1))));
  EXPECT_GE(reported + std::chrono::microseconds(1), before);
  EXPECT_LE(reported, monotonic_now());
}

TEST_F(ServiceManagerTest, O8_AStatusIsSentOnce) {
  ServiceManager manager = without_watchdog();
  manager.report_status("2 calls");
  EXPECT_EQ(systemd_.receive(), "STATUS=2 calls");
  manager.report_status("2 calls");
  EXPECT_EQ(systemd_.receive(), "");
  manager.report_status("3 calls");
  EXPECT_EQ(systemd_.receive(), "STATUS=3 calls");
}

TEST_F(ServiceManagerTest, O8_ABlockedLoopFeedsNoWatchdog) {
  const ServiceManager manager(loop_);
  await_watchdog();
  await_watchdog();
  bool was_fed = true;
  loop_.post([&] {
    systemd_.forget();
    const auto end = monotonic_now() + Duration(100);  // three times the watchdog's
    while (monotonic_now() < end) {
    }
    was_fed = !systemd_.receive().empty();
  });
  await_watchdog();
  EXPECT_FALSE(was_fed);
}

TEST_F(ServiceManagerTest, O8_WithoutAWatchdogNoneIsFed) {
  const ServiceManager manager = without_watchdog();
  bool has_passed = false;
  const LoopHandle end = loop_.after(Duration(50), [&] { has_passed = true; });
  run_until([&] { return has_passed; });
  EXPECT_EQ(systemd_.receive(), "");
}

TEST_F(ServiceManagerTest, O8_WithoutAServiceManagerNothingIsReported) {
  unsetenv("NOTIFY_SOCKET");
  ServiceManager manager = without_watchdog();
  testing::internal::CaptureStderr();
  manager.report_ready("2 calls");
  manager.report_stopping("bye");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(systemd_.receive(), "");
}

}  // namespace
}  // namespace callpark
