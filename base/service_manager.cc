#include "base/service_manager.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "base/log.h"

namespace callpark {
namespace {

void notify(const std::string& state) {
  // sd_notify(3): 0 if there is no service manager.
  const int result = sd_notify(0, state.c_str());
  if (result < 0) log_warning("", "systemd cannot be notified: {}", std::strerror(-result));
}

}  // namespace

ServiceManager::ServiceManager(EventLoop& loop) {
  std::uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) <= 0) return;
  watchdog_ = loop.every(std::max(Duration(1), Duration(watchdog_us / 3000)), [] { notify("WATCHDOG=1"); });
}

void ServiceManager::report_ready(const std::string& status) {
  status_ = status;
  notify("READY=1\nSTATUS=" + status);
}

void ServiceManager::report_reloading() {
  using std::chrono::microseconds;
  const auto now = std::chrono::duration_cast<microseconds>(monotonic_now().time_since_epoch());
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceManager::report_stopping(const std::string& status) {
  status_ = status;
  notify("STOPPING=1\nSTATUS=" + status);
}

void ServiceManager::report_status(const std::string& status) {
  if (status == status_) return;
  status_ = status;
  notify("STATUS=" + status);
}

}  // namespace callpark
