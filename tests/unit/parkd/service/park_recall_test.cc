// What becomes of a parked call that nobody retrieves, in the fake outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

using park::RecallMode;
using park::RecallTarget;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// The defaults, but for the wait of the ring group, which is to be told from the ringing of the parker.
RecallSettings usual_recall() {
  RecallSettings recall;
  recall.mode = RecallMode::kParkerOnly;
  recall.alert_ring_group_wait_seconds = 20;
  recall.ring_group = "600";
  return recall;
}

class ParkRecallTest : public testing::Test, public ParkWorld {
 protected:
  ParkRecallTest() { store.recall = usual_recall(); }
  std::vector<std::string> called() const {
    std::vector<std::string> numbers;
    for (const OutgoingCall& target : phones.called) numbers.push_back(target.number);
    return numbers;
  }
  /// Lets the steps go one by one until somebody is being called.
  void step_until_called(std::size_t times) {
    while (phones.called.size() < times) ASSERT_TRUE(steps.next());
  }
  /// A recall's call, as the target's phone shows it.
  static const OutgoingCall::InNameOfCaller& in_name_of_caller(const OutgoingCall& call) {
    return std::get<OutgoingCall::InNameOfCaller>(call.from);
  }
  static std::string recalled_orbit(const OutgoingCall& call) {
    return in_name_of_caller(call).recall ? in_name_of_caller(call).recall->orbit : "";
  }
};

// ---- the parker ----

TEST_F(ParkRecallTest, R1_TheParkerIsCalledAfterTheTimeAndNotBefore) {
  park();
  pass(seconds(89));
  EXPECT_THAT(called(), IsEmpty());
  pass(seconds(2));
  EXPECT_THAT(called(), ElementsAre("101"));
  EXPECT_EQ(phones.called.front().tenant, "demo.callpark");
  EXPECT_EQ(recalled_orbit(phones.called.front()), "101");
  EXPECT_EQ(in_name_of_caller(phones.called.front()).replaces, "");
  end_all();
}

TEST_F(ParkRecallTest, R7_OneCallMayHaveATimeOfItsOwnWhereTheExtensionMaySaySo) {
  for (const bool may : {false, true}) {
    store.may_set_recall = may;
    Referral referral = phones.referral("101", "*68", dialog());
    referral.recall_after_seconds = 30;
    service->on_referral(std::move(referral));
    settle();
    phones.called.clear();
    pass(seconds(31));
    EXPECT_EQ(called().size(), may ? 1U : 0U);
    hang_up(only_park(), PartyEnd::kCaller);
    settle();
    phones.target_status = 486;
  }
  end_all();
}

TEST_F(ParkRecallTest, R1_OnceAnsweredTheTwoTalkAndTheRowSaysSo) {
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_EQ(conversation(id).hears, "101");
  EXPECT_TRUE(conversation(id).is_bridged);
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().orbit, "");
  EXPECT_EQ(retriever_of(only_row()), "101");
  EXPECT_EQ(only_row().peer->call_id, "target-101");
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_EQ(service->parked_calls(), 0U);
  EXPECT_THAT(phones.byes, IsEmpty());
  pass(seconds(3600));
  EXPECT_THAT(called(), ElementsAre("101")) << "nobody is called while they talk";
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(ParkRecallTest, R1_ACallOfAnExtensionParkedElsewhereComesBackToWhoParkedIt) {
  refer("101", "*68105");
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("101"));
  EXPECT_EQ(recalled_orbit(phones.called.front()), "105") << "where he is, for the display";
  end_all();
}

TEST_F(ParkRecallTest, R1_TheParkerIsCalledAgainSomeSecondsLaterAndThenTheCallEnds) {
  phones.target_status = 486;
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_EQ(called().size(), 1U);
  pass(seconds(8));
  EXPECT_EQ(called().size(), 1U);
  pass(seconds(2));
  EXPECT_EQ(called().size(), 2U);
  EXPECT_TRUE(hears_music(id));
  pass(seconds(11));
  EXPECT_THAT(called(), ElementsAre("101", "101", "101"));
  EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  end_all();
}

TEST_F(ParkRecallTest, R1_WhoDoesNotAnswerRingsForHisTimeAndIsCalledAgain) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(91));
  pass(seconds(28));
  EXPECT_TRUE(target_of(id));
  pass(seconds(2));
  EXPECT_FALSE(target_of(id)) << "he rings no longer";
  EXPECT_TRUE(hears_music(id));
  phones.target_status = 200;
  pass(seconds(10));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

