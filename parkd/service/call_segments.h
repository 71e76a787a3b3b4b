// The segments of one call for the records: the open one, and those that have ended and are not written yet. Each write
// of the call's row carries both.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "parkd/call/segment.h"
#include "parkd/call/stay.h"
#include "parkd/park/segments.h"

namespace callpark {

class CallSegments {
 public:
  /// Of a call that is to be parked for the first time.
  explicit CallSegments(const Stay& stay);
  /// Of a call that is taken over.
  explicit CallSegments(Segment open) : open_(std::move(open)) {}

  /// The call comes from a menu, and talks since then.
  void begin_talk(Cdr cdr, WallTime since);

  /// The hook has permitted the park that is under way; nothing if it was not asked. It counts if the park succeeds.
  void permit_park(std::optional<HookPermission> permission);
  /// The same of the retrieve that has just won the call. parkd's death ends the retrieve and its permission.
  void permit_retrieve(std::optional<HookPermission> permission) { retrieve_permission_ = std::move(permission); }

  /// The caller of the conversation is its peer from here on, and the peer its caller.
  void swap_parties();

  /// If the hook has permitted what ends a segment, the segment ends when the hook was asked, and a segment kHook lasts
  /// from there until what it has permitted has come about. `stay` is as it is once CommitStay, if the decision has
  /// one, is carried out, and before any other action is.
  void follow(park::Recorded recorded, const park::State& before, const park::Decision& decision, const Stay& stay,
              WallTime now);

  /// Nothing once the call is over.
  const std::optional<Segment>& open() const { return open_; }
  const std::vector<EndedSegment>& ended() const { return ended_; }
  /// The number of the last one that has ended, 0 if none is left to be written.
  int last_ended() const { return ended_.empty() ? 0 : ended_.back().segment.number; }
  /// Those up to this one are written.
  void forget(int number);

 private:
  std::optional<HookPermission> take_permission(park::SegmentEnd end);

  std::optional<Segment> open_;
  std::optional<HookPermission> retrieve_permission_;
  std::vector<EndedSegment> ended_;
};

}  // namespace callpark
