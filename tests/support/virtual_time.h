// Time that passes only when the loop has nothing to do, and then jumps to the next timer. With it a test sees the
// timers of minutes and hours that SIP has, in milliseconds and in the same order each time. The loop itself is the
// real one: what is replaced is the kernel's clock and its waiting, for a program of one thread.
#pragma once

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <optional>

#include "base/event_loop.h"

namespace callpark::test {

namespace virtual_time_internal {

constexpr std::int64_t kSecond = 1'000'000'000;

struct State {
  bool is_on = false;
  std::int64_t passed_ns = 0;                 // since it was switched on
  timespec started[CLOCK_TAI + 1]{};          // each clock at that moment
  std::optional<std::int64_t> next_timer_ns;  // on the scale of passed_ns
};
inline State state;

inline int real_clock(clockid_t clock, timespec* time) {
  return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
}

}  // namespace virtual_time_internal

/// While one lives, time stands still but for the loop's timers. One at a time, made before the loop and kept longer.
class VirtualTime {
 public:
  VirtualTime() {
    auto& state = virtual_time_internal::state;
    if (state.is_on) std::abort();
    state = {};
    for (int clock = 0; clock <= CLOCK_TAI; ++clock) {
      virtual_time_internal::real_clock(clock, &state.started[clock]);
    }
    state.is_on = true;
  }
  ~VirtualTime() { virtual_time_internal::state.is_on = false; }
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  /// Since the beginning.
  static Duration passed() {
    return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(virtual_time_internal::state.passed_ns));
  }
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

// The program's own definitions take the place of the C library's, also inside of shared libraries.
extern "C" {

__attribute__((used)) inline int clock_gettime(clockid_t clock, timespec* time) noexcept {
  namespace internal = callpark::test::virtual_time_internal;
  const internal::State& state = internal::state;
  if (!state.is_on || clock < 0 || clock > CLOCK_TAI) return internal::real_clock(clock, time);
  const std::int64_t ns = state.started[clock].tv_nsec + state.passed_ns;
  time->tv_sec = state.started[clock].tv_sec + ns / internal::kSecond;
  time->tv_nsec = ns % internal::kSecond;
  return 0;
}

// How libevent sleeps: a timer descriptor, set relative to now each time, beside the others of its epoll.
__attribute__((used)) inline int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* old) noexcept {
  namespace internal = callpark::test::virtual_time_internal;
  internal::State& state = internal::state;
  if (!state.is_on) return static_cast<int>(syscall(SYS_timerfd_settime, fd, flags, value, old));
  const std::int64_t ns = value->it_value.tv_sec * internal::kSecond + value->it_value.tv_nsec;
  state.next_timer_ns = ns == 0 ? std::nullopt : std::optional(state.passed_ns + ns);
  return 0;
}

__attribute__((used)) inline int epoll_wait(int fd, epoll_event* events, int events_max, int timeout_ms) {
  namespace internal = callpark::test::virtual_time_internal;
  internal::State& state = internal::state;
  const auto wait = [&](int timeout) {
    return static_cast<int>(syscall(SYS_epoll_pwait, fd, events, events_max, timeout, nullptr, 0));
  };
  if (!state.is_on) return wait(timeout_ms);
  const int ready = wait(0);
  if (ready != 0 || timeout_ms == 0) return ready;
  if (timeout_ms > 0) {
    state.passed_ns += timeout_ms * (internal::kSecond / 1000);
  } else if (state.next_timer_ns) {
    state.passed_ns = std::max(state.passed_ns, *state.next_timer_ns);
    state.next_timer_ns.reset();
  } else {
    std::abort();  // the loop would wait for ever
  }
  return 0;
}

}  // extern "C"