class FailedRecall : public ParkRecallTest, public testing::WithParamInterface<int> {};

TEST_P(FailedRecall, R5_EveryFailureGoesOnToTheNextStepWithMusic) {
  phones.status_of["101"] = GetParam();
  store.recall.attempts_max = 1;
  store.recall.fallback_destination = "104";
  phones.status_of["104"] = 0;
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("101", "104"));
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(media.sessions.size(), 1U);
  EXPECT_EQ(only_row().state, RowState::kParked);
  end_all();
}

INSTANTIATE_TEST_SUITE_P(With, FailedRecall, testing::Values(300, 404, 408, 480, 486, 488, 500, 503, 603));

TEST_F(ParkRecallTest, R4_WithoutALimitTheParkerIsCalledAgainAndAgain) {
  phones.target_status = 486;
  store.recall.attempts_max = 0;
  const ParkId id = park();
  pass(seconds(91));
  while (called().size() < 100U) pass(seconds(5));
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().recall_progress.attempts, 0U);
  end_all();
}

TEST_F(ParkRecallTest, L5_NoRecallOutlivesTheLongestTimeThatACallMayBeParked) {
  phones.target_status = 486;
  store.recall.attempts_max = 0;
  store.park_seconds_max = 120;
  const ParkId id = park();
  pass(seconds(121));
  EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkRecallTest, L5_WhoRingsWhenThatTimeIsOverRingsNoLonger) {
  phones.target_status = 0;
  store.park_seconds_max = 100;
  const ParkId id = park();
  pass(seconds(95));
  EXPECT_TRUE(target_of(id));
  pass(seconds(6));
  EXPECT_EQ(service->calls(), 0U);
  EXPECT_TRUE(phones.conversations.empty());
  end_all();
}

TEST_F(ParkRecallTest, WithoutARecallNobodyIsCalled) {
  store.recall.mode = RecallMode::kOff;
  park();
  pass(seconds(3500));
  EXPECT_THAT(called(), IsEmpty());
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(ParkRecallTest, R7_TheSettingsAreThoseOfTheMomentOfThePark) {
  const ParkId id = park();
  store.recall.mode = RecallMode::kRingGroupOnly;
  store.recall.after_seconds = 10;
  pass(seconds(80));
  EXPECT_TRUE(hears_music(id));
  pass(seconds(11));
  EXPECT_THAT(called(), ElementsAre("101"));
  end_all();
}

// ---- the ring group, the fallback ----

TEST_F(ParkRecallTest, R2_FirstTheParkerForHisTimeAndThenTheRingGroup) {
  store.recall.mode = RecallMode::kParkerThenRingGroup;
  phones.status_of["101"] = 0;
  const ParkId id = park();
  pass(seconds(91));
  pass(seconds(18));
  EXPECT_THAT(called(), ElementsAre("101"));
  pass(seconds(2));
  EXPECT_THAT(called(), ElementsAre("101", "600")) << "20 s are the ring group's wait, not the 30 s of ringing";
  EXPECT_EQ(conversation(id).hears, "600");
  end_all();
}

TEST_F(ParkRecallTest, R2_ABusyParkerIsNotWaitedFor) {
  store.recall.mode = RecallMode::kParkerThenRingGroup;
  phones.status_of["101"] = 486;
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("101", "600"));
  EXPECT_EQ(conversation(id).hears, "600");
  end_all();
}

TEST_F(ParkRecallTest, R3_StraightToTheRingGroup) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  park();
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("600"));
  EXPECT_EQ(retriever_of(only_row()), "600");
  end_all();
}

TEST_F(ParkRecallTest, R2_ARingGroupIsLeftToItsOwnRoutingAndNotCutOff) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(91));
  pass(seconds(3400));
  EXPECT_TRUE(target_of(id));
  EXPECT_TRUE(hears_music(id));
  pass(seconds(200));
  EXPECT_EQ(service->calls(), 0U) << "but it is not waited for without end";
  end_all();
}

TEST_F(ParkRecallTest, R4_TheFallbackComesAfterTheLastAttempt) {
  store.recall.attempts_max = 2;
  store.recall.fallback_destination = "+442079460000";
  phones.status_of["101"] = 480;
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("101"));
  pass(seconds(10));
  EXPECT_THAT(called(), ElementsAre("101", "101", "+442079460000"));
  EXPECT_EQ(conversation(id).hears, "+442079460000");
  end_all();
}

