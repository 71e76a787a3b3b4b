// The segments that the records get of a call, and what must be true of each of them.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>

#include "tests/property/park_world.h"

namespace callpark::park {

using NextChange =
    std::function<std::optional<SegmentChange>(const OpenSegment&, Recorded, const State&, const Decision&)>;

/// The happening that a segment ends with, if the history has one of it.
inline std::optional<Happening::Kind> happening_of(SegmentEnd end) {
  switch (end) {
    case SegmentEnd::kParked:
      return Happening::Kind::kParked;
    case SegmentEnd::kRetrieved:
      return Happening::Kind::kRetrieved;
    case SegmentEnd::kRecalled:
      return Happening::Kind::kRecalled;
    case SegmentEnd::kGaveUp:
      return Happening::Kind::kGaveUp;
    case SegmentEnd::kTimedOut:
    case SegmentEnd::kHungUp:
      return Happening::Kind::kEnded;
    case SegmentEnd::kRecalling:
    case SegmentEnd::kNotTaken:
    case SegmentEnd::kAllowed:
    case SegmentEnd::kAllowedOnError:
    case SegmentEnd::kCaller:
    case SegmentEnd::kCallee:
      break;
  }
  return std::nullopt;
}

inline void require_end(const World& w, const SegmentChange& change) {
  const bool is_from_menu = w.segment->kind == SegmentKind::kTalk;
  const bool talks =
      w.segment->kind == SegmentKind::kTalkBefore || w.segment->kind == SegmentKind::kTalkAfter || is_from_menu;
  const bool is_attempt = w.segment->kind == SegmentKind::kRecall;
  switch (change.end) {
    case SegmentEnd::kParked:
      return require(talks, w, "a caller that waits is parked");
    case SegmentEnd::kRecalling:
      return require(w.segment->kind == SegmentKind::kParked, w, "a recall begins twice");
    case SegmentEnd::kNotTaken:
      return require(is_attempt, w, "an attempt ends that has not begun");
    case SegmentEnd::kRecalled:
      return require(is_attempt && w.hears == Hears::kTarget, w, "another has the caller than the segment has");
    case SegmentEnd::kRetrieved:
      return require(!talks && w.hears == Hears::kRetriever, w, "another has the caller than the segment has");
    case SegmentEnd::kGaveUp:
    case SegmentEnd::kTimedOut:
      return require(!talks, w, "a caller that talks has waited too long");
    case SegmentEnd::kHungUp:
      return require(!is_from_menu, w, "a CDR without the party that has hung up");
    case SegmentEnd::kCaller:
      return require(is_from_menu && !w.caller_alive, w, "the CDR has another party that has hung up");
    case SegmentEnd::kCallee:
      return require(is_from_menu && w.caller_alive, w, "the CDR has another party that has hung up");
    case SegmentEnd::kAllowed:
    case SegmentEnd::kAllowedOnError:
      return require(false, w, "the machine knows of the hook");
  }
}

/// Writes down one change; `w.machine` is still the state before the decision.
inline void write_down(World& w, const SegmentChange& change, const Decision& decision, const History& history) {
  require_end(w, change);
  const auto kind = happening_of(change.end);
  const auto& all = history.happenings;
  const bool is_told =
      std::any_of(all.begin(), all.end(), [&](const Happening& happening) { return happening.kind == kind; });
  // A parkd that takes over a row finds a park in it that is recorded already.
  const bool is_taken_over = change.end == SegmentEnd::kParked && w.was_parked && in<Ended>(w);
  require(!kind || is_told || is_taken_over, w, "the segments and the history differ");
  if (change.end == SegmentEnd::kParked) {
    w.attempts.forget();
    w.has_talked = false;
  }
  w.segment = change.next;
  if (!change.next) return;
  if (change.next->kind == SegmentKind::kTalkAfter) {
    require(!std::exchange(w.has_talked, true), w, "two talks after one stay");
  }
  if (change.next->kind == SegmentKind::kRecall) {
    const State& next = decision.next;
    require(w.attempts.add(next.policy, next.recall_progress), w, "an attempt of the recall has two segments");
  }
}

inline void follow_segments(World& w, const Decision& decision, const History& history, const NextChange& next_change) {
  constexpr int kChangesMax = 2;
  for (int changes = 0; w.segment; ++changes) {
    const auto change = next_change(*w.segment, history.recorded, w.machine, decision);
    if (!change) return;
    require(changes < kChangesMax, w, "segments follow one another for ever");
    write_down(w, *change, decision, history);
  }
}

}  // namespace callpark::park
