#include "parkd/service/call_times.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{seconds(1000)};

Stay stay_with(park::RecallMode mode) {
  Stay stay;
  stay.parker = "101";
  stay.deadline = kNow + seconds(60);
  stay.recall_deadline = kNow + seconds(20);
  stay.recall.mode = mode;
  stay.recall.ring_seconds = 30;
  stay.recall.retry_seconds = 10;
  stay.recall.alert_ring_group_wait_seconds = 25;
  stay.recall.ring_group = "600";
  stay.recall.fallback_destination = "104";
  stay.recall.fallback_ring_seconds = 45;
  return stay;
}

TEST(CallTimes, TimersRunUntilTheDeadlinesOfTheStay) {
  const Stay stay = stay_with(park::RecallMode::kParkerOnly);
  const ParkSettings settings;
  EXPECT_EQ(duration_of(park::Timer::kGiveUp, stay, settings, kNow), seconds(60));
  EXPECT_EQ(duration_of(park::Timer::kRecall, stay, settings, kNow), seconds(20));
  EXPECT_EQ(duration_of(park::Timer::kParkerBye, stay, settings, kNow), settings.parker_bye_timeout);
  EXPECT_EQ(duration_of(park::Timer::kMusicRetry, stay, settings, kNow), settings.music_retry);
}

TEST(CallTimes, TimerOfAPastDeadlineFiresAtOnce) {
  const Stay stay = stay_with(park::RecallMode::kParkerOnly);
  EXPECT_EQ(duration_of(park::Timer::kGiveUp, stay, {}, kNow + seconds(61)), Duration(0));
  EXPECT_EQ(duration_of(park::Timer::kRecall, stay, {}, kNow + seconds(61)), Duration(0));
}

TEST(CallTimes, ParkerRingsByTheModeOfTheRecall) {
  const auto wait = [](park::RecallMode mode) {
    return recall_wait(park::RecallWait::kAnswer, park::RecallTarget::kParker, stay_with(mode).recall, {});
  };
  EXPECT_EQ(wait(park::RecallMode::kParkerOnly), seconds(30));
  EXPECT_EQ(wait(park::RecallMode::kParkerThenRingGroup), seconds(25));
}

TEST(CallTimes, RingGroupRingsAsLongAsItsRouting) {
  const RecallSettings recall = stay_with(park::RecallMode::kRingGroupOnly).recall;
  const ParkSettings settings;
  EXPECT_EQ(recall_wait(park::RecallWait::kAnswer, park::RecallTarget::kRingGroup, recall, settings),
            settings.handed_over_max);
}

TEST(CallTimes, X17_TheFallbackRingsForItsSeconds) {
  for (const auto mode :
       {park::RecallMode::kParkerOnly, park::RecallMode::kParkerThenRingGroup, park::RecallMode::kRingGroupOnly}) {
    const RecallSettings recall = stay_with(mode).recall;
    EXPECT_EQ(recall_wait(park::RecallWait::kAnswer, park::RecallTarget::kFallback, recall, {}), seconds(45));
  }
}

TEST(CallTimes, AttemptsHaveTheSamePauseWhateverTheTarget) {
  const RecallSettings recall = stay_with(park::RecallMode::kRingGroupOnly).recall;
  for (const auto target :
       {park::RecallTarget::kParker, park::RecallTarget::kRingGroup, park::RecallTarget::kFallback}) {
    EXPECT_EQ(recall_wait(park::RecallWait::kNextAttempt, target, recall, {}), seconds(10));
  }
}

TEST(CallTimes, EachTargetHasItsNumber) {
  const Stay stay = stay_with(park::RecallMode::kParkerThenRingGroup);
  EXPECT_EQ(number_of(park::RecallTarget::kParker, stay), "101");
  EXPECT_EQ(number_of(park::RecallTarget::kRingGroup, stay), "600");
  EXPECT_EQ(number_of(park::RecallTarget::kFallback, stay), "104");
}

}  // namespace
}  // namespace callpark
