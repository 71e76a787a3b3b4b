#include "mediad/engine/sender.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

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

TEST(Sender, PhasesThatAreLateByAPacketAreCounted) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  Sender sender(Sender::Options{});
  const auto one = stream();
  sender.add(one);
  // A machine that stalls, for two packets.
  sender.change(one, [now](OutgoingStream&) {
    const auto end = now() + std::chrono::milliseconds(2 * kPacketMs);
    while (now() < end) {
    }
  });
  const auto deadline = now() + std::chrono::seconds(10);
  while (sender.late_phases() == 0 && now() < deadline) std::this_thread::yield();
  EXPECT_GT(sender.late_phases(), 0U);
}

}  // namespace
}  // namespace callpark::media
