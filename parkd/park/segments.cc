#include "parkd/park/segments.h"

#include <algorithm>
#include <variant>

namespace callpark::park {
namespace {

bool is_talk(const OpenSegment& open) {
  return open.kind == SegmentKind::kTalkBefore || open.kind == SegmentKind::kTalkAfter ||
         open.kind == SegmentKind::kTalk;
}

// parkd ends the dialog of the party that is left.
bool is_caller_left(const Decision& decision) {
  return std::ranges::any_of(decision.actions,
                             [](const Action& action) { return std::holds_alternative<EndCaller>(action); });
}

SegmentEnd end_of(EndReason reason, const OpenSegment& open, const Decision& decision) {
  if (open.kind == SegmentKind::kTalk) return is_caller_left(decision) ? SegmentEnd::kCallee : SegmentEnd::kCaller;
  if (is_talk(open)) return SegmentEnd::kHungUp;
  switch (reason) {
    case EndReason::kGaveUp:
      return SegmentEnd::kGaveUp;
    case EndReason::kTimedOut:
      return SegmentEnd::kTimedOut;
    case EndReason::kRefused:
    case EndReason::kHungUp:
      break;
  }
  return SegmentEnd::kHungUp;
}

// A step of the recall that is cut short is repeated, and is still the same attempt.
OpenSegment waiting(const RecallProgress& progress) {
  if (!progress.is_calling) return {SegmentKind::kParked, RecallTarget::kNone};
  return {SegmentKind::kRecall, progress.target};
}

}  // namespace

std::optional<SegmentChange> next_change(const OpenSegment& open, Recorded recorded, const State& before,
                                         const Decision& decision) {
  const bool is_recorded = open.kind != SegmentKind::kTalkBefore;
  for (const Action& action : decision.actions) {
    const auto* removed = std::get_if<RemoveRow>(&action);
    if (removed && is_recorded) return SegmentChange{end_of(removed->reason, open, decision), std::nullopt};
  }
  switch (recorded) {
    case Recorded::kNothing:
      break;
    case Recorded::kWaiting: {
      if (is_talk(open)) return SegmentChange{SegmentEnd::kParked, OpenSegment{SegmentKind::kParked}};
      const OpenSegment now = waiting(decision.next.recall_progress);
      if (now == open) break;
      const bool is_attempt = open.kind == SegmentKind::kRecall;
      return SegmentChange{is_attempt ? SegmentEnd::kNotTaken : SegmentEnd::kRecalling, now};
    }
    case Recorded::kTalking: {
      if (is_talk(open)) break;
      const bool is_recall = std::holds_alternative<Recalling>(before.phase);
      return SegmentChange{is_recall ? SegmentEnd::kRecalled : SegmentEnd::kRetrieved,
                           OpenSegment{SegmentKind::kTalkAfter}};
    }
  }
  return std::nullopt;
}

}  // namespace callpark::park
