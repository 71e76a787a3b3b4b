// An event of a parked call's history, in the words of table park_events, of the metric, the log and the texts.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark {

enum class ParkEventKind {
  kParked,     // the caller waits in the orbit, and the row is written
  kRetrieved,  // a retriever talks to the caller
  kGaveUp,     // the caller hung up in the orbit
  kRecalled,   // the target of a recall talks to the caller
  kEnded,      // the call ended in any other way
};

/// "parked", "retrieved", "gave_up", "recalled", "ended"
std::string_view name_of(ParkEventKind kind);

/// `park_id` and `parked_at` together name one stay in an orbit; of each stay there is at most one event of a kind.
struct ParkEvent {
  ParkEventKind kind = ParkEventKind::kParked;
  ParkId park_id;
  WallTime parked_at;
  WallTime at;
  std::string tenant;
  std::string orbit;  // "" of a call that ended after it was retrieved
  std::string park_group;
  std::string parker;
  PartyIdentity caller;
  std::string sip_call_id;  // of the parked caller
  std::string by;           // kRetrieved, kRecalled: the number of the party that talks to the caller
  /// kRecalled: the target, "parker", "ring_group" or "fallback". kEnded: "timed_out" at the deadline or after the last
  /// recall step, "hung_up" after a talk.
  std::string how;
  friend bool operator==(const ParkEvent&, const ParkEvent&) = default;
};

}  // namespace callpark
