#include "mediad/engine/source_lock.h"

#include <gtest/gtest.h>

namespace callpark::media {
namespace {

using Verdict = SourceLock::Verdict;

PeerAddress at(const char* address, std::uint16_t port) {
  return *PeerAddress::of({address, port});
}

class SourceLocking : public testing::Test {
 protected:
  const PeerAddress signalled_ = at("192.168.1.5", 4000);
  const PeerAddress nat_ = at("203.0.113.9", 61000);
  const PeerAddress stranger_ = at("198.51.100.7", 4000);
  const MonotonicTime start_{};
  SourceLock lock_{signalled_, SourceLock::Learning::kAllowed, start_};
};

TEST_F(SourceLocking, TheSignalledAddressIsOursFromItsFirstPacketOn) {
  EXPECT_EQ(lock_.judge(signalled_, 1, 100, start_), Verdict::kLocked);
  EXPECT_EQ(lock_.judge(signalled_, 1, 101, start_), Verdict::kOurs);
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_EQ(lock_.judge(stranger_, 2, i, start_), Verdict::kForeign);
}

TEST_F(SourceLocking, AnotherAddressIsLearntFromPacketsThatFollowOneAnother) {
  EXPECT_EQ(lock_.judge(nat_, 1, 100, start_), Verdict::kForeign);
  EXPECT_EQ(lock_.judge(nat_, 1, 101, start_), Verdict::kForeign);
  EXPECT_EQ(lock_.judge(nat_, 1, 103, start_), Verdict::kLocked) << "one lost on the way";
  EXPECT_EQ(lock_.locked_address(), nat_);
  EXPECT_EQ(lock_.judge(nat_, 9, 7, start_), Verdict::kOurs) << "a new stream of the same phone";
}

TEST_F(SourceLocking, ItIsLearntOnce) {
  for (std::uint16_t i = 0; i < 3; ++i) lock_.judge(nat_, 1, i, start_);
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_EQ(lock_.judge(signalled_, 2, i, start_), Verdict::kForeign);
}

TEST_F(SourceLocking, PacketsThatDoNotFollowOneAnotherTeachNothing) {
  for (std::uint16_t i = 0; i < 20; ++i) {
    EXPECT_EQ(lock_.judge(stranger_, 1, static_cast<std::uint16_t>(i * 1000), start_), Verdict::kForeign);
  }
  EXPECT_EQ(lock_.judge(signalled_, 1, 1, start_), Verdict::kLocked);
}

TEST_F(SourceLocking, TwoStrangersHinderEachOther) {
  for (std::uint16_t i = 0; i < 10; ++i) {
    EXPECT_EQ(lock_.judge(stranger_, 1, i, start_), Verdict::kForeign);
    EXPECT_EQ(lock_.judge(nat_, 2, i, start_), Verdict::kForeign);
  }
}

TEST_F(SourceLocking, LearningEndsAfterAWhile) {
  const MonotonicTime late = start_ + SourceLock::kLearningTime + Duration(1);
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_EQ(lock_.judge(stranger_, 1, i, late), Verdict::kForeign);
  EXPECT_EQ(lock_.judge(signalled_, 1, 1, late), Verdict::kLocked);
}

TEST_F(SourceLocking, LearningEndsAfterManyForeignPackets) {
  for (int i = 0; i < SourceLock::kLearningPacketsMax; ++i) {
    lock_.judge(stranger_, 1, static_cast<std::uint16_t>(i * 1000), start_);
  }
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_EQ(lock_.judge(nat_, 1, i, start_), Verdict::kForeign);
}

TEST_F(SourceLocking, LearningMayBeForbidden) {
  SourceLock strict(signalled_, SourceLock::Learning::kForbidden, start_);
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_EQ(strict.judge(nat_, 1, i, start_), Verdict::kForeign);
}

TEST_F(SourceLocking, ThePortIsPartOfTheAddress) {
  EXPECT_EQ(lock_.judge(signalled_.with_port(4002), 1, 1, start_), Verdict::kForeign);
}

TEST(PeerAddress, KnowsBothFamilies) {
  EXPECT_EQ(at("::1", 5).endpoint(), (Endpoint{"::1", 5}));
  EXPECT_EQ(at("127.0.0.1", 5).endpoint(), (Endpoint{"127.0.0.1", 5}));
  EXPECT_NE(at("::1", 5), at("::1", 6));
  EXPECT_EQ(PeerAddress::of({"phone.example", 5}), std::nullopt);
}

}  // namespace
}  // namespace callpark::media
