#include "parkd/service/call_times.h"

#include <algorithm>
#include <chrono>

namespace callpark {

Duration duration_of(park::Timer timer, const Stay& stay, const ParkSettings& settings, WallTime now) {
  switch (timer) {
    case park::Timer::kGiveUp:
      return std::max(Duration(0), Duration(stay.deadline - now));
    case park::Timer::kRecall:
      return std::max(Duration(0), Duration(stay.recall_deadline - now));
    case park::Timer::kParkerBye:
      return settings.parker_bye_timeout;
    case park::Timer::kMusicRetry:
      return settings.music_retry;
  }
  return Duration(0);
}

Duration recall_wait(park::RecallWait wait, park::RecallTarget target, const RecallSettings& recall,
                     const ParkSettings& settings) {
  if (wait == park::RecallWait::kNextAttempt) return std::chrono::seconds(recall.retry_seconds);
  switch (target) {
    case park::RecallTarget::kRingGroup:
      // Kamailio routes the call of a ring group, and its routing ends by itself.
      return settings.handed_over_max;
    case park::RecallTarget::kFallback:
      return std::chrono::seconds(recall.fallback_ring_seconds);
    case park::RecallTarget::kParker:
    case park::RecallTarget::kNone:
      break;
  }
  return std::chrono::seconds(recall.mode == park::RecallMode::kParkerThenRingGroup
                                  ? recall.alert_ring_group_wait_seconds
                                  : recall.ring_seconds);
}

std::string number_of(park::RecallTarget target, const Stay& stay) {
  switch (target) {
    case park::RecallTarget::kRingGroup:
      return stay.recall.ring_group;
    case park::RecallTarget::kFallback:
      return stay.recall.fallback_destination;
    case park::RecallTarget::kParker:
    case park::RecallTarget::kNone:
      break;
  }
  return stay.parker;
}

}  // namespace callpark
