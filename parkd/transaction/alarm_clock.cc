#include "parkd/transaction/alarm_clock.h"

#include <utility>

namespace callpark::sip {

void LoopAlarmClock::set_alarm(MonotonicTime when, std::function<void()> ring) {
  // Rounded up: an alarm may be late, but not early.
  timer_ = loop_.after(std::chrono::ceil<Duration>(when - now()), std::move(ring));
}

}  // namespace callpark::sip
