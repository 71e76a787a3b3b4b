// A parked call that is not retrieved is recalled, step by step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/service/recall_scene.h"

namespace callpark {
namespace {

using park::RecallMode;
using park::RecallTarget;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

class RecallTest : public testing::Test, public RecallWorld {};

TEST_F(RecallTest, R1_ParkerIsCalledAfterTheTimeAndNotBefore) {
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

TEST_F(RecallTest, R7_PermittedParkerSetsTheTimeOfOneCall) {
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

TEST_F(RecallTest, R1_ParkerAnswersAndTheRowRecordsTheTalk) {
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_TRUE(talks_to(id, "101"));
  EXPECT_EQ(only_row().state, RowState::kRetrieved);
  EXPECT_EQ(only_row().orbit, "");
  EXPECT_EQ(retriever_of(only_row()), "101");
  EXPECT_EQ(only_row().peer->call_id, "target-101");
  EXPECT_TRUE(media.sessions.empty());
  EXPECT_EQ(service->parked_calls(), 0U);
  EXPECT_THAT(phones.byes, IsEmpty());
  pass(seconds(3600));
  EXPECT_THAT(called(), ElementsAre("101")) << "no target is called while the two talk";
  EXPECT_TRUE(conversation(id).is_bridged);
  end_all();
}

TEST_F(RecallTest, R1_CallParkedElsewhereComesBackToItsParker) {
  refer("101", "*68105");
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("101"));
  EXPECT_EQ(recalled_orbit(phones.called.front()), "105") << "the orbit, for the display";
  end_all();
}

TEST_F(RecallTest, R1_BusyParkerIsCalledAgainAndThenTheCallEnds) {
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

TEST_F(RecallTest, R1_ParkerThatDoesNotAnswerRingsItsTimeAndIsCalledAgain) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(91));
  pass(seconds(28));
  EXPECT_TRUE(target_of(id));
  pass(seconds(2));
  EXPECT_FALSE(target_of(id)) << "the phone rings no longer";
  EXPECT_TRUE(hears_music(id));
  phones.target_status = 200;
  pass(seconds(10));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

class FailedRecall : public RecallTest, public testing::WithParamInterface<int> {};

TEST_P(FailedRecall, R5_EveryFailureLeadsToTheNextStepWithMusic) {
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

TEST_F(RecallTest, R4_ParkerIsCalledWithoutEndIfThereIsNoLimit) {
  phones.target_status = 486;
  store.recall.attempts_max = 0;
  const ParkId id = park();
  pass(seconds(91));
  while (called().size() < 100U) pass(seconds(5));
  EXPECT_TRUE(hears_music(id));
  EXPECT_EQ(only_row().recall_progress.attempts, 0U);
  end_all();
}

TEST_F(RecallTest, L5_RecallEndsAtTheDeadlineOfTheCall) {
  phones.target_status = 486;
  store.recall.attempts_max = 0;
  store.park_seconds_max = 120;
  const ParkId id = park();
  pass(seconds(121));
  EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(RecallTest, L5_RingingTargetStopsAtTheDeadline) {
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

TEST_F(RecallTest, NoTargetIsCalledIfRecallIsOff) {
  store.recall.mode = RecallMode::kOff;
  park();
  pass(seconds(3500));
  EXPECT_THAT(called(), IsEmpty());
  EXPECT_EQ(service->parked_calls(), 1U);
  end_all();
}

TEST_F(RecallTest, R7_SettingsAreThoseOfTheMomentOfThePark) {
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

TEST_F(RecallTest, R2_ParkerRingsItsTimeAndThenTheRingGroup) {
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

TEST_F(RecallTest, R2_RingGroupFollowsABusyParkerAtOnce) {
  store.recall.mode = RecallMode::kParkerThenRingGroup;
  phones.status_of["101"] = 486;
  const ParkId id = park();
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("101", "600"));
  EXPECT_EQ(conversation(id).hears, "600");
  end_all();
}

TEST_F(RecallTest, R3_RingGroupIsCalledFirst) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  park();
  pass(seconds(91));
  EXPECT_THAT(called(), ElementsAre("600"));
  EXPECT_EQ(retriever_of(only_row()), "600");
  end_all();
}

TEST_F(RecallTest, R2_RingGroupRingsAsLongAsItsOwnRouting) {
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

TEST_F(RecallTest, R4_FallbackFollowsTheLastAttempt) {
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

TEST_F(RecallTest, X17_TheFallbackRingsForItsSeconds) {
  store.recall.mode = park::RecallMode::kParkerOnly;
  store.recall.attempts_max = 1;
  store.recall.fallback_destination = "104";
  store.recall.fallback_ring_seconds = 40;
  phones.status_of["101"] = 486;
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(92));
  ASSERT_THAT(called(), ElementsAre("101", "104"));
  pass(seconds(37));
  EXPECT_TRUE(target_of(id));
  pass(seconds(4));
  EXPECT_FALSE(target_of(id)) << "the fallback rings no longer";
  EXPECT_EQ(store.removed.at(id), park::EndReason::kTimedOut);
  end_all();
}

TEST_F(RecallTest, R4_CallEndsIfTheFallbackFails) {
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

// ---- the row is written before a target is called ----

TEST_F(RecallTest, O4_RowOfAParkedCallHasItsRecall) {
  park();
  EXPECT_EQ(only_row().recall_deadline, only_row().parked_at + seconds(90));
  EXPECT_EQ(only_row().recall_progress, park::RecallProgress{});
  EXPECT_EQ(only_row().recall, store.recall);
  end_all();
}

TEST_F(RecallTest, O4_EachStepIsWrittenBeforeItsTargetIsCalled) {
  phones.target_status = 486;
  store.recall.fallback_destination = "104";
  park();
  std::vector<park::RecallProgress> progress;
  for (std::size_t step = 1; step <= 4; ++step) {
    while (phones.called.size() < step) {
      if (!steps.next()) test::pass(loop, Duration(100));
    }
    progress.push_back(only_row().recall_progress);
    const Duration rings = step <= 3 ? seconds(30) : seconds(60);
    EXPECT_NEAR(static_cast<double>((only_row().recall_deadline - wall_now()).count()),
                static_cast<double>(rings.count()), 1000);
  }
  EXPECT_THAT(progress, ElementsAre(park::RecallProgress{RecallTarget::kParker, 1, true},
                                    park::RecallProgress{RecallTarget::kParker, 2, true},
                                    park::RecallProgress{RecallTarget::kParker, 3, true},
                                    park::RecallProgress{RecallTarget::kFallback, 3, true}));
  end_all();
}

TEST_F(RecallTest, O4_RowHasTheTimeOfTheNextAttempt) {
  phones.target_status = 486;
  park();
  pass(seconds(91));
  EXPECT_EQ(only_row().recall_progress, (park::RecallProgress{RecallTarget::kParker, 1, false}));
  EXPECT_NEAR(static_cast<double>((only_row().recall_deadline - only_row().parked_at).count()), 100'000, 2000);
  end_all();
}

TEST_F(RecallTest, S13_NoTargetIsCalledWhileTheDatabaseIsAway) {
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

TEST_F(RecallTest, S13_AnsweringTargetGetsAByeIfTheDatabaseIsAway) {
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

}  // namespace
}  // namespace callpark
