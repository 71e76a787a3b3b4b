#include "base/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

namespace callpark {
namespace {

using std::chrono::milliseconds;

// Ends the loop after `limit`, so that a broken test fails and does not hang.
class EventLoopTest : public testing::Test {
 protected:
  void run() {
    LoopHandle guard = loop_.after(milliseconds(5000), [this] {
      ADD_FAILURE() << "the loop was not stopped in time";
      loop_.stop();
    });
    loop_.run();
  }

  EventLoop loop_;
};

struct SocketPair {
  SocketPair() {
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) std::abort();
  }
  ~SocketPair() {
    close(fds[0]);
    close(fds[1]);
  }
  void put(char c) const { ASSERT_EQ(write(fds[0], &c, 1), 1); }
  char take() const {
    char c = 0;
    return read(fds[1], &c, 1) == 1 ? c : '\0';
  }
  std::array<int, 2> fds{};
};

TEST_F(EventLoopTest, WorkPostedBeforeRunIsDoneInOrder) {
  std::vector<int> done;
  loop_.post([&] { done.push_back(1); });
  loop_.post([&] { done.push_back(2); });
  loop_.post([&] { loop_.stop(); });
  run();
  EXPECT_EQ(done, (std::vector<int>{1, 2}));
}

TEST_F(EventLoopTest, WorkPostedFromAnotherThreadIsDoneOnTheLoopsThreadInOrder) {
  const auto here = std::this_thread::get_id();
  std::vector<int> done;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop_.post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        done.push_back(i);
      });
    }
    loop_.post([&] { loop_.stop(); });
  });
  run();
  other.join();
  ASSERT_EQ(done.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST_F(EventLoopTest, WorkThatPostsItselfAgainDoesNotStarveTimers) {
  bool fired = false;
  std::function<void()> again = [&] { loop_.post(again); };
  loop_.post(again);
  LoopHandle timer = loop_.after(milliseconds(1), [&] {
    fired = true;
    loop_.stop();
  });
  run();
  EXPECT_TRUE(fired);
}

TEST_F(EventLoopTest, StopKeepsTheWorkThatWasNotDoneForTheNextRun) {
  std::vector<int> done;
  loop_.post([&] {
    done.push_back(1);
    loop_.stop();
  });
  loop_.post([&] {
    done.push_back(2);
    loop_.stop();
  });
  run();
  EXPECT_EQ(done, (std::vector<int>{1}));
  run();
  EXPECT_EQ(done, (std::vector<int>{1, 2}));
}

TEST_F(EventLoopTest, StopBeforeRunEndsTheRunAtOnce) {
  loop_.stop();
  run();
}

TEST_F(EventLoopTest, StopFromAnotherThreadEndsRun) {
  std::thread other([&] { loop_.stop(); });
  run();
  other.join();
}

TEST_F(EventLoopTest, X60_AStopFromAnotherThreadAtAnyMomentEndsTheRun) {
  for (int i = 0; i < 500; ++i) {
    std::thread other([&] { loop_.stop(); });
    run();
    other.join();
    ASSERT_FALSE(HasFailure()) << "the " << i << "th";
  }
}

TEST_F(EventLoopTest, TimersFireInTheOrderOfTheirDelaysAndNeverEarly) {
  std::vector<int> fired;
  const auto start = monotonic_now();
  std::vector<LoopHandle> handles;
  for (const int delay : {20, 5, 10}) {
    handles.push_back(loop_.after(milliseconds(delay), [&, delay] {
      EXPECT_GE(monotonic_now() - start, milliseconds(delay));
      fired.push_back(delay);
      if (delay == 20) loop_.stop();
    }));
  }
  run();
  EXPECT_EQ(fired, (std::vector<int>{5, 10, 20}));
}

TEST_F(EventLoopTest, ManyTimersOfOneDelayFireInTheOrderTheyWereSet) {
  std::vector<int> fired;
  std::vector<LoopHandle> handles;
  for (int i = 0; i < 100; ++i) {
    handles.push_back(loop_.after(milliseconds(3), [&, i] {
      fired.push_back(i);
      if (i == 99) loop_.stop();
    }));
  }
  run();
  ASSERT_EQ(fired.size(), 100U);
  // The first few of a delay are in the heap, where equal times are unsorted; the queue is first in, first out.
  for (std::size_t i = 5; i < 99; ++i) EXPECT_LT(fired[i], fired[i + 1]);
}

TEST_F(EventLoopTest, MoreDistinctDelaysThanQueuesAllFire) {
  int fired = 0;
  std::vector<LoopHandle> handles;
  for (int i = 0; i < 600; ++i) {
    for (int repeat = 0; repeat < 5; ++repeat) {
      handles.push_back(loop_.after(milliseconds(1 + i / 20) + milliseconds(i % 20), [&] {
        if (++fired == 3000) loop_.stop();
      }));
    }
  }
  std::vector<LoopHandle> far;
  for (int i = 0; i < 600; ++i) {
    for (int repeat = 0; repeat < 5; ++repeat) far.push_back(loop_.after(milliseconds(60000 + i), [] { FAIL(); }));
  }
  run();
  EXPECT_EQ(fired, 3000);
}

TEST_F(EventLoopTest, ACancelledTimerDoesNotFire) {
  LoopHandle cancelled = loop_.after(milliseconds(1), [] { FAIL(); });
  LoopHandle moved_over = loop_.after(milliseconds(1), [] { FAIL(); });
  cancelled.reset();
  EXPECT_FALSE(cancelled);
  moved_over = loop_.after(milliseconds(5), [&] { loop_.stop(); });
  EXPECT_TRUE(moved_over);
  run();
}

TEST_F(EventLoopTest, AnEveryTimerFiresUntilItsHandleGoesInItsOwnCallback) {
  int fired = 0;
  auto alive = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = alive;
  LoopHandle ticker;
  LoopHandle end;
  ticker = loop_.every(milliseconds(1), [&, alive] {
    if (++fired < 3) return;
    ticker.reset();
    EXPECT_EQ(*alive, 7);  // what the callback holds outlives its handle until the callback ends
    end = loop_.after(milliseconds(5), [&] { loop_.stop(); });
  });
  alive.reset();
  run();
  EXPECT_EQ(fired, 3);
  EXPECT_TRUE(watched.expired());
}

TEST_F(EventLoopTest, ATimerMayBeSetAgainFromItsOwnCallback) {
  int fired = 0;
  LoopHandle timer;
  std::function<void()> tick = [&] {
    if (++fired == 3) return loop_.stop();
    timer = loop_.after(milliseconds(0), tick);
  };
  timer = loop_.after(milliseconds(0), tick);
  run();
  EXPECT_EQ(fired, 3);
}

TEST_F(EventLoopTest, AReadableSocketCallsBackUntilItIsDrained) {
  const SocketPair pair;
  pair.put('a');
  pair.put('b');
  std::string got;
  LoopHandle watch = loop_.watch(pair.fds[1], Readiness::kRead, [&](bool readable, bool writable) {
    EXPECT_TRUE(readable);
    EXPECT_FALSE(writable);
    got += pair.take();
    if (got.size() == 2) loop_.stop();
  });
  run();
  EXPECT_EQ(got, "ab");
}

TEST_F(EventLoopTest, AWatchForBothSaysWhichOneIsThere) {
  const SocketPair pair;
  LoopHandle watch = loop_.watch(pair.fds[1], Readiness::kReadWrite, [&](bool readable, bool writable) {
    EXPECT_FALSE(readable);
    EXPECT_TRUE(writable);
    loop_.stop();
  });
  run();
}

TEST_F(EventLoopTest, TwoWatchesOfOneSocketLiveAndDieAlone) {
  const SocketPair pair;
  pair.put('x');
  int writes = 0;
  LoopHandle write_watch = loop_.watch(pair.fds[1], Readiness::kWrite, [&](bool, bool) {
    ++writes;
    write_watch.reset();
  });
  LoopHandle end;
  LoopHandle read_watch = loop_.watch(pair.fds[1], Readiness::kRead, [&](bool, bool) {
    EXPECT_EQ(pair.take(), 'x');
    end = loop_.after(milliseconds(2), [&] { loop_.stop(); });
  });
  run();
  EXPECT_EQ(writes, 1);
}

TEST_F(EventLoopTest, ASignalCallsBackOnTheLoop) {
  int signals = 0;
  LoopHandle on_usr1 = loop_.on_signal(SIGUSR1, [&] {
    ++signals;
    loop_.stop();
  });
  loop_.post([] { raise(SIGUSR1); });
  run();
  EXPECT_EQ(signals, 1);
}

TEST_F(EventLoopTest, WatchingADescriptorThatIsNotOpenThrows) {
  EXPECT_THROW(static_cast<void>(loop_.watch(100000, Readiness::kRead, [](bool, bool) {})), std::runtime_error);
}

TEST(EventLoop, AHandleMayOutliveItsLoop) {
  LoopHandle handle;
  {
    EventLoop loop;
    handle = loop.after(milliseconds(1), [] {});
  }
  handle.reset();
}

}  // namespace
}  // namespace callpark
