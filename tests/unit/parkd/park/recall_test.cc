#include "parkd/park/recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace callpark::park::recall {
namespace {

std::string_view name_of(RecallTarget target) {
  static constexpr std::string_view kNames[] = {"none", "parker", "ring group", "fallback"};
  return kNames[static_cast<std::size_t>(target)];
}

// The targets in order if none ever answers; no more than `steps_max`.
std::vector<std::string_view> all_targets(const RecallPolicy& policy, RecallProgress progress,
                                          std::size_t steps_max = 50) {
  std::vector<std::string_view> called;
  while (called.size() < steps_max) {
    const RecallTarget next = next_target(policy, progress);
    if (next == RecallTarget::kNone) break;
    called.push_back(name_of(next));
    progress = advanced(policy, progress, next);
    EXPECT_EQ(progress.target, next);
    EXPECT_TRUE(progress.is_calling);
    progress.is_calling = false;
  }
  return called;
}

struct Steps {
  const char* name;
  RecallPolicy policy;
  std::vector<std::string_view> called;
};

class RecallSteps : public testing::TestWithParam<Steps> {};

TEST_P(RecallSteps, R4_EveryRecallEnds) {
  EXPECT_EQ(all_targets(GetParam().policy, {}), GetParam().called);
}

INSTANTIATE_TEST_SUITE_P(
    Of, RecallSteps,
    testing::Values(
        Steps{"R1_ParkerOnce", {RecallMode::kParkerOnly, 1, false}, {"parker"}},
        Steps{"R1_ParkerThrice", {RecallMode::kParkerOnly, 3, false}, {"parker", "parker", "parker"}},
        Steps{"R4_ParkerTwiceThenFallback", {RecallMode::kParkerOnly, 2, true}, {"parker", "parker", "fallback"}},
        Steps{"R4_ParkerTenTimes",
              {RecallMode::kParkerOnly, 10, true},
              {"parker", "parker", "parker", "parker", "parker", "parker", "parker", "parker", "parker", "parker",
               "fallback"}},
        Steps{"R2_ParkerThenRingGroup", {RecallMode::kParkerThenRingGroup, 3, false}, {"parker", "ring group"}},
        Steps{"R2_ParkerThenRingGroupThenFallback",
              {RecallMode::kParkerThenRingGroup, 3, true},
              {"parker", "ring group", "fallback"}},
        Steps{"R2_ParkerIsCalledOnceEvenIfEndless",
              {RecallMode::kParkerThenRingGroup, 0, true},
              {"parker", "ring group", "fallback"}},
        Steps{"R3_RingGroup", {RecallMode::kRingGroupOnly, 3, false}, {"ring group"}},
        Steps{"R3_RingGroupThenFallback", {RecallMode::kRingGroupOnly, 0, true}, {"ring group", "fallback"}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Recall, R4_WithoutALimitOnlyTheParkerIsCalledForEver) {
  const RecallPolicy endless{RecallMode::kParkerOnly, 0, true};
  EXPECT_THAT(all_targets(endless, {}, 1000), testing::AllOf(testing::SizeIs(1000), testing::Each("parker")));
}

TEST(Recall, WithoutALimitAttemptsAreNotCounted) {
  const RecallPolicy endless{RecallMode::kParkerOnly, 0, false};
  EXPECT_EQ(advanced(endless, {}, RecallTarget::kParker), (RecallProgress{RecallTarget::kParker, 0, true}));
}

TEST(Recall, OnlyCallsOfTheParkerAreCounted) {
  const RecallPolicy policy{RecallMode::kParkerThenRingGroup, 3, true};
  RecallProgress progress = advanced(policy, {}, RecallTarget::kParker);
  EXPECT_EQ(progress.attempts, 1U);
  progress = advanced(policy, progress, RecallTarget::kRingGroup);
  EXPECT_EQ(progress.attempts, 1U);
  EXPECT_EQ(advanced(policy, progress, RecallTarget::kFallback), (RecallProgress{RecallTarget::kFallback, 1, true}));
}

// Whatever a row has, by whatever settings: read again it leads to an end.
TEST(Recall, R4_FromEveryStepThatARowCanNameThereIsAnEnd) {
  for (const RecallMode mode :
       {RecallMode::kParkerOnly, RecallMode::kParkerThenRingGroup, RecallMode::kRingGroupOnly}) {
    for (const bool has_fallback : {false, true}) {
      for (std::uint32_t attempts_max = 1; attempts_max <= 10; ++attempts_max) {
        for (const RecallTarget target :
             {RecallTarget::kNone, RecallTarget::kParker, RecallTarget::kRingGroup, RecallTarget::kFallback}) {
          for (std::uint32_t attempts = 0; attempts <= 11; ++attempts) {
            const auto called =
                all_targets({mode, attempts_max, has_fallback}, RecallProgress{target, attempts, false}, 100);
            EXPECT_LE(called.size(), 11U);
            EXPECT_LE(std::count(called.begin(), called.end(), "fallback"), has_fallback ? 1 : 0);
            if (target == RecallTarget::kFallback) {
              EXPECT_THAT(called, testing::IsEmpty()) << "no target comes after the fallback";
            }
          }
        }
      }
    }
  }
}

// ---- the machine

constexpr RecallPolicy kParkerOnce{RecallMode::kParkerOnly, 1, false};

template <class P>
const P& phase_of(const Decision& decision) {
  return std::get<P>(decision.next.phase);
}

State calling_parker(const RecallPolicy& policy) {
  const State waiting = begin({{}, policy, {}, 0}).next;
  const Decision writes = decide(waiting, TimerFired{Timer::kRecall});
  return decide(writes.next, RowWritten{phase_of<Writing>(writes).write}).next;
}

TEST(Recall, WithoutAPolicyItIsOff) {
  const Decision decision = begin({{}, {}, {}, 0});
  EXPECT_TRUE(std::holds_alternative<Off>(decision.next.phase));
  EXPECT_TRUE(decision.actions.empty());
}

TEST(Recall, StepIsWrittenBeforeItsTargetIsCalled) {
  const State waiting = begin({{}, kParkerOnce, {}, 0}).next;
  const Decision writes = decide(waiting, TimerFired{Timer::kRecall});
  EXPECT_EQ(writes.next.progress, (RecallProgress{RecallTarget::kParker, 1, true}));
  const Question write = phase_of<Writing>(writes).write;
  EXPECT_EQ(std::get<WriteParked>(writes.actions.back()).question, write);
  const Decision calls = decide(writes.next, RowWritten{write});
  EXPECT_EQ(std::get<CallRecallTarget>(calls.actions.front()).target, RecallTarget::kParker);
}

TEST(Recall, StepThatIsNotWrittenDoesNotCount) {
  const Decision writes = decide(begin({{}, kParkerOnce, {}, 0}).next, TimerFired{Timer::kRecall});
  const Decision waits = decide(writes.next, RowNotWritten{phase_of<Writing>(writes).write});
  const Decision again = decide(waits.next, TimerFired{Timer::kRecall});
  EXPECT_EQ(again.next.progress, (RecallProgress{RecallTarget::kParker, 1, true}));
}

TEST(Recall, LateAnswerChangesNothing) {
  const State calling = calling_parker(kParkerOnce);
  const Question other = std::get<Calling>(calling.phase).call - 1;
  const Decision decision = decide(calling, TargetRefused{other});
  EXPECT_EQ(decision.next.phase, calling.phase);
  EXPECT_TRUE(decision.actions.empty());
}

TEST(Recall, R4_AfterTheLastTargetNoTargetIsLeft) {
  const State calling = calling_parker(kParkerOnce);
  const Decision decision = decide(calling, TargetRefused{std::get<Calling>(calling.phase).call});
  EXPECT_EQ(decision.outcome, Outcome::kNoTargetLeft);
}

TEST(Recall, TargetThatAnswersWinsTheRow) {
  const State calling = calling_parker(kParkerOnce);
  const Decision claims = decide(calling, TargetAnswered{std::get<Calling>(calling.phase).call});
  const Decision won = decide(claims.next, RecallClaimed{phase_of<Claiming>(claims).claim});
  EXPECT_EQ(won.outcome, Outcome::kClaimed);
}

TEST(Recall, RecallStoppedDuringACallEndsThatCall) {
  const Decision decision = stop(calling_parker(kParkerOnce));
  EXPECT_TRUE(std::holds_alternative<Off>(decision.next.phase));
  EXPECT_TRUE(std::holds_alternative<EndTarget>(decision.actions.front()));
}

}  // namespace
}  // namespace callpark::park::recall
