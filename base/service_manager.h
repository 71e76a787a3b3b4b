// Reports to the service manager that has started this process what it does: systemd, by sd_notify(3). A process that
// was started by anything else reports nothing.
#pragma once

#include <string>

#include "base/event_loop.h"

namespace callpark {

/// Loop's thread only.
class ServiceManager {
 public:
  /// Feeds the watchdog, if the service manager has one for this process, whenever a third of its time has passed and
  /// the loop gets to its timers. A loop that is blocked for the whole time has its process killed and started anew.
  explicit ServiceManager(EventLoop& loop);

  /// A status is what an operator reads of a running service, as one sentence without its full stop.
  void report_ready(const std::string& status);
  /// Until the next report_ready(), which a reload ends with.
  void report_reloading();
  void report_stopping(const std::string& status);
  /// Is repeated at no cost: only a status that is not the last one is sent.
  void report_status(const std::string& status);

 private:
  LoopHandle watchdog_;
  std::string status_;
};

}  // namespace callpark