TEST_F(ParkRecallTest, R4_WhenTheFallbackFailsTheCallEnds) {
  for (const RecallMode mode :
       {RecallMode::kParkerOnly, RecallMode::kParkerThenRingGroup, RecallMode::kRingGroupOnly}) {
    store.recall.mode = mode;
    store.recall.attempts_max = 1;
    store.recall.fallback_destination = "104";
    phones.target_status = 486;
    const ParkId id = park();
    pass(seconds(91));
    EXPECT_EQ(called().back(), "104");
    EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
    EXPECT_EQ(phones.byes.back(), "caller call-" + std::to_string(last_dialog));
    EXPECT_EQ(service->calls(), 0U);
  }
  end_all();
}

// ---- the row is written before anybody is called ----

TEST_F(ParkRecallTest, O4_WhenAndWhomStandsInTheRowAsSoonAsTheCallIsParked) {
  park();
  EXPECT_EQ(only_row().recall_deadline, only_row().parked_at + seconds(90));
  EXPECT_EQ(only_row().recall_progress, park::RecallProgress{});
  EXPECT_EQ(only_row().recall, store.recall);
  end_all();
}

TEST_F(ParkRecallTest, O4_EachStepStandsInTheRowBeforeItIsTaken) {
  phones.target_status = 486;
  store.recall.fallback_destination = "104";
  park();
  std::vector<park::RecallProgress> ladders;
  for (std::size_t step = 1; step <= 4; ++step) {
    while (phones.called.size() < step) {
      if (!steps.next()) test::pass(loop, Duration(100));
    }
    ladders.push_back(only_row().recall_progress);
    const Duration rings = step <= 3 ? seconds(30) : ParkSettings{}.handed_over_max;
    EXPECT_NEAR(static_cast<double>((only_row().recall_deadline - wall_now()).count()),
                static_cast<double>(rings.count()), 1000);
  }
  EXPECT_THAT(
      ladders,
      ElementsAre(park::RecallProgress{RecallTarget::kParker, 1, true}, park::RecallProgress{RecallTarget::kParker, 2, true},
                  park::RecallProgress{RecallTarget::kParker, 3, true}, park::RecallProgress{RecallTarget::kFallback, 3, true}));
  end_all();
}

TEST_F(ParkRecallTest, O4_BetweenTwoAttemptsTheRowSaysWhenTheNextOneIs) {
  phones.target_status = 486;
  park();
  pass(seconds(91));
  EXPECT_EQ(only_row().recall_progress, (park::RecallProgress{RecallTarget::kParker, 1, false}));
  EXPECT_NEAR(static_cast<double>((only_row().recall_deadline - only_row().parked_at).count()), 100'000, 2000);
  end_all();
}

TEST_F(ParkRecallTest, S13_WhileTheDatabaseIsAwayNobodyIsCalledWhoCouldNotBeGivenTheCall) {
  const ParkId id = park();
  store.is_away = true;
  pass(seconds(91));
  EXPECT_THAT(called(), IsEmpty());
  EXPECT_TRUE(hears_music(id));
  store.come_back();
  pass(seconds(11));
  EXPECT_THAT(called(), ElementsAre("101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

TEST_F(ParkRecallTest, S13_WhenTheDatabaseGoesWhileThePhoneRingsTheOneWhoAnswersIsHungUpAndTheMusicGoesOn) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(91));
  store.is_away = true;
  phones.answer_target(phones.targets.begin()->first);
  settle();
  EXPECT_FALSE(target_of(id));
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(service->parked_calls(), 1U);
  store.come_back();
  phones.target_status = 200;
  pass(seconds(11));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

// ---- races ----

TEST_F(ParkRecallTest, R6_ARetrieveBeforeTheRecallStopsIt) {
  park();
  pass(seconds(80));
  dial("102", "*88101");
  pass(seconds(300));
  EXPECT_THAT(called(), IsEmpty());
  end_all();
}

TEST_F(ParkRecallTest, R6_ARetrieveWhileThePhoneRingsWinsAndStopsTheRinging) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(91));
  ASSERT_TRUE(target_of(id));
  const CallId call = dial("102", "*88101");
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_FALSE(target_of(id));
  pass(seconds(300));
  EXPECT_THAT(called(), ElementsAre("101"));
  end_all();
}

// At each moment from the deadline of the recall on: one of them has the caller, and the other is told.
TEST(ParkRecallMoments, R6_ARetrieveAtAnyMomentOfARecallHasOneOutcome) {
  int won = 0;
  int lost = 0;
  for (int moment = 0;; ++moment) {
    SCOPED_TRACE(moment);
    ParkWorld world;
    world.store.recall = usual_recall();
    const ParkId id = world.park();
    test::pass(world.loop, seconds(90));
    bool is_over = false;
    for (int step = 0; step < moment; ++step) is_over = !world.steps.next();
    if (is_over) break;
    const CallId call = world.dial("102", "*88101");
    world.settle();
    world.pass(seconds(1));
    const std::string& hears = world.conversation(id).hears;
    const int status = world.status_of_call(call);
    EXPECT_FALSE(world.target_of(id));
    EXPECT_TRUE(world.conversation(id).is_bridged);
    if (status == 200) {
      ++won;
      EXPECT_EQ(hears, "102");
    } else {
      ++lost;
      EXPECT_EQ(status, 404);
      EXPECT_EQ(hears, "101");
    }
    world.end_all();
    if (HasFailure()) return;
  }
  EXPECT_GT(won, 0);
  EXPECT_GT(lost, 0);
}

TEST_F(ParkRecallTest, R6_AnAnswerThatComesAfterTheRetrieveIsHungUp) {
  const ParkId id = park();
  test::pass(loop, seconds(91));
  step_until_called(1);
  const CallId call = dial("102", "*88101");
  // The phone answers when the retriever has the row, and before he is told of it.
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next_of("look-up") || steps.next_of("claim"));
  while (!target_of(id)->answered) ASSERT_TRUE(steps.next_of("target"));
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_FALSE(target_of(id)) << "hung up";
  end_all();
}

