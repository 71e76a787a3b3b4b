// A blind transfer to a code parks the call; a refused transfer leaves it to the parker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class ParkByReferralTest : public testing::Test, public ParkWorld {};

TEST_F(ParkByReferralTest, P1_BlindTransferToCodeParksAtParkersExtension) {
  const ReferralId refer = this->refer("101", "*68");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_TRUE(hears_music(only_park()));
  EXPECT_EQ(only_row().orbit, "101");
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(only_row().parker, "101");
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkByReferralTest, P2_BlindTransferMayNameAnyExtension) {
  refer("101", "*68105");
  settle();
  EXPECT_EQ(only_row().orbit, "105");
  end_all();
}

TEST_F(ParkByReferralTest, P1_RowIsCompleteBeforeTheReferralIsConcluded) {
  const ReferralId refer = this->refer();
  while (status_of_referral(refer) == 0 && steps.next()) {
  }
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(only_row().state, RowState::kParked);
  ASSERT_TRUE(only_row().media);
  EXPECT_TRUE(only_row().media->remote);
  EXPECT_NE(only_row().media->local.port, 0);
  end_all();
}

TEST_F(ParkByReferralTest, S12_ACallWhoseDescriptionIsTooLongStaysWhereItIs) {
  AdoptableDialog too_long = dialog();
  too_long.is_too_long = true;
  const ReferralId refer = this->refer(phones.referral("101", "*68", too_long));
  const CallId call = dial("101", "*70", too_long);
  settle();
  EXPECT_EQ(status_of_referral(refer), 488);
  pass(seconds(10));
  EXPECT_EQ(phones.call_outcomes.at(call).status, 488);
  EXPECT_TRUE(phones.conversations.empty());
  end_all();
}

TEST_F(ParkByReferralTest, ParkerThatStaysInTheCallGetsAByeAfterTwoSeconds) {
  refer();
  pass(Duration(1900));
  EXPECT_THAT(phones.byes, IsEmpty());
  pass(Duration(200));
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkByReferralTest, ParkerThatHangsUpGetsNoBye) {
  park();
  pass(seconds(10));
  EXPECT_THAT(phones.byes, IsEmpty());
  end_all();
}

TEST_F(ParkByReferralTest, X16_ParkerIsToldWhyTheOtherPartyRefuses) {
  phones.caller_reply = FakePhones::Reply::kRefuse;
  for (const auto& [reason, status] : {std::pair{park::RefusalReason::kNotAcceptable, 488},
                                       {park::RefusalReason::kNotReached, 480},
                                       {park::RefusalReason::kOfferRefused, 502}}) {
    phones.refusal_of_caller = reason;
    const ReferralId refer = this->refer("101", "*68");
    settle();
    EXPECT_EQ(phones.referral_outcomes.at(refer).status, status);
  }
  end_all();
}

TEST_F(ParkByReferralTest, S13_CallerRefusesMusicAndTalksOnThroughParkd) {
  phones.caller_reply = FakePhones::Reply::kRefuse;
  const ReferralId refer = this->refer("101", "*68");
  settle();
  EXPECT_EQ(phones.referral_outcomes.at(refer).status, 488);
  EXPECT_TRUE(phones.referral_outcomes.at(refer).had_202);
  EXPECT_THAT(phones.byes, IsEmpty());
  EXPECT_TRUE(media.sessions.empty());
  ASSERT_EQ(phones.conversations.size(), 1U);
  EXPECT_TRUE(only_conversation().is_bridged);
  const ParkedCallRow& row = store.rows.begin()->second;
  EXPECT_EQ(row.state, RowState::kRetrieved);
  EXPECT_EQ(retriever_of(row), "101") << "the parker has the caller again";
  EXPECT_EQ(row.orbit, "");
  hang_up(only_park(), PartyEnd::kPeer);
  settle();
  EXPECT_EQ(phones.byes.size(), 1U) << "the caller's call has an end";
  EXPECT_EQ(service->calls(), 0U);
}

struct RefusedRefer {
  const char* name;
  int status;
  std::function<void(ParkWorld&)> spoil;
  const char* number = "*68";
};

class RefusedReferTest : public ParkByReferralTest, public testing::WithParamInterface<RefusedRefer> {};

