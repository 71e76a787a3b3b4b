#include "parkd/park/recall.h"

namespace callpark::park {
namespace {

RecallTarget fallback_or_end(const RecallPolicy& policy, const Ladder& ladder) {
  return policy.has_fallback && ladder.target != RecallTarget::kFallback ? RecallTarget::kFallback
                                                                         : RecallTarget::kNone;
}

}  // namespace

RecallTarget next_target(const RecallPolicy& policy, const Ladder& ladder) {
  const bool nobody_yet = ladder.target == RecallTarget::kNone;
  const bool parker_was_last = nobody_yet || ladder.target == RecallTarget::kParker;
  switch (policy.mode) {
    case RecallMode::kOff:
      break;
    case RecallMode::kParkerOnly:
      if (parker_was_last && (policy.attempts_max == 0 || ladder.attempts < policy.attempts_max))
        return RecallTarget::kParker;
      break;
    case RecallMode::kParkerThenRingGroup:
      if (nobody_yet) return RecallTarget::kParker;
      if (parker_was_last) return RecallTarget::kRingGroup;
      break;
    case RecallMode::kRingGroupOnly:
      if (nobody_yet) return RecallTarget::kRingGroup;
      break;
  }
  return fallback_or_end(policy, ladder);
}

Ladder climb(const RecallPolicy& policy, Ladder ladder, RecallTarget target) {
  ladder.target = target;
  ladder.is_calling = true;
  if (target == RecallTarget::kParker && policy.attempts_max != 0) ++ladder.attempts;
  return ladder;
}

}  // namespace callpark::park
