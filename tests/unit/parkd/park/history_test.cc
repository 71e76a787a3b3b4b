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

TEST(History, AStayIsParkedOnce) {
  const Decision parks{in_phase(Parked{}), {CommitStay{}}};
  const History history = record(Recorded::kNothing, in_phase(Recording{}), parks);
  EXPECT_THAT(history.happenings, ElementsAre(Happening{Kind::kParked}));
  EXPECT_THAT(happenings(history.recorded, in_phase(Joining{}), parks), IsEmpty());
}

TEST(History, ARetrieveIsRecordedWhenTheTwoTalk) {
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Joining{}), {in_phase(Confirming{}), {}}), IsEmpty());
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Confirming{}), {in_phase(Talking{}), {}}),
              ElementsAre(Happening{Kind::kRetrieved}));
}

TEST(History, ARecallIsRecordedWithItsTarget) {
  State recalling = in_phase(Recalling{});
  recalling.recall_progress = {RecallTarget::kRingGroup, 1, true};
  EXPECT_THAT(happenings(Recorded::kWaiting, recalling, {in_phase(Talking{}), {}}),
              ElementsAre(Happening{Kind::kRecalled, RecallTarget::kRingGroup}));
}

TEST(History, AReparkThatFailedIsNotARetrieve) {
  EXPECT_THAT(happenings(Recorded::kTalking, in_phase(Returning{}), {in_phase(Talking{}), {WithdrawStay{}}}),
              IsEmpty());
}

TEST(History, ACallerThatWaitsHasGivenUp) {
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Parked{}), {State{}, {RemoveRow{EndReason::kGaveUp}}}),
              ElementsAre(Happening{Kind::kGaveUp, RecallTarget::kNone, EndReason::kGaveUp}));
}

TEST(History, ACallerThatEndsItsReparkHasHungUp) {
  EXPECT_THAT(happenings(Recorded::kTalking, in_phase(Recording{}), {State{}, {RemoveRow{EndReason::kGaveUp}}}),
              ElementsAre(Happening{Kind::kEnded, RecallTarget::kNone, EndReason::kHungUp}));
}

TEST(History, ADeadlineEndsACall) {
  EXPECT_THAT(happenings(Recorded::kWaiting, in_phase(Parked{}), {State{}, {RemoveRow{EndReason::kTimedOut}}}),
              ElementsAre(Happening{Kind::kEnded, RecallTarget::kNone, EndReason::kTimedOut}));
}

TEST(History, ACallThatWasNeverParkedHasNone) {
  EXPECT_THAT(happenings(Recorded::kNothing, in_phase(Talking{}), {State{}, {RemoveRow{EndReason::kHungUp}}}),
              IsEmpty());
}

TEST(History, ARowHasWhatIsRecorded) {
  EXPECT_EQ(recorded_in(RowState::kAdopting), Recorded::kNothing);
  EXPECT_EQ(recorded_in(RowState::kParked), Recorded::kWaiting);
  EXPECT_EQ(recorded_in(RowState::kRetrieving), Recorded::kWaiting);
  EXPECT_EQ(recorded_in(RowState::kRetrieved), Recorded::kTalking);
}

TEST(History, ACallThatIsFoundAdoptingIsParkedWhenItGoesOn) {
  EXPECT_THAT(happenings(recorded_in(RowState::kAdopting), State{}, resume(Found::kUncertain, {}, {})),
              ElementsAre(Happening{Kind::kParked}));
  EXPECT_THAT(happenings(recorded_in(RowState::kParked), State{}, resume(Found::kParked, {}, {})), IsEmpty());
}

}  // namespace
}  // namespace callpark::park
