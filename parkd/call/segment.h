// The segments of a call, as the records have them: a row of park_segments each, of a talk from a menu a CDR.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "parkd/call/cdr.h"
#include "parkd/call/hook_permission.h"
#include "parkd/call/party.h"
#include "parkd/park/segments.h"

namespace callpark {

struct Segment {
  int number = 1;  // within the call, without gaps
  park::OpenSegment what;
  std::optional<WallTime> began_at;  // nothing: before parkd knew the call
  // Of its stay, or of the stay that it leads to.
  WallTime parked_at;
  std::string orbit;
  std::string parker;
  std::string caller_number;  // "" if it is withheld
  std::string sip_call_id;    // of the parked caller
  /// The other party as people call it: the parker, the number that is called, or the party that got the call; "" of a
  /// caller that waits. Of kHook: the party that parks or retrieves.
  std::string party;
  /// Of an open talk: the hook has permitted the park that is to end it. It survives parkd in the row.
  std::optional<HookPermission> park_permission;
  /// Of kTalk: its CDR, and which party of the conversation is the caller there.
  std::optional<Cdr> cdr;
  PartyEnd cdr_caller = PartyEnd::kCaller;
  friend bool operator==(const Segment&, const Segment&) = default;
};

struct EndedSegment {
  Segment segment;
  WallTime ended_at;
  park::SegmentEnd end = park::SegmentEnd::kHungUp;
  std::string hook_failure = {};  // of kAllowedOnError, as in HookPermission
  friend bool operator==(const EndedSegment&, const EndedSegment&) = default;
};

}  // namespace callpark
