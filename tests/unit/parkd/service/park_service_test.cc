#include "parkd/service/switchboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class ParkServiceTest : public testing::Test, public ParkWorld {
 protected:
};

// ---- park by REFER ----

TEST_F(ParkServiceTest, P1_ABlindTransferToTheCodeParksAtTheParkersExtension) {
  const ReferralId refer = this->refer("101", "*68");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(only_park()).hears, "music");
  EXPECT_EQ(only_row().orbit, "101");
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(only_row().parker, "101");
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, P2_ABlindTransferMayNameAnyExtension) {
  refer("101", "*68105");
  settle();
  EXPECT_EQ(only_row().orbit, "105");
  end_all();
}

TEST_F(ParkServiceTest, P1_TheRowIsCompleteBeforeTheParkerIsTold) {
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

TEST_F(ParkServiceTest, AParkerWhoDoesNotHangUpIsHungUpAfterASecondOrTwo) {
  refer();
  pass(Duration(1900));
  EXPECT_THAT(phones.byes, IsEmpty());
  pass(Duration(200));
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkServiceTest, AParkerWhoHangsUpIsLeftInPeace) {
  park();
  pass(seconds(10));
  EXPECT_THAT(phones.byes, IsEmpty());
  end_all();
}

TEST_F(ParkServiceTest, S13_WhenTheCallerRefusesTheyGoOnThroughParkd) {
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
  EXPECT_EQ(retriever_of(row), "101") << "who talks to him";
  EXPECT_EQ(row.orbit, "");
  hang_up(only_park(), PartyEnd::kPeer);
  settle();
  EXPECT_EQ(phones.byes.size(), 1U) << "the caller's call has an end";
  EXPECT_EQ(service->calls(), 0U);
}

TEST_F(ParkServiceTest, S13_WhenTheHeldCallerRefusesTheMarkerStays) {
  phones.caller_reply = FakePhones::Reply::kRefuse;
  const CallId call = dial_with_held("101", "*70333");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 488);
  EXPECT_EQ(phones.adoptions.at(call), Calls::Adoption::kKept);
  ASSERT_EQ(phones.conversations.size(), 1U);
  EXPECT_TRUE(only_conversation().is_bridged);
  hang_up(only_park(), PartyEnd::kCaller);
  settle();
  EXPECT_EQ(service->calls(), 0U);
}

struct RefusedRefer {
  const char* name;
  int status;
  std::function<void(ParkWorld&)> spoil;
  const char* number = "*68";
};

class RefusedReferTest : public ParkServiceTest, public testing::WithParamInterface<RefusedRefer> {};

