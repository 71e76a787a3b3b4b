// A feature call to a code parks the held call of its caller.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class ParkHeldCallTest : public testing::Test, public ParkWorld {};

TEST_F(ParkHeldCallTest, S13_HeldCallerRefusesMusicAndTheMarkerStays) {
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

TEST_F(ParkHeldCallTest, S1_NewCallToCodeParksTheHeldCall) {
  const CallId call = dial_with_held("101", "*70333");
  settle();
  EXPECT_EQ(phones.calls.at(call).stage, FakePhones::Call::Stage::kConfirmed);
  EXPECT_TRUE(hears_music(only_park()));
  EXPECT_EQ(only_row().orbit, "333");
  end_all();
}

TEST_F(ParkHeldCallTest, S2_ParkerHearsTheOrbitAndThenBothItsCallsEnd) {
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

TEST_F(ParkHeldCallTest, S4_BareCodeParksAtARandomOrbitAndAnnouncesIt) {
  dial_with_held("101", "*70");
  settle();
  EXPECT_THAT(media.digits, ElementsAre("*71" + only_row().orbit));
  EXPECT_EQ(only_row().orbit.front(), '*');
  end_all();
}

TEST_F(ParkHeldCallTest, S2_ParkIsWrittenBeforeTheAnnouncement) {
  const CallId call = dial_with_held("101", "*70333");
  while (phones.calls.at(call).stage == FakePhones::Call::Stage::kAsked) ASSERT_TRUE(steps.next());
  EXPECT_EQ(only_row().state, RowState::kParked);
  phones.end_call(call);
  settle();
  EXPECT_EQ(service->parked_calls(), 1U);
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1"));
  end_all();
}

TEST_F(ParkHeldCallTest, AnnouncementWithoutEndIsStopped) {
  const CallId call = dial_with_held("101", "*70333");
  pass(seconds(31));
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkHeldCallTest, ParkerThatSendsNoAckHasParked) {
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

class RefusedParkCallTest : public ParkHeldCallTest, public testing::WithParamInterface<RefusedCall> {};

TEST_P(RefusedParkCallTest, S13_ParkerHearsTheReasonAndKeepsTheCall) {
  GetParam().spoil(*this);
  const CallId call = dial_with_held("101", GetParam().number);
  settle();
  if (*GetParam().prompt) {
    EXPECT_EQ(status_of_call(call), 0) << "the announcement comes first";
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

TEST_F(ParkHeldCallTest, S7_ParkerWithoutAHeldCallIsRefused) {
  const CallId call = dial("101", "*70333");
  settle();
  EXPECT_THAT(media.played, ElementsAre("no_held_call"));
  media.play_out();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(ParkHeldCallTest, S8_TakenOrbitIsAnnouncedAndRefusedWith486) {
  dial_with_held("101", "*70333");
  settle();
  const CallId second = dial_with_held("102", "*70333");
  settle();
  EXPECT_THAT(media.played, ElementsAre("call_parked", "orbit_taken"));
  pass(seconds(11));
  EXPECT_EQ(status_of_call(second), 486);
  end_all();
}

TEST_F(ParkHeldCallTest, RefusalThatCannotBeAnnouncedIsSentAtOnce) {
  phones.callers_have_codec = false;
  const CallId call = dial("101", "*70333");
  settle();
  EXPECT_EQ(status_of_call(call), 404);
  end_all();
}

TEST_F(ParkHeldCallTest, S7_ParkdsCallIsParkedIfItWasHeldLast) {
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

TEST_F(ParkHeldCallTest, S7_OrdinaryCallIsParkedIfItWasHeldLast) {
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

TEST(Holds, S7_CallHeldByTheSameDeviceGoesFirstThenTheLast) {
  const Hold here{"udp:127.0.0.11:5060", WallTime(seconds(1))};
  const Hold elsewhere{"udp:127.0.0.12:5060", WallTime(seconds(2))};
  const Hold unknown{"", WallTime(seconds(3))};
  EXPECT_TRUE(goes_before(here, elsewhere, here.device));
  EXPECT_FALSE(goes_before(unknown, here, here.device));
  EXPECT_TRUE(goes_before(unknown, elsewhere, here.device));
  EXPECT_FALSE(goes_before(here, unknown, elsewhere.device));
}

TEST_F(ParkHeldCallTest, S13_ParkerThatCancelsBeforeTheParkHasItsCallBack) {
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

TEST_F(ParkHeldCallTest, S7_CallThatARetrieverHoldsIsParkedAgain) {
  const ParkId id = retrieve();
  conversation(id).peer->holds = true;
  const CallId call = dial("102", "*70333");
  settle();
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().orbit, "333");
  EXPECT_EQ(only_row().parker, "102");
  media.play_out();
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

// ---- attended transfer to a code ----

TEST_F(ParkHeldCallTest, P5_ReferOfAnAttendedTransferEndsTheConsultation) {
  const CallId call = dial_with_held("101", "*70333");
  settle();
  const ReferralId refer = refer_of_peer(only_park(), "101", "*70333");
  settle();
  EXPECT_EQ(status_of_referral(refer), 200);
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_THAT(phones.byes, IsEmpty());
  pass(seconds(3));
  EXPECT_THAT(phones.byes, ElementsAre("peer call-1")) << "the BYE of the parker did not come";
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkHeldCallTest, P5_ReferBeforeTheAnnouncementIsAnswered) {
  dial_with_held("101", "*70333");
  while (store.rows.empty()) ASSERT_TRUE(steps.next());
  const ReferralId refer = refer_of_peer(only_park(), "101", "*70333");
  // Its look-up is answered while the claim is.
  settle();
  EXPECT_TRUE(status_of_referral(refer) == 200 || status_of_referral(refer) == 503) << status_of_referral(refer);
  end_all();
}

}  // namespace
}  // namespace callpark
