#include "parkd/park/segments.h"

#include <gtest/gtest.h>

#include <utility>

namespace callpark::park {
namespace {

constexpr OpenSegment kTalkBefore{SegmentKind::kTalkBefore};
constexpr OpenSegment kParked{SegmentKind::kParked};
constexpr OpenSegment kTalkFromMenu{SegmentKind::kTalk};
constexpr OpenSegment kTalkAfter{SegmentKind::kTalkAfter};
constexpr OpenSegment kParkerCalled{SegmentKind::kRecall, RecallTarget::kParker};
constexpr OpenSegment kGroupCalled{SegmentKind::kRecall, RecallTarget::kRingGroup};

State in_phase(Phase phase, const RecallProgress& progress = {}) {
  State state;
  state.phase = std::move(phase);
  state.recall_progress = progress;
  return state;
}

const Decision kEnds{State{}, {RemoveRow{EndReason::kHungUp}}};

using Change = std::optional<SegmentChange>;

TEST(Segments, B4_TalkEndsWhenTheStayIsRecorded) {
  const Decision parks{in_phase(Parked{}), {CommitStay{}}};
  EXPECT_EQ(next_change(kTalkBefore, Recorded::kNothing, in_phase(Recording{}), parks), Change());
  EXPECT_EQ(next_change(kTalkBefore, Recorded::kWaiting, in_phase(Recording{}), parks),
            (SegmentChange{SegmentEnd::kParked, kParked}));
  EXPECT_EQ(next_change(kTalkAfter, Recorded::kWaiting, in_phase(Recording{}), parks),
            (SegmentChange{SegmentEnd::kParked, kParked}));
}

TEST(Segments, B4_AttemptBeginsWithItsStepAndEndsWithItsTarget) {
  const State calling = in_phase(Parked{}, {RecallTarget::kParker, 1, true});
  const State waiting = in_phase(Parked{}, {RecallTarget::kParker, 1, false});
  EXPECT_EQ(next_change(kParked, Recorded::kWaiting, waiting, {calling, {}}),
            (SegmentChange{SegmentEnd::kRecalling, kParkerCalled}));
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kWaiting, calling, {calling, {}}), Change()) << "repeated";
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kWaiting, calling, {waiting, {}}),
            (SegmentChange{SegmentEnd::kNotTaken, kParked}));
}

TEST(Segments, B4_NextTargetIsTheNextAttempt) {
  const State parker = in_phase(Parked{}, {RecallTarget::kParker, 1, true});
  const State group = in_phase(Parked{}, {RecallTarget::kRingGroup, 1, true});
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kWaiting, parker, {group, {}}),
            (SegmentChange{SegmentEnd::kNotTaken, kGroupCalled}));
}

TEST(Segments, B4_RetrieveDuringAnAttemptEndsIt) {
  const RecallProgress calling{RecallTarget::kParker, 1, true};
  EXPECT_EQ(
      next_change(kParkerCalled, Recorded::kWaiting, in_phase(Parked{}, calling), {in_phase(Joining{}, calling), {}}),
      Change());
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kTalking, in_phase(Confirming{}, calling),
                        {in_phase(Talking{}, calling), {}}),
            (SegmentChange{SegmentEnd::kRetrieved, kTalkAfter}));
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kTalking, in_phase(Recalling{}, calling),
                        {in_phase(Talking{}, calling), {}}),
            (SegmentChange{SegmentEnd::kRecalled, kTalkAfter}));
}

TEST(Segments, B4_EndOfACallHasItsReason) {
  const Decision gives_up{State{}, {RemoveRow{EndReason::kGaveUp}}};
  const Decision times_out{State{}, {RemoveRow{EndReason::kTimedOut}}};
  EXPECT_EQ(next_change(kParked, Recorded::kWaiting, in_phase(Parked{}), gives_up),
            (SegmentChange{SegmentEnd::kGaveUp, {}}));
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kWaiting, in_phase(Parked{}), times_out),
            (SegmentChange{SegmentEnd::kTimedOut, {}}));
  EXPECT_EQ(next_change(kTalkAfter, Recorded::kTalking, in_phase(Talking{}), kEnds),
            (SegmentChange{SegmentEnd::kHungUp, {}}));
  EXPECT_EQ(next_change(kTalkAfter, Recorded::kTalking, in_phase(Recording{}), gives_up),
            (SegmentChange{SegmentEnd::kHungUp, {}}))
      << "in a park that was not complete";
}

TEST(Segments, B4_F6_TalkFromAMenuEndsWithTheCallOrAPark) {
  const State talks = in_phase(Talking{});
  // parkd ends the dialog of the party that is left.
  const Decision caller_hangs_up{State{}, {EndPeer{}, RemoveRow{EndReason::kHungUp}}};
  const Decision callee_hangs_up{State{}, {EndCaller{}, RemoveRow{EndReason::kHungUp}}};
  EXPECT_EQ(next_change(kTalkFromMenu, Recorded::kNothing, talks, caller_hangs_up),
            (SegmentChange{SegmentEnd::kCaller, {}}));
  EXPECT_EQ(next_change(kTalkFromMenu, Recorded::kNothing, talks, callee_hangs_up),
            (SegmentChange{SegmentEnd::kCallee, {}}));
  EXPECT_EQ(next_change(kTalkFromMenu, Recorded::kWaiting, in_phase(Recording{}), {in_phase(Parked{}), {CommitStay{}}}),
            (SegmentChange{SegmentEnd::kParked, kParked}));
  EXPECT_EQ(next_change(kTalkFromMenu, Recorded::kNothing, State{}, resume(Found::kRetrieved, {}, {})), Change());
  EXPECT_EQ(next_change(kTalkFromMenu, Recorded::kNothing, talks, {in_phase(Transferring{}), {}}), Change());
}

TEST(Segments, B4_CallThatWasNeverParkedHasNone) {
  EXPECT_EQ(next_change(kTalkBefore, Recorded::kNothing, in_phase(Talking{}), kEnds), Change());
  // As its row is taken over: the parker and the caller talk, with parkd between the two.
  EXPECT_EQ(next_change(kTalkBefore, Recorded::kTalking, State{}, resume(Found::kRetrieved, {}, {})), Change());
  EXPECT_EQ(next_change(kTalkBefore, Recorded::kTalking, in_phase(Talking{}), kEnds), Change());
}

TEST(Segments, B4_RowThatIsTakenOverGoesOnWithItsSegment) {
  const RecallProgress calling{RecallTarget::kParker, 1, true};
  const RecallPolicy policy{RecallMode::kParkerOnly, 1, false};
  const Decision taken_over = resume(Found::kParked, policy, calling);
  EXPECT_EQ(next_change(kParkerCalled, Recorded::kWaiting, State{}, taken_over), Change());
  EXPECT_EQ(next_change(kParked, Recorded::kWaiting, State{}, resume(Found::kParked, {}, {})), Change());
  // The row was written, and the stay not recorded yet.
  EXPECT_EQ(next_change(kTalkBefore, Recorded::kWaiting, State{}, resume(Found::kParked, {}, {})),
            (SegmentChange{SegmentEnd::kParked, kParked}));
}

}  // namespace
}  // namespace callpark::park