TEST_F(ParkRecallTest, R6_ARetrieveThatWasUndoneLeavesTheRecallItsTime) {
  const ParkId id = park();
  pass(seconds(80));
  const CallId call = dial("102", "*88101");
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  phones.end_call(call);
  pass(seconds(5));
  EXPECT_THAT(called(), IsEmpty());
  pass(seconds(6));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

TEST_F(ParkRecallTest, R6_ARetrieveThatWasUndoneWhileTheLastStepRangTakesNothingFromIt) {
  for (const RecallMode mode : {RecallMode::kParkerOnly, RecallMode::kRingGroupOnly}) {
    store.recall.mode = mode;
    store.recall.attempts_max = 1;
    phones.target_status = 0;
    phones.called.clear();
    const ParkId id = park();
    pass(seconds(91));
    ASSERT_TRUE(target_of(id));
    const CallId call = dial("102", "*88101");
    while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
    while (target_of(id)) ASSERT_TRUE(steps.next());
    phones.end_call(call);
    pass(seconds(9));
    EXPECT_EQ(called().size(), 1U);
    pass(seconds(2));
    EXPECT_EQ(called().size(), 2U) << "the same once more";
    EXPECT_TRUE(hears_music(id));
    pass(seconds(25));
    EXPECT_EQ(store.removed.count(id), 0U);
    hang_up(id, PartyEnd::kCaller);
    settle();
  }
  end_all();
}

TEST_F(ParkRecallTest, S13_ADatabaseThatIsAwayForAMomentEndsNoCall) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  const ParkId id = park();
  pass(seconds(88));
  store.is_away = true;
  pass(seconds(5));
  store.come_back();
  pass(seconds(30));
  EXPECT_EQ(store.removed.count(id), 0U) << "nobody was called, and the caller was hung up";
  EXPECT_THAT(called(), ElementsAre("600"));
  end_all();
}

TEST_F(ParkRecallTest, R6_TheParkerAnswersAndHangsUpAndTheCallEnds) {
  const ParkId id = park();
  pass(seconds(91));
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_TRUE(store.rows.empty());
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkRecallTest, R6_TheParkerAnswersAndHangsUpBeforeTheyAreJoinedAndTheCallEnds) {
  const ParkId id = park();
  test::pass(loop, seconds(91));
  step_until_called(1);
  while (!target_of(id)->answered) ASSERT_TRUE(steps.next());
  phones.hang_up_target(conversation_of(id));
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(ParkRecallTest, R5_ACallerWhoRefusesTheParkersMediaHearsMusicAgainAndTheLadderGoesOn) {
  const ParkId id = park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  pass(seconds(91));
  EXPECT_FALSE(target_of(id)) << "the one who answered is hung up";
  EXPECT_EQ(only_row().state, RowState::kParked);
  phones.caller_reply = FakePhones::Reply::kAccept;
  pass(seconds(6));
  EXPECT_TRUE(hears_music(id));
  pass(seconds(6));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

TEST_F(ParkRecallTest, R6_ACallerWhoHangsUpStopsTheRinging) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(91));
  ASSERT_TRUE(target_of(id));
  hang_up(id, PartyEnd::kCaller);
  settle();
  EXPECT_TRUE(phones.conversations.empty()) << "and with it the call that rang";
  EXPECT_EQ(store.removed.at(id), park::EndReason::kGaveUp);
  end_all();
}

