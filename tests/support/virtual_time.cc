#include "tests/support/virtual_time.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace callpark::test {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct State {
  bool is_on = false;
  std::int64_t passed_ns = 0;                 // since it was switched on
  timespec started[CLOCK_TAI + 1]{};          // each clock at that moment
  std::optional<std::int64_t> next_timer_ns;  // on the scale of passed_ns
};
State state;

int real_clock(clockid_t clock, timespec* time) {
  return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
}

}  // namespace

VirtualTime::VirtualTime() {
  if (state.is_on) std::abort();
  state = {};
  for (int clock = 0; clock <= CLOCK_TAI; ++clock) {
    real_clock(clock, &state.started[clock]);
  }
  state.is_on = true;
}

VirtualTime::~VirtualTime() {
  state.is_on = false;
}

Duration VirtualTime::passed() {
  return std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(state.passed_ns));
}

// The program's own definitions replace the C library's, also inside of shared libraries. They must not be
// weak: those of the sanitizers are.
extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (!state.is_on || clock < 0 || clock > CLOCK_TAI) return real_clock(clock, time);
  const std::int64_t ns = state.started[clock].tv_nsec + state.passed_ns;
  time->tv_sec = state.started[clock].tv_sec + ns / kSecond;
  time->tv_nsec = ns % kSecond;
  return 0;
}

// How libevent sleeps: a timer descriptor, set relative to now each time, beside the others of its epoll.
int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* old) noexcept {
  if (!state.is_on) return static_cast<int>(syscall(SYS_timerfd_settime, fd, flags, value, old));
  const std::int64_t ns = value->it_value.tv_sec * kSecond + value->it_value.tv_nsec;
  state.next_timer_ns = ns == 0 ? std::nullopt : std::optional(state.passed_ns + ns);
  return 0;
}

int epoll_wait(int fd, epoll_event* events, int events_max, int timeout_ms) {
  const auto wait = [&](int timeout) {
    return static_cast<int>(syscall(SYS_epoll_pwait, fd, events, events_max, timeout, nullptr, 0));
  };
  if (!state.is_on) return wait(timeout_ms);
  const int ready = wait(0);
  if (ready != 0 || timeout_ms == 0) return ready;
  if (timeout_ms > 0) {
    state.passed_ns += timeout_ms * (kSecond / 1000);
  } else if (state.next_timer_ns) {
    state.passed_ns = std::max(state.passed_ns, *state.next_timer_ns);
    state.next_timer_ns.reset();
  } else {
    std::abort();  // the loop would wait for ever
  }
  return 0;
}

}  // extern "C"

}  // namespace callpark::test
