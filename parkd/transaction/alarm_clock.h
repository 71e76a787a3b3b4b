// The time and one alarm. In parkd the transaction layer runs on the loop, in tests on a simulated clock.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/event_loop.h"

namespace callpark::sip {

class AlarmClock {
 public:
  virtual ~AlarmClock() = default;
  virtual MonotonicTime now() const = 0;
  /// Calls `ring` once, not before `when` and never from inside this call. Replaces the alarm set before.
  virtual void set_alarm(MonotonicTime when, std::function<void()> ring) = 0;
  virtual void stop_alarm() = 0;
};

class LoopAlarmClock final : public AlarmClock {
 public:
  explicit LoopAlarmClock(EventLoop& loop) : loop_(loop) {}
  MonotonicTime now() const override { return monotonic_now(); }
  void set_alarm(MonotonicTime when, std::function<void()> ring) override;
  void stop_alarm() override { timer_.reset(); }

 private:
  EventLoop& loop_;
  LoopHandle timer_;
};

}  // namespace callpark::sip
