#include "mediad/engine/sender.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/unit/mediad/engine/thread_end.h"

namespace callpark::media {
namespace {

constexpr int kTimes = 500;

std::shared_ptr<OutgoingStream> stream() {
  return std::make_shared<OutgoingStream>(nullptr, OutgoingStream::Begin{}, [](PlayNumber) {});
}

TEST(Sender, X60_ASenderThatHasJustBegunEndsAtOnce) {
  for (int i = 0; i < kTimes; ++i) {
    ASSERT_TRUE(ends(std::make_unique<Sender>(Sender::Options{}))) << "the " << i << "th";
  }
}

TEST(Sender, X60_AnIdleSenderEndsAtOnce) {
  for (int i = 0; i < kTimes; ++i) {
    auto sender = std::make_unique<Sender>(Sender::Options{});
    // The thread has done its work once and sleeps, or is about to.
    std::promise<void> done;
    sender->change(stream(), [&done](OutgoingStream&) { done.set_value(); });
    done.get_future().wait();
    ASSERT_TRUE(ends(std::move(sender))) << "the " << i << "th";
  }
}

TEST(Sender, X60_WhatWasPostedBeforeTheEndIsDone) {
  for (int i = 0; i < kTimes; ++i) {
    auto sender = std::make_unique<Sender>(Sender::Options{});
    int done = 0;
    for (int change = 0; change < 10; ++change) sender->change(stream(), [&done](OutgoingStream&) { ++done; });
    ASSERT_TRUE(ends(std::move(sender))) << "the " << i << "th";
    ASSERT_EQ(done, 10);
  }
}

}  // namespace
}  // namespace callpark::media