TEST_P(RefusedReferTest, S13_ParkerKeepsTheCall) {
  GetParam().spoil(*this);
  const ReferralId refer = this->refer("101", GetParam().number);
  settle();
  const auto outcome = phones.referral_outcomes.at(refer);
  EXPECT_EQ(outcome.status, GetParam().status);
  const bool is_caller_gone = outcome.status == 480;
  EXPECT_EQ(outcome.had_202, is_caller_gone) << "parkd learns only from its re-INVITE that the caller has gone";
  EXPECT_FALSE(outcome.reason.empty());
  EXPECT_EQ(phones.byes.size(), is_caller_gone ? 1U : 0U) << "the parker has no other party";
  EXPECT_EQ(service->calls(), 0U);
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_TRUE(phones.conversations.empty());
  store.come_back();
  settle();
  EXPECT_TRUE(store.rows.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Because, RefusedReferTest,
    testing::Values(RefusedRefer{"NotPermitted", 403, [](ParkWorld& world) { world.store.may_park = false; }},
                    RefusedRefer{"InvalidCode", 404, [](ParkWorld&) {}, "*689"},
                    RefusedRefer{"ACodeThatRetrieves", 404, [](ParkWorld&) {}, "*88"},
                    RefusedRefer{"NoCodeAtAll", 404, [](ParkWorld&) {}, "999"},
                    RefusedRefer{"DatabaseAway", 503, [](ParkWorld& world) { world.store.is_away = true; }},
                    RefusedRefer{"MediadAway", 503, [](ParkWorld& world) { world.media.is_away = true; }},
                    RefusedRefer{"CallerGone", 480,
                                 [](ParkWorld& world) { world.phones.caller_reply = FakePhones::Reply::kGone; }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(ParkByReferralTest, S8_TakenOrbitIsRefusedWith486) {
  park();
  const ReferralId second = refer("101", "*68");
  settle();
  EXPECT_EQ(status_of_referral(second), 486);
  EXPECT_FALSE(phones.referral_outcomes.at(second).had_202);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkByReferralTest, S8_OrbitHoldsAsManyCallsAsTheTenantPermits) {
  store.calls_per_orbit_max = 2;
  const ReferralId first = refer();
  settle();
  const ReferralId second = refer();
  settle();
  EXPECT_EQ(status_of_referral(first), 200);
  EXPECT_EQ(status_of_referral(second), 200);
  EXPECT_EQ(service->parked_calls(), 2U);
  end_all();
}

TEST_F(ParkByReferralTest, CallAboveTheTenantsCapIsRefusedWith486) {
  store.parked_calls_max = 1;
  park();
  const ReferralId second = refer("102", "*68");
  settle();
  EXPECT_EQ(status_of_referral(second), 486);
  end_all();
}

TEST_F(ParkByReferralTest, X44_CallAboveTheParkersCapIsRefusedAndOthersPark) {
  store.extension_parked_calls_max = 1;
  park();
  const ReferralId second = refer("101", "*68105");
  const ReferralId of_another = refer("102", "*68");
  settle();
  EXPECT_EQ(status_of_referral(second), 486);
  EXPECT_EQ(phones.referral_outcomes.at(second).reason, "Too many calls parked by this extension");
  EXPECT_EQ(status_of_referral(of_another), 200);
  end_all();
}

TEST_F(ParkByReferralTest, X46_WhileLookUpsWaitParksAreRefusedAndRetrievesAreNot) {
  const ParkId id = park();
  const CallId retrieve = dial("105", "*88101");  // its look-up is not answered
  test::pass(loop, Duration(600));
  const ReferralId in_the_burst = refer("102", "*68");
  test::pass(loop, Duration(1600));
  const ReferralId late = refer("103", "*68");
  EXPECT_EQ(status_of_referral(late), 503);
  EXPECT_FALSE(phones.referral_outcomes.at(late).had_202) << "the call is as it was";
  const ReferralId transfer_of_party = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(in_the_burst), 200);
  EXPECT_EQ(status_of_call(retrieve), 200);
  EXPECT_NE(status_of_referral(transfer_of_party), 503);
  EXPECT_GT(service->park_rate(), 0);
  const ReferralId later = refer("103", "*68");
  settle();
  EXPECT_EQ(status_of_referral(later), 200) << "at once when the look-ups are answered";
  end_all();
}

TEST_F(ParkByReferralTest, DialogIsParkedOnce) {
  const AdoptableDialog dialog = this->dialog();
  Referral first = phones.referral("101", "*68", dialog);
  Referral second = phones.referral("101", "*68105", dialog);
  const ReferralId one = first.referral;
  const ReferralId two = second.referral;
  service->on_referral(std::move(first));
  service->on_referral(std::move(second));
  settle();
  EXPECT_EQ(status_of_referral(one), 200);
  EXPECT_EQ(status_of_referral(two), 480);
  end_all();
}

TEST_F(ParkByReferralTest, RowIsNotWrittenAndCallerGoesBackToParker) {
  const ReferralId refer = this->refer();
  const auto is_being_written = [this] {
    return !phones.conversations.empty() && only_conversation().hears == "music";
  };
  while (!is_being_written()) ASSERT_TRUE(steps.next());
  store.is_away = true;
  settle();
  EXPECT_EQ(status_of_referral(refer), 503);
  EXPECT_TRUE(phones.referral_outcomes.at(refer).had_202);
  const ParkId id = only_park();
  EXPECT_TRUE(talks_to(id, "the parker"));
  EXPECT_TRUE(media.sessions.empty());
  store.come_back();
  settle();
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().orbit, "");
  end_all();
}

TEST_F(ParkByReferralTest, RowIsNotWrittenAndParkerIsGoneSoTheCallIsParkedLater) {
  refer();
  while (phones.conversations.empty() || only_conversation().hears != "music") ASSERT_TRUE(steps.next());
  const ParkId id = only_park();
  store.is_away = true;
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_TRUE(hears_music(id));
  store.come_back();
  settle();
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

}  // namespace
}  // namespace callpark
