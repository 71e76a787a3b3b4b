// Time that passes only when the loop has nothing to do, and then jumps to the next timer. With it a test sees the
// timers of minutes and hours that SIP has, in milliseconds and in the same order each time. The loop itself is the
// real one: what is replaced is the kernel's clock and its waiting, for a program of one thread.
#pragma once

#include <chrono>
#include <functional>

#include "base/event_loop.h"

namespace callpark::test {

/// While one lives, time moves by the loop's timers only. One at a time, made before the loop and kept longer.
class VirtualTime {
 public:
  VirtualTime();
  ~VirtualTime();
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  /// Since the beginning.
  static Duration passed();
};

/// Lets time pass on the loop.
inline void pass(EventLoop& loop, Duration duration) {
  const LoopHandle end = loop.after(duration, [&loop] { loop.stop(); });
  loop.run();
}

/// Lets time pass until `fact`, which is asked every few milliseconds; false when it is still not so after `most`.
inline bool pass_until(EventLoop& loop, const std::function<bool()>& fact, Duration most = std::chrono::minutes(5)) {
  if (fact()) return true;
  bool is_so = false;
  const LoopHandle look = loop.every(Duration(5), [&] {
    is_so = fact();
    if (is_so) loop.stop();
  });
  const LoopHandle end = loop.after(most, [&loop] { loop.stop(); });
  loop.run();
  return is_so;
}

}  // namespace callpark::test
