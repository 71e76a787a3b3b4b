#include "base/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/unit/base/loop_fixture.h"

namespace callpark {
namespace {

// Holds a worker until it is let go.
class Gate {
 public:
  WorkerPool::Work work() {
    return [this] {
      entered_.set_value();
      open_.get_future().wait();
    };
  }
  void wait_until_entered() { entered_.get_future().wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> open_;
};

TEST(WorkerPool, OneThreadWorksInTheOrderSubmitted) {
  std::vector<int> done;
  WorkerPool pool({.threads = 1});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.submit([&done, i] { done.push_back(i); }));
  pool.stop();
  ASSERT_EQ(done.size(), 100U);
  EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
}

TEST(WorkerPool, AFullQueueRefuses) {
  Gate gate;
  std::atomic<int> done = 0;
  WorkerPool pool({.threads = 1, .queue_max = 2});
  ASSERT_TRUE(pool.submit(gate.work()));
  gate.wait_until_entered();
  EXPECT_TRUE(pool.submit([&] { ++done; }));
  EXPECT_TRUE(pool.submit([&] { ++done; }));
  EXPECT_FALSE(pool.submit([&] { ++done; }));
  EXPECT_EQ(pool.queued(), 2U);
  gate.open();
  pool.stop();
  EXPECT_EQ(done, 2);
}

TEST(WorkerPool, StopDoesWhatIsQueuedAndTakesNoMore) {
  std::atomic<int> done = 0;
  WorkerPool pool({.threads = 2});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.submit([&] { ++done; }));
  pool.stop();
  EXPECT_EQ(done, 50);
  EXPECT_FALSE(pool.submit([&] { ++done; }));
  pool.stop();
}

TEST(WorkerPool, SeveralThreadsWorkAtOnce) {
  Gate first;
  Gate second;
  WorkerPool pool({.threads = 2});
  ASSERT_TRUE(pool.submit(first.work()));
  ASSERT_TRUE(pool.submit(second.work()));
  first.wait_until_entered();
  second.wait_until_entered();
  first.open();
  second.open();
}

TEST(WorkerPool, EachThreadIsSetUpAndTakenDown) {
  std::atomic<int> starts = 0;
  std::atomic<int> stops = 0;
  {
    WorkerPool pool(
        {.threads = 3, .queue_max = 1, .on_thread_start = [&] { ++starts; }, .on_thread_stop = [&] { ++stops; }});
  }
  EXPECT_EQ(starts, 3);
  EXPECT_EQ(stops, 3);
}

TEST(WorkerPool, AnExceptionEndsOnlyItsOwnWork) {
  std::atomic<int> done = 0;
  WorkerPool pool({.threads = 1});
  ASSERT_TRUE(pool.submit([] { throw std::runtime_error("the server has gone away"); }));
  ASSERT_TRUE(pool.submit([] { throw 1; }));
  ASSERT_TRUE(pool.submit([&] { ++done; }));
  pool.stop();
  EXPECT_EQ(done, 1);
}

class WorkerPoolOnALoop : public LoopFixture {};

TEST_F(WorkerPoolOnALoop, ResultsComeHomeByPost) {
  WorkerPool pool({.threads = 2});
  int answered = 0;
  std::thread::id thread;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pool.submit([&] {
      loop_.post([&] {
        ++answered;
        thread = std::this_thread::get_id();
      });
    }));
  }
  run_until([&] { return answered == 10; });
  EXPECT_EQ(thread, std::this_thread::get_id());
}

}  // namespace
}  // namespace callpark
