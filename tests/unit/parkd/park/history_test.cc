#include "parkd/park/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace callpark::park {
namespace {

using Kind = Happening::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

State in_phase(Phase phase) {
  State state;
  state.phase = std::move(phase);
  return state;
}

std::vector<Happening> happenings(Recorded recorded, const State& before, const Decision& decision) {
  return record(recorded, before, decision).happenings;
}

TEST(History, StayIsRecordedAsParkedOnce) {
  const Decision parks{in_phase(Parked{}), {CommitStay{}}};
  const History history = record(Recorded::kNothing, in_phase(Recording{}), parks);
  EXPECT_THAT(history.happenings, ElementsAre(Happening{Kind::kParked}));
  EXPECT_THAT(happenings(history.recorded, in_phase(Joining{}), parks), IsEmpty());
}

TEST(History, RetrieveIsRecordedOnceTheTwoTalk) {
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Joining{}), {in_phase(Confirming{}), {}}), IsEmpty());
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Confirming{}), {in_phase(Talking{}), {}}),
              ElementsAre(Happening{Kind::kRetrieved}));
}

TEST(History, RecallIsRecordedWithItsTarget) {
  State recalling = in_phase(Recalling{});
  recalling.recall_progress = {RecallTarget::kRingGroup, 1, true};
  EXPECT_THAT(happenings(Recorded::kWaiting, recalling, {in_phase(Talking{}), {}}),
              ElementsAre(Happening{Kind::kRecalled, RecallTarget::kRingGroup}));
}

TEST(History, ReparkThatFailsIsNotRecorded) {
  EXPECT_THAT(happenings(Recorded::kTalking, in_phase(Returning{}), {in_phase(Talking{}), {WithdrawStay{}}}),
              IsEmpty());
}

TEST(History, CallerThatLeavesWhileParkedHasGivenUp) {
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Parked{}), {State{}, {RemoveRow{EndReason::kGaveUp}}}),
              ElementsAre(Happening{Kind::kGaveUp, RecallTarget::kNone, EndReason::kGaveUp}));
}

TEST(History, CallerThatLeavesDuringAReparkHasHungUp) {
  EXPECT_THAT(happenings(Recorded::kTalking, in_phase(Recording{}), {State{}, {RemoveRow{EndReason::kGaveUp}}}),
              ElementsAre(Happening{Kind::kEnded, RecallTarget::kNone, EndReason::kHungUp}));
}

TEST(History, CallThatReachesItsDeadlineHasTimedOut) {
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Parked{}), {State{}, {RemoveRow{EndReason::kTimedOut}}}),
              ElementsAre(Happening{Kind::kEnded, RecallTarget::kNone, EndReason::kTimedOut}));
}

TEST(History, CallThatWasNeverParkedHasNoEnd) {
  EXPECT_THAT(happenings(Recorded::kNothing, in_phase(Talking{}), {State{}, {RemoveRow{EndReason::kHungUp}}}),
              IsEmpty());
}

TEST(History, RowNamesWhatIsRecorded) {
  EXPECT_EQ(recorded_in(RowState::kAdopting, true), Recorded::kNothing);
  EXPECT_EQ(recorded_in(RowState::kParked, true), Recorded::kWaiting);
  EXPECT_EQ(recorded_in(RowState::kRetrieving, true), Recorded::kWaiting);
  EXPECT_EQ(recorded_in(RowState::kRetrieved, true), Recorded::kTalking);
  EXPECT_EQ(recorded_in(RowState::kRetrieved, false), Recorded::kNothing) << "it came from a menu";
}

TEST(History, CallThatIsResumedWhileAdoptingIsRecordedAsParked) {
  EXPECT_THAT(happenings(recorded_in(RowState::kAdopting, true), State{}, resume(Found::kUncertain, {}, {})),
              ElementsAre(Happening{Kind::kParked}));
  EXPECT_THAT(happenings(recorded_in(RowState::kParked, true), State{}, resume(Found::kParked, {}, {})), IsEmpty());
}

}  // namespace
}  // namespace callpark::park
