// A recall against a retrieve, a hang-up, and the death of parkd.
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

class RecallRacesTest : public testing::Test, public RecallWorld {};

TEST_F(RecallRacesTest, R6_RetrieveBeforeTheRecallStopsIt) {
  park();
  pass(seconds(80));
  dial("102", "*88101");
  pass(seconds(300));
  EXPECT_THAT(called(), IsEmpty());
  end_all();
}

TEST_F(RecallRacesTest, R6_RetrieveWhileTheTargetRingsWins) {
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

// At each moment from the deadline of the recall on: one of the two has the caller, and the other is refused.
TEST(RecallMoments, R6_RetrieveAtAnyMomentOfARecallHasOneOutcome) {
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

TEST_F(RecallRacesTest, R6_TargetThatAnswersAfterTheRetrieveGetsABye) {
  const ParkId id = park();
  test::pass(loop, seconds(91));
  step_until_called(1);
  const CallId call = dial("102", "*88101");
  // The target answers when the retriever has the row, and before parkd knows of it.
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next_of("look-up") || steps.next_of("claim"));
  while (!target_of(id)->answered) ASSERT_TRUE(steps.next_of("target"));
  settle();
  EXPECT_EQ(status_of_call(call), 200);
  EXPECT_EQ(conversation(id).hears, "102");
  EXPECT_FALSE(target_of(id)) << "hung up";
  end_all();
}

TEST_F(RecallRacesTest, R6_UndoneRetrieveLeavesTheRecallItsTime) {
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

TEST_F(RecallRacesTest, R6_UndoneRetrieveRepeatsTheLastStep) {
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

TEST_F(RecallRacesTest, S13_MomentWithoutDatabaseEndsNoCall) {
  store.recall.mode = RecallMode::kRingGroupOnly;
  const ParkId id = park();
  pass(seconds(88));
  store.is_away = true;
  pass(seconds(5));
  store.come_back();
  pass(seconds(30));
  EXPECT_EQ(store.removed.count(id), 0U) << "no target was called, and the caller got a BYE";
  EXPECT_THAT(called(), ElementsAre("600"));
  end_all();
}

TEST_F(RecallRacesTest, R6_ParkerAnswersAndHangsUpAndTheCallEnds) {
  const ParkId id = park();
  pass(seconds(91));
  hang_up(id, PartyEnd::kPeer);
  settle();
  EXPECT_THAT(phones.byes, ElementsAre("caller call-1"));
  EXPECT_TRUE(store.rows.empty());
  EXPECT_EQ(service->calls(), 0U);
  end_all();
}

TEST_F(RecallRacesTest, R6_ParkerHangsUpBeforeTheJoinAndTheCallEnds) {
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

TEST_F(RecallRacesTest, R5_CallerRefusesTheTargetAndTheRecallGoesOn) {
  const ParkId id = park();
  phones.caller_reply = FakePhones::Reply::kRefuse;
  pass(seconds(91));
  EXPECT_FALSE(target_of(id)) << "the target that answered gets a BYE";
  EXPECT_EQ(only_row().state, RowState::kParked);
  phones.caller_reply = FakePhones::Reply::kAccept;
  pass(seconds(6));
  EXPECT_TRUE(hears_music(id));
  pass(seconds(6));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

TEST_F(RecallRacesTest, R6_CallerThatHangsUpStopsTheRinging) {
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

TEST_F(RecallRacesTest, S12_ReparkedCallHasARecallOfItsOwn) {
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
  EXPECT_THAT(called(), ElementsAre("101", "101", "102")) << "the last parker";
  end_all();
}

// ---- parkd is killed ----

TEST_F(RecallRacesTest, O4_RecallComesAtItsTimeAfterARestart) {
  park();
  pass(seconds(60));
  restart();
  pass(seconds(29));
  EXPECT_THAT(called(), IsEmpty());
  pass(seconds(2));
  EXPECT_THAT(called(), ElementsAre("101"));
  end_all();
}

TEST_F(RecallRacesTest, O4_RecallThatIsOverdueAfterARestartComesAtOnce) {
  park();
  kill();
  test::pass(loop, seconds(100));
  start();
  service->recover([] {});
  pass(seconds(1));
  EXPECT_THAT(called(), ElementsAre("101"));
  end_all();
}

TEST_F(RecallRacesTest, O4_TargetRingsForTheRestOfItsTimeAfterARestart) {
  phones.target_status = 0;
  const ParkId id = park();
  pass(seconds(100));
  restart();
  EXPECT_THAT(called(), ElementsAre("101", "101")) << "the same step once more";
  EXPECT_EQ(only_row().recall_progress, (park::RecallProgress{RecallTarget::kParker, 1, true}))
      << "and not counted twice";
  EXPECT_TRUE(hears_music(id));
  pass(seconds(19));
  EXPECT_TRUE(target_of(id));
  pass(seconds(2));
  EXPECT_FALSE(target_of(id));
  end_all();
}

TEST_F(RecallRacesTest, O4_NextAttemptComesAtItsTimeAfterARestart) {
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

TEST_F(RecallRacesTest, O4_RecallGoesOnIfParkdDiesAfterTheTargetWon) {
  const ParkId id = park();
  test::pass(loop, seconds(91));
  while (only_row().state != RowState::kRetrieving) ASSERT_TRUE(steps.next());
  restart();
  EXPECT_EQ(only_row().state, RowState::kParked);
  EXPECT_TRUE(hears_music(id));
  EXPECT_THAT(phones.byes, ElementsAre("peer target-101")) << "the target that answered has no other party";
  pass(seconds(31));
  EXPECT_THAT(called(), ElementsAre("101", "101"));
  EXPECT_EQ(conversation(id).hears, "101");
  end_all();
}

// At each moment of a recall: killed and started again, and when all is over the caller talks to the parker.
TEST(RecallMoments, O4_RecallGoesOnIfParkdDiesAtAnyMoment) {
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
    EXPECT_TRUE(world.talks_to(id, "101"));
    EXPECT_LE(world.phones.called.size(), 2U);
    world.end_all();
    if (is_over || HasFailure()) break;
  }
}

}  // namespace
}  // namespace callpark
