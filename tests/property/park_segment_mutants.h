// Faults in the segments of the records.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/property/park_mutant.h"

namespace callpark::park {

/// Each ignores one way in which a segment ends.
inline std::vector<Mutant> endless_segment_mutants() {
  const auto misses = [](const std::string& what, SegmentEnd end) {
    return bills("has no end of a segment for " + what,
                 [end](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
                   if (change && change->end == end) change.reset();
                 });
  };
  return {misses("the park", SegmentEnd::kParked),
          misses("the attempt of a recall that begins", SegmentEnd::kRecalling),
          misses("the target that is lost", SegmentEnd::kNotTaken),
          misses("the retrieve", SegmentEnd::kRetrieved),
          misses("the recall", SegmentEnd::kRecalled),
          misses("the caller that gives up", SegmentEnd::kGaveUp),
          misses("the deadline", SegmentEnd::kTimedOut),
          misses("the end of the talk", SegmentEnd::kHungUp),
          misses("the caller that ends the talk from a menu", SegmentEnd::kCaller),
          misses("the destination of a menu that ends the talk", SegmentEnd::kCallee)};
}

inline std::vector<Mutant> segment_mutants() {
  return {
      bills("counts a recall as a retrieve",
            [](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
              if (change && change->end == SegmentEnd::kRecalled) change->end = SegmentEnd::kRetrieved;
            }),
      bills("begins no segment when an attempt ends",
            [](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
              if (change && change->end == SegmentEnd::kNotTaken) change->next.reset();
            }),
      bills("forgets which target is called",
            [](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
              if (change && change->end == SegmentEnd::kRecalling) change->next->target = RecallTarget::kFallback;
            }),
      bills("ends an attempt when a retriever comes, and begins it again when the retrieve is undone",
            [](const OpenSegment& open, Recorded, const State&, const Decision& decision, auto& change) {
              const bool joins = is_in<Joining>(decision.next) || is_in<Confirming>(decision.next);
              if (!joins) return;
              change.reset();
              if (open.kind != SegmentKind::kRecall) return;
              change = SegmentChange{SegmentEnd::kNotTaken, OpenSegment{SegmentKind::kParked}};
            }),
      bills("ends the talk when the call is to be parked again",
            [](const OpenSegment& open, Recorded, const State&, const Decision& decision, auto& change) {
              const bool asks = is_in<Gathering>(decision.next) && open.kind == SegmentKind::kTalkAfter;
              if (asks) change = SegmentChange{SegmentEnd::kParked, OpenSegment{SegmentKind::kParked}};
            }),
      bills("begins a second talk when the peer is replaced",
            [](const OpenSegment& open, Recorded, const State& before, const Decision& decision, auto& change) {
              const bool is_again = open.kind == SegmentKind::kTalkAfter && is_in<Connecting>(before);
              if (!is_again || !is_in<Talking>(decision.next)) return;
              change = SegmentChange{SegmentEnd::kHungUp, OpenSegment{SegmentKind::kTalkAfter}};
            }),
      bills("has segments of a call that was never parked",
            [](const OpenSegment& open, Recorded recorded, const State&, const Decision& decision, auto& change) {
              const bool is_over = is_in<Ended>(decision.next) && recorded == Recorded::kNothing;
              if (is_over && open.kind == SegmentKind::kTalkBefore) change = SegmentChange{SegmentEnd::kHungUp, {}};
            }),
      bills("has a caller that waits and hangs up give up a talk",
            [](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
              if (change && change->end == SegmentEnd::kHungUp) change->end = SegmentEnd::kGaveUp;
            }),
      bills("has the caller end each talk from a menu",
            [](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
              if (change && change->end == SegmentEnd::kCallee) change->end = SegmentEnd::kCaller;
            }),
      bills("has the destination end each talk from a menu",
            [](const OpenSegment&, Recorded, const State&, const Decision&, auto& change) {
              if (change && change->end == SegmentEnd::kCaller) change->end = SegmentEnd::kCallee;
            }),
      bills("ends a talk from a menu without the party that hung up",
            [](const OpenSegment& open, Recorded, const State&, const Decision&, auto& change) {
              if (change && !change->next && open.kind == SegmentKind::kTalk) change->end = SegmentEnd::kHungUp;
            }),
      bills("ends the talk from a menu with its transfer",
            [](const OpenSegment& open, Recorded, const State& before, const Decision& decision, auto& change) {
              if (open.kind != SegmentKind::kTalk || !is_in<Connecting>(before)) return;
              if (is_in<Talking>(decision.next)) change = SegmentChange{SegmentEnd::kCallee, {}};
            }),
      bills("goes on with the talk from a menu after a failed park as with one that has no CDR",
            [](const OpenSegment& open, Recorded, const State& before, const Decision& decision, auto& change) {
              const bool has_failed = is_in<Returning>(before) && is_in<Talking>(decision.next);
              if (has_failed && open.kind == SegmentKind::kTalk) {
                change = SegmentChange{SegmentEnd::kCallee, OpenSegment{SegmentKind::kTalkBefore}};
              }
            }),
  };
}

}  // namespace callpark::park
