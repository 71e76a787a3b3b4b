// Either party of a retrieved call transfers the other, or is replaced by an attended transfer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class TransferTest : public testing::Test, public ParkWorld {};

TEST_F(TransferTest, S12_RetrieverTransfersTheCaller) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "104");
  EXPECT_EQ(conversation(id).peer->user, "104");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(retriever_of(only_row()), "104");
  EXPECT_THAT(phones.byes, ElementsAre("peer feature-2"));
  end_all();
}

TEST_F(TransferTest, S12_ConsultedTargetIsCalledAtItsContact) {
  const ParkId id = retrieve();
  Referral referral = phones.referral("102", "104-0x5f");
  referral.contact = "sip:104-0x5f@10.0.0.14";
  referral.replaces = "consultation;to-tag=a;from-tag=b";
  refer_in(conversation_of(id), PartyEnd::kPeer, referral);
  settle();
  ASSERT_THAT(phones.called, testing::SizeIs(1));
  const auto& from = std::get<OutgoingCall::InNameOfCaller>(phones.called[0].from);
  EXPECT_EQ(from.contact, "sip:104-0x5f@10.0.0.14");
  EXPECT_EQ(from.replaces, "consultation;to-tag=a;from-tag=b");
  EXPECT_FALSE(from.recall);
  end_all();
}

TEST_F(TransferTest, S12_RetrieverHangsUpBehindItsReferAndHasTransferred) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "104");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_TRUE(talks_to(id, "104"));
  end_all();
}

TEST_F(TransferTest, FailedTransferReportsItsStatusAndTheTwoTalkOn) {
  const ParkId id = retrieve();
  phones.target_status = 486;
  const ReferralId refer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 486);
  EXPECT_TRUE(talks_to(id, "102"));
  end_all();
}

TEST_F(TransferTest, TransferWithoutDatabaseIsRefusedAndTheTwoTalkOn) {
  const ParkId id = retrieve();
  store.is_away = true;
  const ReferralId refer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 503);
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(TransferTest, ReferDuringATransferIsNoAttendedPark) {
  dial_with_held("101", "*70333");  // and the announcement plays all the time
  settle();
  dial("102", "*71333");
  settle();
  const ReferralId transfer = refer_of_peer(only_park(), "102", "104");
  while (!target_of(only_park())) ASSERT_TRUE(steps.next());
  const ReferralId other = refer_of_peer(only_park(), "102", "*68");
  while (status_of_referral(other) == 0) ASSERT_TRUE(steps.next_of("look-up"));
  EXPECT_EQ(status_of_referral(other), 503);
  settle();
  EXPECT_EQ(status_of_referral(transfer), 200);
  end_all();
}

// ---- attended transfers that replace the peer ----

TEST_F(TransferTest, S12_TransferredExtensionReplacesTheRetriever) {
  const ParkId id = retrieve();
  const auto events_before = events.all.size();
  const CallId bob = take_place(id, "103");
  settle();
  EXPECT_EQ(status_of_call(bob), 200);
  EXPECT_EQ(conversation(id).hears, "103");
  EXPECT_EQ(conversation(id).peer->user, "103");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(retriever_of(only_row()), "103");
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().peer->call_id, "feature-" + std::to_string(bob.value));
  EXPECT_THAT(phones.byes, ElementsAre("peer feature-2"));
  EXPECT_EQ(events.all.size(), events_before) << "a talk has no events, as at a transfer";
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(phones.byes, Contains("caller call-1")) << "103 is the peer";
  end_all();
}

TEST_F(TransferTest, S12_ReplacementParksLikeAnyRetriever) {
  const ParkId id = retrieve();
  take_place(id, "103");
  settle();
  const ReferralId refer = refer_of_peer(id, "103", "*68");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(only_row().orbit, "103");
  end_all();
}

TEST_F(TransferTest, S12_CallerThatRefusesTheReplacementTalksOn) {
  const ParkId id = retrieve();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  const CallId bob = take_place(id, "103");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(bob), 488);
  EXPECT_TRUE(talks_to(id, "102"));
  EXPECT_EQ(retriever_of(only_row()), "102");
  EXPECT_THAT(phones.byes, IsEmpty());
  end_all();
}

TEST_F(TransferTest, S12_ReplacementThatCancelsLeavesTheTwoTalking) {
  const ParkId id = retrieve();
  const CallId bob = take_place(id, "103");
  phones.end_call(bob);
  settle();
  EXPECT_TRUE(talks_to(id, "102"));
  EXPECT_EQ(retriever_of(only_row()), "102");
  end_all();
}

TEST_F(TransferTest, S11_OtherTenantsAndTrunksReplaceNoPeer) {
  const ParkId id = retrieve();
  const CallId stranger = take_place(id, "103", "other.callpark");
  const CallId trunk = take_place(id, "");
  settle();
  EXPECT_EQ(status_of_call(stranger), 603);
  EXPECT_EQ(status_of_call(trunk), 603);
  EXPECT_TRUE(talks_to(id, "102"));
  end_all();
}

TEST_F(TransferTest, S11_ParkedCallHasNoPeerToReplace) {
  const ParkId id = park();
  const CallId bob = take_place(id, "103");
  settle();
  EXPECT_EQ(status_of_call(bob), 603);
  EXPECT_TRUE(hears_music(id));
  end_all();
}

TEST_F(TransferTest, SecondTransferMeanwhileIsRefused) {
  const ParkId id = retrieve();
  const ReferralId first = refer_of_peer(id, "102", "104");
  const ReferralId second = refer_of_peer(id, "102", "105");
  settle();
  EXPECT_EQ(status_of_referral(first), 200);
  EXPECT_GE(status_of_referral(second), 400);
  end_all();
}

}  // namespace
}  // namespace callpark
