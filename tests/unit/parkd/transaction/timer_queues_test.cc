#include "parkd/transaction/timer_queues.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace callpark::sip {
namespace {

using std::chrono::milliseconds;

const MonotonicTime kStart{std::chrono::hours(1)};

TEST(TimerQueues, TimersComeOutInTheOrderOfTheirDeadlines) {
  TimerQueues queues;
  Timer slow(1);
  Timer fast(2);
  Timer later(3);
  queues.start(slow, TimerName::kB, milliseconds(100), kStart);
  queues.start(fast, TimerName::kA, milliseconds(50), kStart);
  queues.start(later, TimerName::kA, milliseconds(50), kStart + milliseconds(60));
  EXPECT_EQ(queues.next_deadline(), kStart + milliseconds(50));
  EXPECT_EQ(queues.take_due(kStart + milliseconds(49)), nullptr);
  EXPECT_EQ(queues.take_due(kStart + milliseconds(200)), &fast);
  EXPECT_EQ(queues.take_due(kStart + milliseconds(200)), &slow);
  EXPECT_EQ(slow.name, TimerName::kB);
  EXPECT_FALSE(slow.is_running());
  EXPECT_EQ(queues.take_due(kStart + milliseconds(200)), &later);
  EXPECT_EQ(queues.take_due(kStart + milliseconds(200)), nullptr);
  EXPECT_EQ(queues.next_deadline(), std::nullopt);
}

TEST(TimerQueues, AStoppedOrDestroyedTimerDoesNotComeOut) {
  TimerQueues queues;
  Timer stopped(1);
  queues.start(stopped, TimerName::kA, milliseconds(1), kStart);
  {
    Timer destroyed(2);
    queues.start(destroyed, TimerName::kA, milliseconds(1), kStart);
  }
  stopped.stop();
  stopped.stop();
  EXPECT_EQ(queues.next_deadline(), std::nullopt);
}

TEST(TimerQueues, ATimerStartedAgainCountsFromThen) {
  TimerQueues queues;
  Timer timer(1);
  queues.start(timer, TimerName::kA, milliseconds(10), kStart);
  queues.start(timer, TimerName::kA, milliseconds(20), kStart + milliseconds(5));
  EXPECT_EQ(queues.next_deadline(), kStart + milliseconds(25));
}

TEST(TimerQueues, AnyMixtureComesOutSorted) {
  std::mt19937 random(7);
  TimerQueues queues;
  std::vector<std::unique_ptr<Timer>> timers;
  std::size_t running = 0;
  MonotonicTime now = kStart;
  for (int i = 0; i < 2000; ++i) {
    now += milliseconds(random() % 3);
    timers.push_back(std::make_unique<Timer>(static_cast<std::uint64_t>(i)));
    queues.start(*timers.back(), TimerName::kA, milliseconds(100 << random() % 6), now);
    ++running;
    Timer& victim = *timers[random() % timers.size()];
    if (random() % 3 == 0 && victim.is_running()) {
      victim.stop();
      --running;
    }
  }
  MonotonicTime last = kStart;
  while (const auto deadline = queues.next_deadline()) {
    EXPECT_GE(*deadline, last);
    last = *deadline;
    ASSERT_NE(queues.take_due(*deadline), nullptr);
    --running;
  }
  EXPECT_EQ(running, 0U);
}

}  // namespace
}  // namespace callpark::sip