TEST_F(ParkRecallTest, S12_ACallThatIsParkedAgainHasALadderOfItsOwn) {
  phones.status_of["101"] = 486;
  const ParkId id = park();
  pass(seconds(91));
  pass(seconds(10));
  EXPECT_EQ(only_row().recall_progress.attempts, 2U);
  dial("102", "*88101");
  settle();
  refer_of_peer(id, "102", "*68");
  settle();
  EXPECT_EQ(only_row().recall_progress, park::RecallProgress{});
  hang_up(id, PartyEnd::kPeer);
  pass(seconds(89));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  pass(seconds(2));
  EXPECT_THAT(called(), ElementsAre("101", "101", "102")) << "whoever parked it last";
  end_all();
}

// ---- parkd is killed ----

TEST_F(ParkRecallTest, O4_KilledWhileTheCallWaitsTheRecallComesAtItsTime) {
  park();
  pass(seconds(60));
  restart();
  pass(seconds(29));
  EXPECT_THAT(called(), IsEmpty());
  pass(seconds(2));
  EXPECT_THAT(called(), ElementsAre("101"));
  end_all();
}

TEST_F(ParkRecallTest, O4_KilledForLongerThanTheCallWaitsTheRecallComesAtOnce) {
  park();
  kill();
  test::pass(loop, seconds(100));
  start();
  service->recover([] {});
  pass(seconds(1));
  EXPECT_THAT(called(), ElementsAre("101"));
  end_all();
}

TEST_F(ParkRecallTest, O4_KilledWhileThePhoneRingsItRingsOnForWhatIsLeftOfItsTime) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(100));
  restart();
  EXPECT_THAT(called(), ElementsAre("101", "101")) << "the same step once more";
  EXPECT_EQ(only_row().recall_progress, (park::RecallProgress{RecallTarget::kParker, 1, true})) << "and not counted twice";
  EXPECT_TRUE(hears_music(id));
  pass(seconds(19));
  EXPECT_TRUE(target_of(id));
  pass(seconds(2));
  EXPECT_FALSE(target_of(id));
  end_all();
}

TEST_F(ParkRecallTest, O4_KilledBetweenTwoAttemptsTheNextOneComesAtItsTime) {
  phones.target_status = 486;
  park();
  pass(seconds(91));
  restart();
  EXPECT_THAT(called(), ElementsAre("101"));
  pass(seconds(10));
  EXPECT_EQ(called().size(), 2U);
  pass(seconds(10));
  EXPECT_EQ(called().size(), 3U);
  EXPECT_EQ(service->calls(), 0U) << "three attempts, parkd's life and death notwithstanding";
  end_all();
}

TEST_F(ParkRecallTest, O4_KilledWhenTheAnswerHadWonTheRowTheCallerHearsMusicAndTheLadderGoesOn) {
  const ParkId id = park();
  test::pass(loop, seconds(91));
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  restart();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(id));
  EXPECT_THAT(phones.byes, ElementsAre("peer target-101")) << "who answered has nobody to talk to";
  pass(seconds(31));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

// At each moment of a recall: killed and started again, and when all is over the caller talks to the parker.
TEST(ParkRecallMoments, O4_KilledAtAnyMomentTheLadderGoesOnAndNobodyIsLost) {
  for (int moment = 0;; ++moment) {
    SCOPED_TRACE(moment);
    ParkWorld world;
    world.store.recall = usual_recall();
    const ParkId id = world.park();
    test::pass(world.loop, seconds(90));
    bool is_over = false;
    for (int step = 0; step < moment; ++step) is_over = !world.steps.next();
    world.restart();
    world.pass(seconds(45));
    ASSERT_TRUE(world.conversation_of(id));
    EXPECT_EQ(world.conversation(id).hears, "101");
    EXPECT_TRUE(world.conversation(id).is_bridged);
    EXPECT_LE(world.phones.called.size(), 2U);
    world.end_all();
    if (is_over || HasFailure()) break;
  }
}

}  // namespace
}  // namespace callpark
