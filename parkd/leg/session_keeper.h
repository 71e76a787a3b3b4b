// Keeps the session timer of a dialog (RFC 4028): the timers for the refresh, where it is parkd's duty, and for the end
// of a session that nothing refreshes.
#pragma once

#include <functional>
#include <optional>

#include "base/event_loop.h"
#include "parkd/leg/session_timer.h"

namespace callpark::leg {

/// Loop's thread only.
class SessionKeeper {
 public:
  explicit SessionKeeper(EventLoop& loop) : loop_(loop) {}

  struct Handlers {
    /// Called when a refresh is due, and again every 10 s until keep() or stop().
    std::function<void()> refresh;
    std::function<void()> expired;
  };
  /// Starts anew with what the last 2xx agreed to; none ends the timer that ran.
  void keep(const std::optional<SessionTimer>& timer, Handlers handlers);
  void stop();

  const std::optional<SessionTimer>& agreed() const { return agreed_; }
  bool is_running() const { return static_cast<bool>(expiry_); }
  /// To be offered from here on; the timers go on as they are.
  void assume(const std::optional<SessionTimer>& timer) { agreed_ = timer; }

 private:
  void refresh_after_delay(Duration delay, std::function<void()> refresh);

  EventLoop& loop_;
  std::optional<SessionTimer> agreed_;
  LoopHandle refresh_;
  LoopHandle expiry_;
};

}  // namespace callpark::leg
