// The segments of a call for the records, read off the decisions of the park machine. Pure. A call that is parked, or
// comes from a menu, has always exactly one open segment: where one ends the next begins, so that they cover the call
// and never overlap.
#pragma once

#include <optional>

#include "parkd/park/decide.h"
#include "parkd/park/history.h"
#include "parkd/park/types.h"

namespace callpark::park {

enum class SegmentKind {
  kTalkBefore,  // the caller and the parker talk; only recorded once the call is parked
  kParked,      // the caller waits, and no target is being called
  kRecall,      // the caller waits during one attempt of the recall, which lasts until the target is lost
  kTalkAfter,   // the caller talks to the retriever, or to the target of a recall
  kHook,        // the billing hook is asked about the park or retrieve that follows; never open: see CallSegments
  kTalk,        // the caller talks to the destination of a menu, and was never parked; recorded as a CDR
};

/// How a segment ended.
enum class SegmentEnd {
  kParked,          // of a talk: the caller is parked
  kRecalling,       // of parked: an attempt of the recall begins
  kNotTaken,        // of an attempt: its target has not got the call
  kRetrieved,       // a retriever talks to the caller
  kRecalled,        // of an attempt: its target talks to the caller
  kGaveUp,          // the caller hung up while it waited
  kTimedOut,        // the deadline has passed, or no target is left
  kHungUp,          // the call ended in any other way
  kAllowed,         // of kHook: by the hook
  kAllowedOnError,  // of kHook: by the tenant's on_error, since the hook has failed
  kCaller,          // of kTalk: the caller has ended its dialog
  kCallee,          // of kTalk: the other party has, or has not got the caller back
};

struct OpenSegment {
  SegmentKind kind = SegmentKind::kTalkBefore;
  RecallTarget target = RecallTarget::kNone;  // of kRecall
  friend bool operator==(const OpenSegment&, const OpenSegment&) = default;
};

/// `next` begins when the open segment ends. A segment that ends by kParked has ended when the parker asked for the
/// park; all others end with the decision.
struct SegmentChange {
  SegmentEnd end = SegmentEnd::kHungUp;
  std::optional<OpenSegment> next;  // nothing: the call is over
  friend bool operator==(const SegmentChange&, const SegmentChange&) = default;
};

/// The first change of the open segment by `decision` in state `before`; `recorded` is what record() has made of it.
/// To be asked again with what has begun, until nothing changes. The talk before a park that never comes changes
/// nothing.
std::optional<SegmentChange> next_change(const OpenSegment& open, Recorded recorded, const State& before,
                                         const Decision& decision);

}  // namespace callpark::park
