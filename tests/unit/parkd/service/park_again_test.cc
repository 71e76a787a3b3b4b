// Either party of a retrieved call parks the other again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ParkAgainTest : public testing::Test, public ParkWorld {};

TEST_F(ParkAgainTest, S12_RetrieverReparksByRefer) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "*68103");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "103");
  EXPECT_EQ(only_row().parker, "102");
  hang_up(id, PartyEnd::kPeer);
  const CallId call = dial("103", "*88");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "103");
  end_all();
}

TEST_F(ParkAgainTest, S12_RetrieverThatHangsUpBehindItsReferHasReparked) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "*68103");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "103");
  end_all();
}

TEST_F(ParkAgainTest, ByeBehindARefusedReferEndsTheCall) {
  const ParkId id = retrieve();
  store.is_away = true;
  refer_of_peer(id, "102", "*68103");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

// The first of the retriever's two transfers parks; when the second is looked up, there is another peer.
TEST_F(ParkAgainTest, HeldByeOfAPeerIsNotReportedForTheNextPeer) {
  const ParkId id = retrieve();
  refer_of_peer(id, "102", "*68103");
  refer_of_peer(id, "102", "*68104");
  hang_up(id, PartyEnd::kPeer);
  ASSERT_TRUE(steps.next_of("look-up"));
  while (steps.next_but("look-up")) continue;
  ASSERT_EQ(only_row().state, RowState::kParked);
  dial("103", "*88");
  ASSERT_TRUE(steps.newest());
  while (steps.next_but("look-up")) continue;
  ASSERT_TRUE(conversation(id).is_bridged);
  settle();
  EXPECT_TRUE(talks_to(id, "103"));
  end_all();
}

// The peer has asked for a transfer and hung up; the caller parks the conversation before that is looked up.
TEST_F(ParkAgainTest, S7_HeldCallWhoseOtherPartyHasHungUpIsNotParked) {
  const ParkId id = retrieve_colleague();
  hold(conversation(id).caller);
  const ReferralId transfer = refer_of_peer(id, "102", "104");
  hang_up(id, PartyEnd::kPeer);
  const CallId call = dial("106", "*70333");
  ASSERT_TRUE(steps.newest());
  while (status_of_call(call) == 0 && steps.next_but("look-up")) continue;
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  settle();
  EXPECT_EQ(status_of_referral(transfer), 200);
  EXPECT_TRUE(talks_to(id, "104"));
  end_all();
}

TEST_F(ParkAgainTest, RefusedReparkLeavesTheTwoTalking) {
  const ParkId talking = retrieve();
  refer("103", "*68");
  settle();
  const ReferralId refer = refer_of_peer(talking, "102", "*68103");
  settle();
  EXPECT_EQ(status_of_referral(refer), 486);
  EXPECT_FALSE(phones.referral_outcomes.at(refer).had_202);
  EXPECT_TRUE(talks_to(talking, "102"));
  EXPECT_EQ(store.rows.at(talking).state, RowState::kRetrieved);
  EXPECT_THAT(phones.byes, IsEmpty());
  end_all();
}

// ---- the caller asks ----

TEST_F(ParkAgainTest, S12_ParkedExtensionReparksItsRetriever) {
  const ParkId id = retrieve_colleague();
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "*68");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(only_row().orbit, "106");
  EXPECT_EQ(only_row().parker, "106");
  EXPECT_EQ(only_row().caller.call_id, "feature-2") << "the retriever's call";
  hang_up(id, PartyEnd::kPeer);
  const CallId call = dial("103", "*88106");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "103");
  EXPECT_EQ(events.words(), "parked 101, retrieved 101 by 102, parked 106, retrieved 106 by 103");
  end_all();
}

TEST_F(ParkAgainTest, S12_S1_ParkedExtensionHoldsAndReparksItsRetriever) {
  const ParkId id = retrieve_colleague();
  conversation(id).caller.holds = true;
  const CallId call = dial("106", "*70333");
  settle();
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "333");
  EXPECT_EQ(only_row().parker, "106");
  EXPECT_EQ(only_row().caller.call_id, "feature-2");
  EXPECT_EQ(phones.adoptions.at(call), Calls::Adoption::kReleased);
  media.play_out();
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkAgainTest, S12_ParkedExtensionTransfersItsRetriever) {
  const ParkId id = retrieve_colleague();
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "104");
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  EXPECT_EQ(only_row().caller.call_id, "feature-2");
  EXPECT_EQ(only_row().peer->call_id, "target-104");
  EXPECT_EQ(retriever_of(only_row()), "104");
  end_all();
}

TEST_F(ParkAgainTest, S12_ParkedExtensionHangsUpBehindItsReferAndHasReparked) {
  const ParkId id = retrieve_colleague();
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "103");
  end_all();
}

