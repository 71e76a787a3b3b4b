#include "mediad/engine/receiver.h"

#include <gtest/gtest.h>

#include <future>

#include "tests/unit/mediad/engine/thread_end.h"

namespace callpark::media {
namespace {

constexpr int kTimes = 500;

TEST(Receiver, X60_AReceiverThatHasJustBegunEndsAtOnce) {
  for (int i = 0; i < kTimes; ++i) ASSERT_TRUE(ends(std::make_unique<Receiver>())) << "the " << i << "th";
}

TEST(Receiver, X60_AnIdleReceiverEndsAtOnce) {
  for (int i = 0; i < kTimes; ++i) {
    auto receiver = std::make_unique<Receiver>();
    std::promise<void> done;
    receiver->change(std::make_shared<IncomingStream>(nullptr, IncomingStream::OnDigit{}, IncomingStream::OnHeard{}),
                     [&done](IncomingStream&) { done.set_value(); });
    done.get_future().wait();
    ASSERT_TRUE(ends(std::move(receiver))) << "the " << i << "th";
  }
}

}  // namespace
}  // namespace callpark::media
