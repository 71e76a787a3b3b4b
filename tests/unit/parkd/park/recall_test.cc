#include "parkd/park/recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace callpark::park {
namespace {

std::string_view name_of(RecallTarget target) {
  static constexpr std::string_view kNames[] = {"none", "parker", "ring group", "fallback"};
  return kNames[static_cast<std::size_t>(target)];
}

// Who is called, one after the other, when nobody ever answers; no more than `steps_max`.
std::vector<std::string_view> whole_ladder(const RecallPolicy& policy, Ladder ladder, std::size_t steps_max = 50) {
  std::vector<std::string_view> called;
  while (called.size() < steps_max) {
    const RecallTarget next = next_target(policy, ladder);
    if (next == RecallTarget::kNone) break;
    called.push_back(name_of(next));
    ladder = climb(policy, ladder, next);
    EXPECT_EQ(ladder.target, next);
    EXPECT_TRUE(ladder.is_calling);
    ladder.is_calling = false;
  }
  return called;
}

struct Climbed {
  const char* name;
  RecallPolicy policy;
  std::vector<std::string_view> called;
};

class RecallLadder : public testing::TestWithParam<Climbed> {};

TEST_P(RecallLadder, R4_EveryLadderEnds) {
  EXPECT_EQ(whole_ladder(GetParam().policy, {}), GetParam().called);
}

INSTANTIATE_TEST_SUITE_P(
    Of, RecallLadder,
    testing::Values(
        Climbed{"R1_ParkerOnce", {RecallMode::kParkerOnly, 1, false}, {"parker"}},
        Climbed{"R1_ParkerThrice", {RecallMode::kParkerOnly, 3, false}, {"parker", "parker", "parker"}},
        Climbed{"R4_ParkerTwiceThenFallback", {RecallMode::kParkerOnly, 2, true}, {"parker", "parker", "fallback"}},
        Climbed{"R4_ParkerTenTimes",
                {RecallMode::kParkerOnly, 10, true},
                {"parker", "parker", "parker", "parker", "parker", "parker", "parker", "parker", "parker", "parker",
                 "fallback"}},
        Climbed{"R2_ParkerThenRingGroup", {RecallMode::kParkerThenRingGroup, 3, false}, {"parker", "ring group"}},
        Climbed{"R2_ParkerThenRingGroupThenFallback",
                {RecallMode::kParkerThenRingGroup, 3, true},
                {"parker", "ring group", "fallback"}},
        Climbed{"R2_ParkerIsCalledOnceEvenIfEndless",
                {RecallMode::kParkerThenRingGroup, 0, true},
                {"parker", "ring group", "fallback"}},
        Climbed{"R3_RingGroup", {RecallMode::kRingGroupOnly, 3, false}, {"ring group"}},
        Climbed{"R3_RingGroupThenFallback", {RecallMode::kRingGroupOnly, 0, true}, {"ring group", "fallback"}}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Recall, R4_WithoutALimitTheParkerIsCalledForEverAndNobodyElse) {
  const RecallPolicy endless{RecallMode::kParkerOnly, 0, true};
  EXPECT_THAT(whole_ladder(endless, {}, 1000), testing::AllOf(testing::SizeIs(1000), testing::Each("parker")));
}

TEST(Recall, WithoutALimitNothingIsCounted) {
  const RecallPolicy endless{RecallMode::kParkerOnly, 0, false};
  EXPECT_EQ(climb(endless, {}, RecallTarget::kParker), (Ladder{RecallTarget::kParker, 0, true}));
}

TEST(Recall, OnlyCallsOfTheParkerAreCounted) {
  const RecallPolicy policy{RecallMode::kParkerThenRingGroup, 3, true};
  Ladder ladder = climb(policy, {}, RecallTarget::kParker);
  EXPECT_EQ(ladder.attempts, 1U);
  ladder = climb(policy, ladder, RecallTarget::kRingGroup);
  EXPECT_EQ(ladder.attempts, 1U);
  EXPECT_EQ(climb(policy, ladder, RecallTarget::kFallback), (Ladder{RecallTarget::kFallback, 1, true}));
}

// Whatever a row says, by whatever settings: read again it leads to an end.
TEST(Recall, R4_FromEveryStepThatARowCanNameThereIsAnEnd) {
  for (const RecallMode mode :
       {RecallMode::kParkerOnly, RecallMode::kParkerThenRingGroup, RecallMode::kRingGroupOnly}) {
    for (const bool has_fallback : {false, true}) {
      for (std::uint32_t attempts_max = 1; attempts_max <= 10; ++attempts_max) {
        for (const RecallTarget target :
             {RecallTarget::kNone, RecallTarget::kParker, RecallTarget::kRingGroup, RecallTarget::kFallback}) {
          for (std::uint32_t attempts = 0; attempts <= 11; ++attempts) {
            const auto called = whole_ladder({mode, attempts_max, has_fallback}, Ladder{target, attempts, false}, 100);
            EXPECT_LE(called.size(), 11U);
            EXPECT_LE(std::count(called.begin(), called.end(), "fallback"), has_fallback ? 1 : 0);
            if (target == RecallTarget::kFallback) {
              EXPECT_THAT(called, testing::IsEmpty()) << "nobody comes after the fallback";
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace callpark::park