TEST_P(RefusedReferTest, S13_TheParkerKeepsTheCall) {
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

TEST_F(ParkServiceTest, S8_ATakenOrbitIsRefusedWith486) {
  park();
  const ReferralId second = refer("101", "*68");
  settle();
  EXPECT_EQ(status_of_referral(second), 486);
  EXPECT_FALSE(phones.referral_outcomes.at(second).had_202);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, S8_MoreCallsFitWhereTheTenantAllowsIt) {
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

TEST_F(ParkServiceTest, TheTenantsCapIsRefusedWith486) {
  store.parked_calls_max = 1;
  park();
  const ReferralId second = refer("102", "*68");
  settle();
  EXPECT_EQ(status_of_referral(second), 486);
  end_all();
}

TEST_F(ParkServiceTest, OneDialogIsParkedOnce) {
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

// ---- park by a held call ----

TEST_F(ParkServiceTest, S1_ANewCallToACodeParksTheHeldOne) {
  const CallId call = dial_with_held("101", "*70333");
  settle();
  EXPECT_EQ(phones.calls.at(call).stage, FakePhones::Call::Stage::kConfirmed);
  EXPECT_EQ(conversation(only_park()).hears, "music");
  EXPECT_EQ(only_row().orbit, "333");
  end_all();
}

TEST_F(ParkServiceTest, S2_TheParkerHearsWhatToDialAndThenBothHisCallsEnd) {
  const CallId call = dial_with_held("101", "*70333");
  settle();
  EXPECT_THAT(media.played, ElementsAre("call_parked"));
  EXPECT_THAT(media.digits, ElementsAre("*71333"));
  EXPECT_THAT(phones.byes, IsEmpty());
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  EXPECT_EQ(service->parked_calls(), 1U);
  EXPECT_EQ(media.sessions.size(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, S4_ABareCodeParksAtARandomOrbitAndSaysIt) {
  dial_with_held("101", "*70");
  settle();
  EXPECT_THAT(media.digits, ElementsAre("*71" + only_row().orbit));
  EXPECT_EQ(only_row().orbit.front(), '*');
  end_all();
}

TEST_F(ParkServiceTest, S2_TheParkIsCommittedBeforeTheAnnouncement) {
  const CallId call = dial_with_held("101", "*70333");
  while (phones.calls.at(call).stage == FakePhones::Call::Stage::kAsked) ASSERT_TRUE(steps.next());
  EXPECT_EQ(only_row().state, RowState::kParked);
  phones.end_call(call);
  settle();
  EXPECT_EQ(service->parked_calls(), 1U);
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkServiceTest, AnAnnouncementThatNeverEndsIsEnded) {
  const CallId call = dial_with_held("101", "*70333");
  pass(seconds(31));
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, AParkerWhoNeverAcknowledgesHasParkedAllTheSame) {
  phones.retrievers_acknowledge = false;
  dial_with_held("101", "*70333");
  settle();
  EXPECT_EQ(service->parked_calls(), 1U);
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  EXPECT_EQ(media.sessions.size(), 1U);
  end_all();
}

struct RefusedCall {
  const char* name;
  int status;
  const char* prompt;
  std::function<void(ParkWorld&)> spoil;
  const char* number = "*70333";
};

class RefusedParkCallTest : public ParkServiceTest, public testing::WithParamInterface<RefusedCall> {};

TEST_P(RefusedParkCallTest, S13_TheParkerHearsWhyAndKeepsTheCall) {
  GetParam().spoil(*this);
  const CallId call = dial_with_held("101", GetParam().number);
  settle();
  if (*GetParam().prompt) {
    EXPECT_EQ(status_of_call(call), 0) << "first the sentence";
    EXPECT_EQ(phones.calls.at(call).stage, FakePhones::Call::Stage::kEarly);
    EXPECT_THAT(media.played, ElementsAre(GetParam().prompt));
    EXPECT_THAT(media.languages, ElementsAre("en"));
    media.play_out();
    settle();
  }
  EXPECT_EQ(status_of_call(call), GetParam().status);
  EXPECT_FALSE(phones.call_outcomes.at(call).reason.empty());
  EXPECT_EQ(phones.byes.size(), GetParam().status == 480 ? 1U : 0U) << "without a caller the parker has no other party";
  EXPECT_EQ(service->calls(), 0U);
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_TRUE(phones.conversations.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Because, RefusedParkCallTest,
    testing::Values(
        RefusedCall{"NotPermitted", 403, "not_permitted", [](ParkWorld& world) { world.store.may_park = false; }},
        RefusedCall{"InvalidCode", 404, "invalid_code", [](ParkWorld&) {}, "*70999"},
        RefusedCall{"DatabaseAway", 503, "not_available", [](ParkWorld& world) { world.store.is_away = true; }},
        RefusedCall{"MediadAway", 503, "", [](ParkWorld& world) { world.media.is_away = true; }},
        RefusedCall{"CallerGone", 480, "not_available",
                    [](ParkWorld& world) { world.phones.caller_reply = FakePhones::Reply::kGone; }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(ParkServiceTest, S7_WithoutAHeldCallThereIsNothingToPark) {
  const CallId call = dial("101", "*70333");
  settle();
  EXPECT_THAT(media.played, ElementsAre("no_held_call"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(ParkServiceTest, S8_ATakenOrbitIsSpokenAndAnswered486) {
  dial_with_held("101", "*70333");
  settle();
  const CallId second = dial_with_held("102", "*70333");
  settle();
  EXPECT_THAT(media.played, ElementsAre("call_parked", "orbit_taken"));
  pass(seconds(11));
  EXPECT_EQ(status_of_call(second), 486);
  end_all();
}

TEST_F(ParkServiceTest, ARefusalThatCannotBeSpokenComesAtOnce) {
  phones.callers_have_codec = false;
  const CallId call = dial("101", "*70333");
  settle();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(ParkServiceTest, S7_OfACallOfParkdsAndAnOrdinaryOneTheOneHeldLastIsParked) {
  const ParkId id = retrieve();
  FakePhones::Conversation& own = conversation(id);
  own.peer->holds = true;
  own.hold.since = WallTime(seconds(1000));
  AdoptableDialog other = dialog();
  other.hold.since = WallTime(seconds(999));
  const CallId first = dial(own.peer->user, "*70333", other);
  settle();
  EXPECT_EQ(own.hears, "music");
  EXPECT_EQ(phones.adoptions.at(first), Calls::Adoption::kReleased) << "the other is its parties' again";
  EXPECT_EQ(phones.conversations.size(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, S7_TheOrdinaryCallIsParkedWhenItWasHeldLast) {
  const ParkId id = retrieve();
  FakePhones::Conversation& own = conversation(id);
  own.peer->holds = true;
  own.hold.since = WallTime(seconds(1000));
  AdoptableDialog other = dialog();
  other.hold.since = WallTime(seconds(1001));
  const CallId first = dial(own.peer->user, "*70333", other);
  settle();
  EXPECT_EQ(own.hears, own.peer->user);
  EXPECT_EQ(phones.adoptions.count(first), 0U);
  EXPECT_EQ(phones.conversations.size(), 2U);
  end_all();
}

TEST(Holds, S7_OfTheSameDeviceThenTheLast) {
  const Hold here{"udp:127.0.0.11:5060", WallTime(seconds(1))};
  const Hold elsewhere{"udp:127.0.0.12:5060", WallTime(seconds(2))};
  const Hold unknown{"", WallTime(seconds(3))};
  EXPECT_TRUE(goes_before(here, elsewhere, here.device));
  EXPECT_FALSE(goes_before(unknown, here, here.device));
  EXPECT_TRUE(goes_before(unknown, elsewhere, here.device));
  EXPECT_FALSE(goes_before(here, unknown, elsewhere.device));
}

TEST_F(ParkServiceTest, S13_WhoGivesUpHisFeatureCallBeforeTheParkIsCommittedHasHisCallBack) {
  bool is_committed = false;
  for (int moment = 0; !is_committed; ++moment) {
    SCOPED_TRACE(moment);
    const CallId call = dial_with_held("101", "*70333");
    for (int step = 0; step < moment; ++step) steps.next();
    for (const auto& [id, row] : store.rows) is_committed = is_committed || row.state == RowState::kParked;
    if (is_committed) break;
    phones.end_call(call);
    settle();
    EXPECT_TRUE(media.sessions.empty());
    for (const auto& [id, parked] : phones.conversations) {
      EXPECT_TRUE(parked.is_bridged) << "parkd asked, so parkd stays";
      EXPECT_EQ(parked.hears, "the parker");
      EXPECT_EQ(phones.adoptions.at(call), Calls::Adoption::kKept);
    }
    end_all();
  }
  end_all();
}

TEST_F(ParkServiceTest, S7_TheCallThatARetrieverHoldsIsParkedAgain) {
  const ParkId id = retrieve();
  conversation(id).peer->holds = true;
  const CallId call = dial("102", "*70333");
  settle();
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(only_row().orbit, "333");
  EXPECT_EQ(only_row().parker, "102");
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

// ---- attended transfer to a code ----

TEST_F(ParkServiceTest, P5_TheReferOfAnAttendedTransferEndsTheConsultationCall) {
  const CallId call = dial_with_held("101", "*70333");
  settle();
  const ReferralId refer = refer_of_peer(only_park(), "101", "*70333");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_THAT(phones.byes, IsEmpty());
  pass(seconds(3));
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1")) << "his BYE did not come";
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, P5_AReferThatComesBeforeTheAnnouncementIsRefused) {
  dial_with_held("101", "*70333");
  while (store.rows.empty()) ASSERT_TRUE(steps.next());
  const ReferralId refer = refer_of_peer(only_park(), "101", "*70333");
  // Its look-up is answered while the claim is.
  settle();
  EXPECT_TRUE(status_of_referral(refer) == 200 || status_of_referral(refer) == 503) << status_of_referral(refer);
  end_all();
}

// ---- retrieve ----

TEST_F(ParkServiceTest, P3_TheOwnExtensionIsRetrievedWithTheBareCode) {
  const ParkId id = park();
  const CallId call = dial("101", "*88");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "101");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().orbit, "");
  EXPECT_EQ(retriever_of(only_row()), "101");
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_EQ(service->parked_calls(), 0U);
  EXPECT_EQ(service->calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, P4_AnyPhoneRetrievesWithTheKey) {
  const ParkId id = park();
  dial("105", "*88101");
  settle();
  EXPECT_EQ(conversation(id).hears, "105");
  end_all();
}

TEST_F(ParkServiceTest, S9_ARetrieveIsNotAnsweredBeforeTheCallIsWon) {
  park();
  const CallId call = dial("102", "*88101");
  while (phones.calls.count(call) != 0 && phones.calls.at(call).stage == FakePhones::Call::Stage::kAsked) {
    ASSERT_TRUE(steps.next());
  }
  EXPECT_EQ(only_row().state, RowState::kRetrieving);
  EXPECT_EQ(conversation(only_park()).hears, "102");
  end_all();
}

TEST_F(ParkServiceTest, S9_AnEmptyOrbitIsSpokenAndAnswered404) {
  const CallId call = dial("102", "*88105");
  settle();
  EXPECT_THAT(media.played, ElementsAre("no_call_parked"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(ParkServiceTest, WhoMayNotRetrieveIsTold) {
  park();
  store.may_retrieve = false;
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_THAT(media.played, ElementsAre("not_permitted"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 403);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, S10_OfTwoRetrieversOneWinsAndTheOtherIsToldWithin300ms) {
  const ParkId id = park();
  const CallId first = dial("102", "*88101");
  const CallId second = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(first), 200);
  EXPECT_THAT(media.played, ElementsAre("already_picked_up"));
  EXPECT_EQ(status_of_call(second), 0);
  pass(Duration(250));
  EXPECT_EQ(status_of_call(second), 404);
  EXPECT_EQ(conversation(id).hears, "102");
  end_all();
}

TEST_F(ParkServiceTest, ARetrieverWhoCancelsBeforeTheClaimLeavesTheCallParked) {
  const ParkId id = park();
  const CallId call = dial("102", "*88101");
  phones.end_call(call);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(conversation(id).hears, "music");
  end_all();
}

TEST_F(ParkServiceTest, ARetrieverWhoCancelsWhileTheDatabaseClaimsLeavesTheCallParked) {
  park();
  const CallId call = dial("102", "*88101");
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  phones.end_call(call);
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  const CallId next = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(next), 200);
  end_all();
}

TEST_F(ParkServiceTest, ARetrieverWhoIsRefusedByTheCallerIsTold488AndTheMusicGoesOn) {
  const ParkId id = park();
  const WallTime deadline = only_row().deadline;
  phones.caller_reply = FakePhones::Reply::kRefuse;
  const CallId call = dial("102", "*88101");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 488);
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(only_row().deadline, deadline);
  EXPECT_EQ(conversation(id).hears, "music");
  phones.caller_reply = FakePhones::Reply::kAccept;
  pass(seconds(6));
  const CallId again = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(again), 200);
  end_all();
}

TEST_F(ParkServiceTest, ARetrieverWhoIsRefusedHearsItInHisOwnLanguage) {
  store.language_of = {{"101", "en"}, {"102", "fr"}};
  park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  dial("102", "*88101");
  settle();
  EXPECT_THAT(media.languages, testing::ElementsAre("fr"));
  phones.caller_reply = FakePhones::Reply::kAccept;
  end_all();
}

TEST_F(ParkServiceTest, AfterARestartARetrieverWhoIsRefusedHearsItInHisOwnLanguage) {
  store.language_of = {{"101", "en"}, {"102", "fr"}};
  park();
  restart();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  dial("102", "*88101");
  settle();
  EXPECT_THAT(media.languages, testing::ElementsAre("fr"));
  phones.caller_reply = FakePhones::Reply::kAccept;
  end_all();
}

TEST_F(ParkServiceTest, ARetrieverWhoNeverAcknowledgesLeavesTheCallParked) {
  const ParkId id = park();
  phones.retrievers_acknowledge = false;
  dial("102", "*88101");
  settle();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(media.sessions.size(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, ARetrieveOfACallThatIsStillBeingWrittenDownWins) {
  refer();
  while (store.rows.empty() || only_row().state != RowState::kParked) ASSERT_TRUE(steps.next());
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  end_all();
}

TEST_F(ParkServiceTest, ARetrieveDuringTheAnnouncementLeavesTheParkerHisSentence) {
  const CallId parker = dial_with_held("101", "*70333");
  settle();
  const CallId call = dial("102", "*71333");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(status_of_call(parker), 0);
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(parker), 200);
  EXPECT_EQ(service->calls(), 1U) << "the two still talk";
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkServiceTest, ARetrieverMayParkAgainWhileTheFirstParkerStillListens) {
  const CallId parker = dial_with_held("101", "*70333");
  settle();
  dial("102", "*71333");
  settle();
  conversation(only_park()).peer->holds = true;
  const CallId again = dial("102", "*70105");
  settle();
  EXPECT_EQ(phones.calls.count(again), 1U) << "not the first parker's announcement is ended in the name of the second";
  EXPECT_EQ(only_row().orbit, "105");
  phones.end_call(parker);
  phones.end_call(again);
  settle();
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, TheEndOfOneTalkingPartyEndsTheOther) {
  const ParkId id = retrieve();
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_TRUE(store.rows.empty());
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkServiceTest, L5_ACallThatNobodyRetrievesEndsAtItsDeadline) {
  store.park_seconds_max = 60;
  const ParkId id = park();
  pass(seconds(55));
  EXPECT_EQ(service->parked_calls(), 1U);
  pass(seconds(6));
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
  EXPECT_TRUE(store.rows.empty());
  end_all();
}

TEST_F(ParkServiceTest, AnUndoneRetrieveDoesNotMoveTheDeadline) {
  store.park_seconds_max = 60;
  park();
  pass(seconds(50));
  const CallId call = dial("102", "*88101");
  while (phones.calls.count(call) != 0 && only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  phones.end_call(call);
  pass(seconds(11));
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

// ---- park again ----

TEST_F(ParkServiceTest, S12_ARetrieverParksAgainByRefer) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "*68103");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(only_row().orbit, "103");
  EXPECT_EQ(only_row().parker, "102");
  hang_up(id, PartyEnd::kPeer);
  const CallId call = dial("103", "*88");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "103");
  end_all();
}

TEST_F(ParkServiceTest, S12_WhoHangsUpStraightBehindHisReferHasParkedAgain) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "*68103");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(only_row().orbit, "103");
  end_all();
}

TEST_F(ParkServiceTest, WhoHangsUpStraightBehindHisReferAndIsRefusedHasEndedTheCall) {
  const ParkId id = retrieve();
  store.is_away = true;
  refer_of_peer(id, "102", "*68103");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

// Of the retriever's two transfers the first parks; when the second is looked up, his place is another's.
TEST_F(ParkServiceTest, AHangUpThatWaitsForALookUpIsNotTakenForTheNextRetrievers) {
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
  EXPECT_EQ(conversation(id).hears, "103");
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(ParkServiceTest, ARefusedParkingAgainLeavesTheTwoTalking) {
  const ParkId talking = retrieve();
  refer("103", "*68");
  settle();
  const ReferralId refer = refer_of_peer(talking, "102", "*68103");
  settle();
  EXPECT_EQ(status_of_referral(refer), 486);
  EXPECT_FALSE(phones.referral_outcomes.at(refer).had_202);
  EXPECT_TRUE(conversation(talking).is_bridged);
  EXPECT_EQ(conversation(talking).hears, "102");
  EXPECT_EQ(store.rows.at(talking).state, RowState::kRetrieved);
  EXPECT_THAT(phones.byes, IsEmpty());
  end_all();
}

// ---- the one who was parked asks ----

TEST_F(ParkServiceTest, S12_AParkedColleagueParksWhoRetrievedHim) {
  const ParkId id = retrieve_colleague();
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "*68");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "music");
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

TEST_F(ParkServiceTest, S12_S1_AParkedColleagueHoldsWhoRetrievedHimAndParksHim) {
  const ParkId id = retrieve_colleague();
  conversation(id).caller.holds = true;
  const CallId call = dial("106", "*70333");
  settle();
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(only_row().orbit, "333");
  EXPECT_EQ(only_row().parker, "106");
  EXPECT_EQ(only_row().caller.call_id, "feature-2");
  EXPECT_EQ(phones.adoptions.at(call), Calls::Adoption::kReleased);
  media.play_out();
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkServiceTest, S12_AParkedColleagueTransfersWhoRetrievedHim) {
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

TEST_F(ParkServiceTest, S12_WhoWasParkedAndHangsUpStraightBehindHisReferHasParked) {
  const ParkId id = retrieve_colleague();
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(only_row().orbit, "103");
  end_all();
}

TEST_F(ParkServiceTest, WhoWasParkedAndHangsUpBehindAReferThatIsRefusedHasEndedTheCall) {
  const ParkId id = retrieve_colleague();
  store.is_away = true;
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_EQ(status_of_referral(refer), 503);
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkServiceTest, S12_S13_AParkOfTheOneWhoWasParkedIsRefusedAndBothMayTryAgain) {
  const ParkId id = retrieve_colleague();
  refer("103", "*68");
  settle();
  for (int round = 0; round < 2; ++round) {
    const ReferralId his = refer_of_party(id, PartyEnd::kCaller, round == 0 ? "106" : "102", "*68103");
    settle();
    EXPECT_EQ(status_of_referral(his), 486);
    EXPECT_FALSE(phones.referral_outcomes.at(his).had_202);
    EXPECT_TRUE(conversation(id).is_bridged);
    EXPECT_EQ(store.rows.at(id).state, RowState::kRetrieved);
    EXPECT_EQ(retriever_of(store.rows.at(id)), "102") << "nothing is written, and who talks to whom is the same";
  }
  EXPECT_THAT(phones.byes, IsEmpty());
  const ReferralId last = refer_of_party(id, PartyEnd::kPeer, "102", "*68104");
  settle();
  EXPECT_EQ(status_of_referral(last), 200);
  EXPECT_EQ(store.rows.at(id).caller.call_id, "call-1");
  EXPECT_EQ(store.rows.at(id).orbit, "104");
  end_all();
}

TEST_F(ParkServiceTest, S12_ATransferOfTheOneWhoWasParkedFailsAndTheTwoGoOnTalking) {
  const ParkId id = retrieve_colleague();
  phones.target_status = 486;
  const ReferralId refer = refer_of_party(id, PartyEnd::kCaller, "106", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 486);
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_THAT(phones.byes, IsEmpty());
  restart();
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(conversation(id).caller.dialog.call_id, "call-1") << "as it was written: who talks to whom is the same";
  EXPECT_EQ(retriever_of(only_row()), "102");
  end_all();
}

TEST_F(ParkServiceTest, S12_OfTwoWhoAskAtOnceOneIsObeyed) {
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

// The first is refused when the second is looked up, who is the caller by then.
TEST_F(ParkServiceTest, S12_OfTwoWhoAskAtOnceTheSecondIsObeyedWhenTheFirstIsRefused) {
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

TEST_F(ParkServiceTest, S12_WhoAsksAndHangsUpIsObeyedEvenIfTheOtherAskedBefore) {
  const ParkId id = retrieve_colleague();
  const ReferralId refused = refer_of_party(id, PartyEnd::kCaller, "106", "*68103");
  const ReferralId obeyed = refer_of_party(id, PartyEnd::kPeer, "102", "*68104");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(status_of_referral(refused), 480);
  EXPECT_EQ(status_of_referral(obeyed), 200);
  EXPECT_EQ(only_row().orbit, "104");
  EXPECT_EQ(conversation(id).hears, "music");
  EXPECT_EQ(only_row().caller.call_id, "call-1");
  end_all();
}

TEST_F(ParkServiceTest, S12_WhatTheOneWhoWasParkedAsksIsNotTakenForWhatHeAsksOfTheNextRetriever) {
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

// Whatever is written when parkd is killed, whoever takes the call over finds two who are in it.
TEST_F(ParkServiceTest, S12_O4_ParkdIsKilledAtAnyMomentWhileTheOneWhoWasParkedParks) {
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

TEST_F(ParkServiceTest, WhenTheRowOfANewParkCannotBeCompletedTheCallerGoesBackToTheParker) {
  const ReferralId refer = this->refer();
  const auto is_being_written = [this] { return !phones.conversations.empty() && only_conversation().hears == "music"; };
  while (!is_being_written()) ASSERT_TRUE(steps.next());
  store.is_away = true;
  settle();
  EXPECT_EQ(status_of_referral(refer), 503);
  EXPECT_TRUE(phones.referral_outcomes.at(refer).had_202);
  const ParkId id = only_park();
  EXPECT_EQ(conversation(id).hears, "the parker");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_TRUE(media.sessions.empty());
  store.come_back();
  settle();
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().orbit, "");
  end_all();
}

TEST_F(ParkServiceTest, WhenTheRowCannotBeCompletedAndTheParkerIsGoneTheCallIsParkedAsSoonAsItCan) {
  refer();
  while (phones.conversations.empty() || only_conversation().hears != "music") ASSERT_TRUE(steps.next());
  const ParkId id = only_park();
  store.is_away = true;
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(conversation(id).hears, "music");
  store.come_back();
  settle();
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

// ---- transfers ----

TEST_F(ParkServiceTest, S12_ARetrieverTransfersTheCaller) {
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

TEST_F(ParkServiceTest, S12_WhoWasConsultedIsCalledWhereThePhoneSaysThatHeIs) {
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

TEST_F(ParkServiceTest, S12_WhoHangsUpStraightBehindHisReferHasTransferredTheCaller) {
  const ParkId id = retrieve();
  const ReferralId refer = refer_of_peer(id, "102", "104");
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(conversation(id).hears, "104");
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(ParkServiceTest, ATransferThatFailsSaysWhyAndTheTwoGoOnTalking) {
  const ParkId id = retrieve();
  phones.target_status = 486;
  const ReferralId refer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 486);
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(ParkServiceTest, ATransferWhileTheDatabaseIsAwayIsRefusedAndTheTwoGoOnTalking) {
  const ParkId id = retrieve();
  store.is_away = true;
  const ReferralId refer = refer_of_peer(id, "102", "104");
  settle();
  EXPECT_EQ(status_of_referral(refer), 503);
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(ParkServiceTest, AReferDuringATransferIsNotTakenForAnAttendedPark) {
  dial_with_held("101", "*70333");  // and the announcement is spoken all the time
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

// ---- a talk is the consultation of another transfer ----

TEST_F(ParkServiceTest, S12_WhoIsSentByTheRetrieverTakesHisPlace) {
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
  EXPECT_EQ(events.all.size(), events_before) << "as at a transfer, which is nothing that happens to a parked call";
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(phones.byes, Contains("caller call-1")) << "he is the peer";
  end_all();
}

TEST_F(ParkServiceTest, S12_WhoTakesAPlaceParksLikeAnyRetriever) {
  const ParkId id = retrieve();
  take_place(id, "103");
  settle();
  const ReferralId refer = refer_of_peer(id, "103", "*68");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(only_row().orbit, "103");
  end_all();
}

TEST_F(ParkServiceTest, S12_ACallerWhoRefusesWhoIsToTakeThePlaceTalksOn) {
  const ParkId id = retrieve();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  const CallId bob = take_place(id, "103");
  settle();
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(bob), 488);
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(retriever_of(only_row()), "102");
  EXPECT_THAT(phones.byes, IsEmpty());
  end_all();
}

TEST_F(ParkServiceTest, S12_WhoGivesUpTakingAPlaceLeavesTheTwoToTalkOn) {
  const ParkId id = retrieve();
  const CallId bob = take_place(id, "103");
  phones.end_call(bob);
  settle();
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(retriever_of(only_row()), "102");
  end_all();
}

TEST_F(ParkServiceTest, S11_NobodyOfAnotherTenantAndNoTrunkTakesAPlace) {
  const ParkId id = retrieve();
  const CallId stranger = take_place(id, "103", "other.callpark");
  const CallId trunk = take_place(id, "");
  settle();
  EXPECT_EQ(status_of_call(stranger), 603);
  EXPECT_EQ(status_of_call(trunk), 603);
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(ParkServiceTest, S11_WhereNobodyTalksThereIsNoPlaceToTake) {
  const ParkId id = park();
  const CallId bob = take_place(id, "103");
  settle();
  EXPECT_EQ(status_of_call(bob), 603);
  EXPECT_EQ(conversation(id).hears, "music");
  end_all();
}

TEST_F(ParkServiceTest, ASecondTransferMeanwhileIsRefused) {
  const ParkId id = retrieve();
  const ReferralId first = refer_of_peer(id, "102", "104");
  const ReferralId second = refer_of_peer(id, "102", "105");
  settle();
  EXPECT_EQ(status_of_referral(first), 200);
  EXPECT_GE(status_of_referral(second), 400);
  end_all();
}

// ---- mediad ----

TEST_F(ParkServiceTest, O4_AMediaSessionThatMovedIsOfferedToTheCaller) {
  const ParkId id = park();
  const std::string session = media.sessions.begin()->first;
  media.move(session);
  EXPECT_TRUE(conversation(id).on_wire);
  settle();
  EXPECT_EQ(conversation(id).music, media.sessions.at(session).snapshot.local);
  dial("102", "*88101");
  settle();
  EXPECT_EQ(conversation(id).hears, "102");
  end_all();
}

TEST_F(ParkServiceTest, MusicThatTheCallerWouldNotTakeIsOfferedAgain) {
  const ParkId id = park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  media.move(media.sessions.begin()->first);
  settle();
  phones.caller_reply = FakePhones::Reply::kAccept;
  EXPECT_FALSE(conversation(id).on_wire);
  pass(Duration(5100));
  EXPECT_EQ(conversation(id).hears, "music");
  end_all();
}

// ---- recovery ----

TEST_F(ParkServiceTest, O4_AParkedCallIsTakenOverWithoutAWordToTheCaller) {
  park();
  restart();
  EXPECT_EQ(service->parked_calls(), 1U);
  EXPECT_FALSE(conversation(only_park()).on_wire);
  EXPECT_EQ(media.sessions.size(), 1U);
  EXPECT_TRUE(media.sessions.begin()->second.is_claimed);
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

TEST_F(ParkServiceTest, O4_ACallTakenOverKeepsItsDeadline) {
  store.park_seconds_max = 60;
  park();
  pass(seconds(50));
  restart();
  pass(seconds(5));
  EXPECT_EQ(service->parked_calls(), 1U);
  pass(seconds(10));
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkServiceTest, O4_ACallThatWasBeingAdoptedIsParkedAndHearsMusic) {
  refer();
  while (store.rows.empty()) ASSERT_TRUE(steps.next());
  restart();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(conversation(only_park()).hears, "music");
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  ASSERT_TRUE(only_row().media);
  EXPECT_EQ(only_row().media->session, media.sessions.begin()->first) << "the next parkd knows of the music";
  end_all();
}

TEST_F(ParkServiceTest, O4_AParkedCallOfWhichNoMusicIsKnownGetsSome) {
  park();
  store.rows.begin()->second.media.reset();
  media.sessions.clear();
  restart();
  EXPECT_EQ(conversation(only_park()).hears, "music");
  EXPECT_TRUE(only_row().media);
  end_all();
}

TEST_F(ParkServiceTest, O4_ACallThatWasBeingRetrievedIsParkedAndHearsMusic) {
  park();
  dial("102", "*88101");
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  restart();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_EQ(conversation(only_park()).hears, "music");
  const CallId call = dial("103", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  end_all();
}

TEST_F(ParkServiceTest, O4_ATalkingCallIsTakenOverAndEndsLikeAnyOther) {
  retrieve();
  restart();
  const ParkId id = only_park();
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_TRUE(media.sessions.empty());
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("peer feature-2"));
  end_all();
}

TEST_F(ParkServiceTest, O4_WhenMediadIsAwayAtTheStartTheMusicComesLater) {
  park();
  media.is_away = true;
  restart();
  EXPECT_EQ(service->parked_calls(), 1U);
  media.is_away = false;
  pass(seconds(6));
  EXPECT_EQ(conversation(only_park()).hears, "music");
  EXPECT_EQ(media.sessions.size(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, O4_TheStartWaitsForTheDatabase) {
  park();
  kill();
  start();
  store.is_away = true;
  bool done = false;
  service->recover([&done] { done = true; });
  pass(seconds(10));
  EXPECT_FALSE(done);
  store.come_back();
  pass(seconds(1));
  EXPECT_TRUE(done);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkServiceTest, ACallParkedByAnotherNodeIsTakenOverByItsRetriever) {
  park();
  kill();
  start();  // nothing is loaded
  store.rows.begin()->second.owner = "node-2";
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(only_row().owner, "node-1");
  EXPECT_EQ(conversation(only_park()).hears, "102");
  end_all();
}

TEST_F(ParkServiceTest, RefusalsAreCounted) {
  dial("102", "*88105");
  settle();
  EXPECT_NE(metrics.serialise().find(R"(callpark_refusals_total{reason="no_call_parked"} 1)"), std::string::npos);
  end_all();
}

}  // namespace
}  // namespace callpark
