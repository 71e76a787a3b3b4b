#include "parkd/service/conversation_requests.h"

#include <gtest/gtest.h>

namespace callpark::admission {
namespace {

constexpr PartyEnd kPeer = PartyEnd::kPeer;
constexpr PartyEnd kCaller = PartyEnd::kCaller;
constexpr ReferralId kFirst{1};
constexpr ReferralId kSecond{2};

TEST(ConversationRequests, ByeOfASenderWaitsForItsRequest) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  EXPECT_TRUE(requests.hold_bye(kPeer, true));
  EXPECT_TRUE(requests.is_gone(kPeer));
  EXPECT_EQ(requests.take_due_bye(true), std::nullopt);
  requests.end(kFirst);
  EXPECT_EQ(requests.take_due_bye(true), kPeer);
  EXPECT_EQ(requests.take_due_bye(true), std::nullopt) << "once";
  EXPECT_TRUE(requests.empty());
}

TEST(ConversationRequests, ByeOfTheOtherPartyDoesNotWait) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  EXPECT_FALSE(requests.hold_bye(kCaller, true));
  EXPECT_TRUE(requests.are_both_there());
}

TEST(ConversationRequests, ByeOutsideATalkDoesNotWait) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  EXPECT_FALSE(requests.hold_bye(kPeer, false));
}

TEST(ConversationRequests, ByeIsDueWhenTheTalkIsOver) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  requests.begin(kSecond, kPeer);
  requests.hold_bye(kPeer, true);
  requests.end(kFirst);
  EXPECT_EQ(requests.take_due_bye(true), std::nullopt) << "the second request is in flight";
  EXPECT_EQ(requests.take_due_bye(false), kPeer);
}

TEST(ConversationRequests, ByesOfBothAreDueOneByOne) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  requests.begin(kSecond, kCaller);
  requests.hold_bye(kCaller, true);
  requests.hold_bye(kPeer, true);
  EXPECT_EQ(requests.take_due_bye(false), kPeer);
  EXPECT_EQ(requests.take_due_bye(false), kCaller);
}

TEST(ConversationRequests, SwapMovesRequestsAndByes) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  requests.begin(kSecond, kCaller);
  requests.hold_bye(kPeer, true);
  requests.swap_parties();
  EXPECT_EQ(requests.sender_of(kFirst), kCaller);
  EXPECT_EQ(requests.sender_of(kSecond), kPeer);
  EXPECT_TRUE(requests.is_gone(kCaller));
  EXPECT_FALSE(requests.is_gone(kPeer));
}

TEST(ConversationRequests, NewPeerDropsTheRequestsOfThePairingBefore) {
  ConversationRequests requests;
  requests.set_pairing(1);
  requests.begin(kFirst, kPeer);
  requests.begin(kSecond, kCaller);
  requests.set_pairing(1);
  EXPECT_EQ(requests.sender_of(kFirst), kPeer);
  requests.set_pairing(2);
  EXPECT_EQ(requests.sender_of(kFirst), std::nullopt);
  EXPECT_EQ(requests.sender_of(kSecond), std::nullopt);
}

TEST(ConversationRequests, NewPeerDropsTheByeOfThePeerBeforeOnly) {
  ConversationRequests requests;
  requests.begin(kFirst, kPeer);
  requests.begin(kSecond, kCaller);
  requests.hold_bye(kPeer, true);
  requests.hold_bye(kCaller, true);
  requests.set_pairing(1);
  EXPECT_EQ(requests.take_due_bye(true), kCaller);
  EXPECT_EQ(requests.take_due_bye(true), std::nullopt);
}

}  // namespace
}  // namespace callpark::admission
