// What happened to a parked call, in the words in which operators read it (table park_events, metric, log) and phones
// are told of it.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace callpark {

/// Who somebody is to people: on displays, in texts, lamps and events. Both empty: nobody knows, or he withholds it.
struct PartyIdentity {
  std::string name;
  std::string number;
  friend bool operator==(const PartyIdentity&, const PartyIdentity&) = default;
};

enum class ParkEventKind {
  kParked,     // the caller waits in the orbit, and the row says so
  kRetrieved,  // a retriever has him
  kGaveUp,     // he hung up while he waited
  kRecalled,   // whom a recall has called has him
  kEnded,      // the call is over in any other way
};

/// "parked", "retrieved", "gave_up", "recalled", "ended"
std::string_view name_of(ParkEventKind kind);

/// A call that is parked again begins anew: `park_id` and `parked_at` together name one stay in an orbit, of which each
/// kind of event comes at most once.
struct ParkEvent {
  ParkEventKind kind = ParkEventKind::kParked;
  std::string park_id;
  WallTime parked_at;
  WallTime at;
  std::string tenant;
  std::string orbit;  // of a call that ended after it was retrieved: ""
  std::string park_group;
  std::string parker;
  PartyIdentity caller;
  std::string sip_call_id;  // of the parked caller
  std::string by;           // kRetrieved, kRecalled: the number of who has him
  /// kRecalled: whom it had called, "parker", "ring_group" or "fallback". kEnded: "timed_out" when nobody came for him,
  /// "hung_up" after he talked to somebody.
  std::string how;
  friend bool operator==(const ParkEvent&, const ParkEvent&) = default;
};

}  // namespace callpark
