// The running timers of all transactions. All their durations are from a small set, and timers of one duration end in
// the order of their start, so each duration has a queue: starting and stopping are O(1).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "parkd/transaction/transaction_timers.h"

namespace callpark::sip {

/// One timer, a member of its owner. Its destructor stops it, so the queues must outlive it.
class Timer {
 public:
  explicit Timer(std::uint64_t the_owner) noexcept : owner(the_owner) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  void stop() noexcept;
  bool is_running() const noexcept { return previous_ != nullptr; }

  const std::uint64_t owner;
  TimerName name{};

 private:
  friend class TimerQueues;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  MonotonicTime deadline_;
};

class TimerQueues {
 public:
  TimerQueues() = default;
  TimerQueues(const TimerQueues&) = delete;
  TimerQueues& operator=(const TimerQueues&) = delete;

  /// Starts `timer`, again if it runs. `now` must not go back between calls.
  void start(Timer& timer, TimerName name, Duration delay, MonotonicTime now);
  /// Returns when the first timer ends; none if none runs.
  std::optional<MonotonicTime> next_deadline() const noexcept;
  /// Stops and returns the timer that ended first; null if none has ended at `now`.
  Timer* take_due(MonotonicTime now) noexcept;

 private:
  struct Queue {
    explicit Queue(Duration the_delay) : delay(the_delay), ring(0) { ring.previous_ = ring.next_ = &ring; }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;
    bool is_empty() const noexcept { return ring.next_ == &ring; }

    const Duration delay;
    Timer ring;
  };

  Queue& queue(Duration delay);
  const Queue* first() const noexcept;

  std::vector<std::unique_ptr<Queue>> queues_;
};

}  // namespace callpark::sip
