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
  SourceLocking() { lock_.signal(signalled_, Latching::kOn, start_); }

  Verdict last_of(const PeerAddress& from, int packets) {
    Verdict verdict = Verdict::kForeign;
    for (int i = 0; i < packets; ++i) verdict = lock_.judge(from, 1, sequence_++, start_);
    return verdict;
  }
  /// Without latching.
  void signal(const PeerAddress& remote, Latching latching = Latching::kOff) { lock_.signal(remote, latching, start_); }

  const PeerAddress signalled_ = at("192.168.1.5", 4000);
  const PeerAddress moved_ = at("192.168.1.5", 4010);
  const PeerAddress nat_ = at("203.0.113.9", 61000);
  const PeerAddress elsewhere_ = at("198.51.100.7", 4000);
  const MonotonicTime start_{};
  std::uint16_t sequence_ = 100;
  SourceLock lock_;
};

TEST_F(SourceLocking, EverythingIsForeignBeforeARemoteIsSignalled) {
  SourceLock lock;
  EXPECT_EQ(lock.judge(elsewhere_, 1, 1, start_), Verdict::kForeign);
}

TEST_F(SourceLocking, TheSignalledAddressIsOursFromItsFirstPacketOn) {
  EXPECT_EQ(last_of(signalled_, 1), Verdict::kConfirmed);
  EXPECT_EQ(last_of(signalled_, 1), Verdict::kOurs);
  EXPECT_EQ(last_of(elsewhere_, 10), Verdict::kForeign);
  EXPECT_EQ(lock_.remote(), signalled_);
}

TEST_F(SourceLocking, AnotherAddressIsLatchedOntoByPacketsThatFollowOneAnother) {
  EXPECT_EQ(lock_.judge(nat_, 1, 100, start_), Verdict::kForeign);
  EXPECT_EQ(lock_.judge(nat_, 1, 101, start_), Verdict::kForeign);
  EXPECT_EQ(lock_.judge(nat_, 1, 103, start_), Verdict::kLatched) << "one lost on the way";
  EXPECT_EQ(lock_.remote(), nat_);
  EXPECT_EQ(lock_.judge(nat_, 9, 7, start_), Verdict::kOurs) << "a new stream of the same phone";
}

TEST_F(SourceLocking, X35_WithoutLatchingNoPacketsMoveTheStream) {
  signal(moved_);
  EXPECT_EQ(last_of(elsewhere_, 100), Verdict::kForeign);
  EXPECT_EQ(last_of(signalled_, 100), Verdict::kForeign) << "the address before is foreign too";
  EXPECT_EQ(lock_.remote(), moved_);
  EXPECT_EQ(last_of(moved_, 1), Verdict::kConfirmed);
}

TEST_F(SourceLocking, X35_LatePacketsOfTheOldAddressNeverMoveTheStreamBack) {
  ASSERT_EQ(last_of(signalled_, 1), Verdict::kConfirmed);
  signal(moved_, Latching::kOn);
  EXPECT_EQ(last_of(signalled_, 5), Verdict::kForeign);
  EXPECT_EQ(lock_.remote(), moved_);
}

TEST_F(SourceLocking, X35_LatePacketsOfTheOldNatAddressNeverMoveTheStreamBack) {
  ASSERT_EQ(last_of(nat_, 3), Verdict::kLatched);
  signal(moved_, Latching::kOn);
  EXPECT_EQ(lock_.remote(), moved_);
  EXPECT_EQ(last_of(nat_, 5), Verdict::kForeign);
  EXPECT_EQ(last_of(at("203.0.113.9", 61010), 3), Verdict::kLatched) << "the NAT's new port";
}

TEST_F(SourceLocking, X35_LatePacketsOfTheOldAddressDoNotUseUpTheSearch) {
  signal(moved_, Latching::kOn);
  EXPECT_EQ(last_of(signalled_, 2 * SourceLock::kLatchingPacketsMax), Verdict::kForeign);
  EXPECT_EQ(last_of(nat_, 3), Verdict::kLatched);
}

TEST_F(SourceLocking, X35_TheSignalledAddressWinsOverALatchedOne) {
  ASSERT_EQ(last_of(elsewhere_, 3), Verdict::kLatched);
  EXPECT_EQ(last_of(signalled_, 1), Verdict::kConfirmed);
  EXPECT_EQ(lock_.remote(), signalled_);
  EXPECT_EQ(last_of(elsewhere_, 10), Verdict::kForeign);
}

TEST_F(SourceLocking, X35_ALatchedAddressIsKeptAgainstAThirdOne) {
  ASSERT_EQ(last_of(nat_, 3), Verdict::kLatched);
  EXPECT_EQ(last_of(elsewhere_, 10), Verdict::kForeign);
  EXPECT_EQ(lock_.remote(), nat_);
}

TEST_F(SourceLocking, X35_ARemoteThatReturnsGetsItsNatAddressBack) {
  ASSERT_EQ(last_of(nat_, 3), Verdict::kLatched);
  signal(moved_, Latching::kOn);
  signal(signalled_, Latching::kOn);
  EXPECT_EQ(last_of(nat_, 3), Verdict::kLatched);
}

TEST_F(SourceLocking, PacketsThatDoNotFollowOneAnotherTeachNothing) {
  for (std::uint16_t i = 0; i < 20; ++i) {
    EXPECT_EQ(lock_.judge(elsewhere_, 1, static_cast<std::uint16_t>(i * 1000), start_), Verdict::kForeign);
  }
  EXPECT_EQ(lock_.judge(signalled_, 1, 1, start_), Verdict::kConfirmed);
}

TEST_F(SourceLocking, TwoForeignSourcesHinderEachOther) {
  for (std::uint16_t i = 0; i < 10; ++i) {
    EXPECT_EQ(lock_.judge(elsewhere_, 1, i, start_), Verdict::kForeign);
    EXPECT_EQ(lock_.judge(nat_, 2, i, start_), Verdict::kForeign);
  }
}

TEST_F(SourceLocking, LatchingEndsAfterAWhile) {
  const MonotonicTime late = start_ + SourceLock::kLatchingTime + Duration(1);
  for (std::uint16_t i = 0; i < 10; ++i) EXPECT_EQ(lock_.judge(elsewhere_, 1, i, late), Verdict::kForeign);
  EXPECT_EQ(lock_.judge(signalled_, 1, 1, late), Verdict::kConfirmed);
}

TEST_F(SourceLocking, LatchingEndsAfterManyForeignPackets) {
  for (int i = 0; i < SourceLock::kLatchingPacketsMax; ++i) {
    lock_.judge(elsewhere_, 1, static_cast<std::uint16_t>(i * 1000), start_);
  }
  EXPECT_EQ(last_of(nat_, 10), Verdict::kForeign);
}

TEST_F(SourceLocking, ThePortIsPartOfTheAddress) {
  EXPECT_EQ(last_of(signalled_.with_port(4002), 1), Verdict::kForeign);
}

TEST(PeerAddress, KnowsBothFamilies) {
  EXPECT_EQ(at("::1", 5).endpoint(), (Endpoint{"::1", 5}));
  EXPECT_EQ(at("127.0.0.1", 5).endpoint(), (Endpoint{"127.0.0.1", 5}));
  EXPECT_NE(at("::1", 5), at("::1", 6));
  EXPECT_EQ(PeerAddress::of({"phone.example", 5}), std::nullopt);
}

}  // namespace
}  // namespace callpark::media