TEST_F(ParkAgainTest, ByeOfTheCallerBehindARefusedReferEndsTheCall) {
  const ParkId id = retrieve_colleague();
  store.is_away = true;
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(status_of_referral(refer), 503);
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkAgainTest, S12_S13_RefusedParkOfTheCallerLetsBothTryAgain) {
  const ParkId id = retrieve_colleague();
  refer("103", "*68");
  settle();
  for (int round = 0; round < 2; ++round) {
    const ReferralId refused = refer_of_party(id, PartyEnd::kCaller, round == 0 ? "106" : "102", "*68103");
    settle();
    EXPECT_EQ(status_of_referral(refused), 486);
    EXPECT_FALSE(phones.referral_outcomes.at(refused).had_202);
    EXPECT_TRUE(conversation(id).is_bridged);
    EXPECT_EQ(store.rows.at(id).state, RowState::kRetrieved);
    EXPECT_EQ(retriever_of(store.rows.at(id)), "102") << "nothing is written, and the two parties are the same";
  }
  EXPECT_THAT(phones.byes, IsEmpty());
  const ReferralId last = refer_of_party(id, PartyEnd::kPeer, "102", "*68104");
  settle();
  EXPECT_EQ(status_of_referral(last), 200);
  EXPECT_EQ(store.rows.at(id).caller.call_id, "call-1");
  EXPECT_EQ(store.rows.at(id).orbit, "104");
  end_all();
}

TEST_F(ParkAgainTest, S12_FailedTransferByTheCallerLeavesTheTwoTalking) {
  const ParkId id = retrieve_colleague();
  phones.target_status = 486;
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 486);
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_THAT(phones.byes, IsEmpty());
  restart();
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(conversation(id).caller.dialog.call_id, "call-1") << "as it was written: the two parties are the same";
  EXPECT_EQ(retriever_of(only_row()), "102");
  end_all();
}

TEST_F(ParkAgainTest, S12_FirstOfTwoSimultaneousParksIsExecuted) {
  for (const PartyEnd first : {PartyEnd::kCaller, PartyEnd::kPeer}) {
    const ParkId id = retrieve_colleague();
    const PartyEnd second = first == PartyEnd::kCaller ? PartyEnd::kPeer : PartyEnd::kCaller;
    const auto user = [](PartyEnd end) { return end == PartyEnd::kCaller ? "106" : "102"; };
    const ReferralId obeyed = refer_of_party(id, first, user(first), "*68103");
    const ReferralId refused = refer_of_party(id, second, user(second), "*68104");
    settle();
    EXPECT_EQ(status_of_referral(obeyed), 200);
    EXPECT_EQ(status_of_referral(refused), 503);
    EXPECT_EQ(only_row().orbit, "103");
    EXPECT_EQ(only_row().parker, user(first));
    end_all();
  }
}

// The first park is refused when the second is looked up; its sender is the caller by then.
TEST_F(ParkAgainTest, S12_SecondOfTwoParksIsExecutedIfTheFirstIsRefused) {
  const ParkId id = retrieve_colleague();
  refer("103", "*68");
  settle();
  const ReferralId refused = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  const ReferralId obeyed = refer_of_party(id, PartyEnd::kPeer, "102", "*68104");
  ASSERT_TRUE(steps.next_of("look-up"));
  while (steps.next_but("look-up")) continue;
  EXPECT_EQ(status_of_referral(refused), 486);
  settle();
  EXPECT_EQ(status_of_referral(obeyed), 200);
  EXPECT_EQ(store.rows.at(id).orbit, "104");
  EXPECT_EQ(store.rows.at(id).caller.call_id, "call-1");
  end_all();
}

TEST_F(ParkAgainTest, S12_ParkOfThePartyThatHungUpIsExecuted) {
  const ParkId id = retrieve_colleague();
  const ReferralId refused = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  const ReferralId obeyed = refer_of_party(id, PartyEnd::kPeer, "102", "*68104");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(status_of_referral(refused), 480);
  EXPECT_EQ(status_of_referral(obeyed), 200);
  EXPECT_EQ(only_row().orbit, "104");
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().caller.call_id, "call-1");
  end_all();
}

TEST_F(ParkAgainTest, S12_RequestToOnePeerIsRefusedOnceAnotherPeerHasCome) {
  const ParkId id = retrieve_colleague();
  refer_of_peer(id, "102", "*68103");
  const ReferralId late = refer_of_party(id, PartyEnd::kCaller, "106", "104");
  ASSERT_TRUE(steps.next_of("look-up"));
  while (steps.next_but("look-up")) continue;
  ASSERT_EQ(only_row().state, RowState::kParked);
  dial("103", "*88");
  ASSERT_TRUE(steps.newest());
  while (steps.next_but("look-up")) continue;
  ASSERT_TRUE(conversation(id).is_bridged);
  settle();
  EXPECT_EQ(status_of_referral(late), 503);
  EXPECT_EQ(conversation(id).hears, "103");
  end_all();
}

// Whatever is written when parkd is killed, the next parkd finds two parties that are in the call.
TEST_F(ParkAgainTest, S12_O4_ParkdDiesAtAnyMomentOfAReparkByTheCaller) {
  for (int killed_after = 0; killed_after < 20; ++killed_after) {
    const ParkId id = retrieve_colleague();
    refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
    for (int step = 0; step < killed_after; ++step) steps.next();
    restart();
    const FakePhones::Conversation& parked = conversation(id);
    const bool is_parked = only_row().state == RowState::kParked;
    EXPECT_EQ(parked.hears, is_parked ? "music" : retriever_of(only_row())) << killed_after;
    EXPECT_EQ(parked.caller.dialog.call_id.starts_with("feature-"), is_parked) << killed_after;
    EXPECT_EQ(only_row().orbit, is_parked ? "103" : "") << killed_after;
    end_all();
  }
}

}  // namespace
}  // namespace callpark
