#include "base/keyed_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace callpark {
namespace {

using testing::ElementsAre;
using Queue = KeyedQueue<std::string>;

class KeyedQueueTest : public testing::Test {
 protected:
  /// A job that is finished by finish(name).
  void push(const std::string& key, const std::string& name) {
    queue_.push(key, [this, name](Queue::Finished finished) {
      started_.push_back(name);
      unfinished_[name] = std::move(finished);
    });
  }
  void push_quick(const std::string& key, const std::string& name) {
    queue_.push(key, [this, name](const Queue::Finished& finished) {
      started_.push_back(name);
      finished();
    });
  }
  void finish(const std::string& name) {
    const Queue::Finished finished = std::move(unfinished_.extract(name).mapped());
    finished();
  }

  Queue queue_;
  std::vector<std::string> started_;
  std::map<std::string, Queue::Finished> unfinished_;
};

TEST_F(KeyedQueueTest, AJobStartsWhenTheOneBeforeItIsFinished) {
  push("k", "first");
  push("k", "second");
  push("k", "third");
  EXPECT_THAT(started_, ElementsAre("first"));
  finish("first");
  EXPECT_THAT(started_, ElementsAre("first", "second"));
  finish("second");
  finish("third");
  EXPECT_THAT(started_, ElementsAre("first", "second", "third"));
}

TEST_F(KeyedQueueTest, KeysDoNotWaitForEachOther) {
  push("a", "a1");
  push("b", "b1");
  push("a", "a2");
  EXPECT_THAT(started_, ElementsAre("a1", "b1"));
  finish("a1");
  EXPECT_THAT(started_, ElementsAre("a1", "b1", "a2"));
}

TEST_F(KeyedQueueTest, AQueueIsEmptyAfterItsLastJobAndStartsTheNextAtOnce) {
  EXPECT_TRUE(queue_.empty());
  push("k", "first");
  EXPECT_FALSE(queue_.empty());
  finish("first");
  EXPECT_TRUE(queue_.empty());
  push("k", "second");
  EXPECT_THAT(started_, ElementsAre("first", "second"));
}

TEST_F(KeyedQueueTest, JobsMayFinishBeforeTheyReturn) {
  push("k", "slow");
  for (int job = 0; job < 100000; ++job) push_quick("k", "quick");
  push("k", "last");
  finish("slow");
  EXPECT_EQ(started_.size(), 100002U);
  EXPECT_EQ(started_.back(), "last");
  finish("last");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(KeyedQueueTest, AJobMayPushAnotherOfItsKeyBeforeAndAfterItFinishes) {
  queue_.push("k", [this](const Queue::Finished& finished) {
    push_quick("k", "pushed before");
    finished();
    push_quick("k", "pushed after");
    started_.push_back("pusher returns");
  });
  EXPECT_THAT(started_, ElementsAre("pusher returns", "pushed before", "pushed after"));
  EXPECT_TRUE(queue_.empty());
}

TEST_F(KeyedQueueTest, ANewJobWaitsBehindThoseThatWaitAlready) {
  push("k", "first");
  push("k", "second");
  queue_.push("k", [this](const Queue::Finished& finished) {
    push_quick("k", "fourth");
    started_.push_back("third");
    finished();
  });
  finish("first");
  finish("second");
  EXPECT_THAT(started_, ElementsAre("first", "second", "third", "fourth"));
}

}  // namespace
}  // namespace callpark
