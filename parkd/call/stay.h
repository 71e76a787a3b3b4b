// One stay of a call in an orbit, from the park to the retrieve or the end; and its settings of recall.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "parkd/call/party.h"
#include "parkd/park/types.h"

namespace callpark {

/// The park group's settings for calls that are parked in the group, the tenant's for all others.
struct RecallSettings {
  park::RecallMode mode = park::RecallMode::kOff;
  int after_seconds = 90;
  int ring_seconds = 30;
  int retry_seconds = 10;
  int attempts_max = 3;  // 0: endless
  int alert_ring_group_wait_seconds = 30;
  std::string ring_group;
  std::string fallback_destination;
  int fallback_ring_seconds = 60;

  park::RecallPolicy policy() const {
    return {mode, static_cast<std::uint32_t>(attempts_max), !fallback_destination.empty()};
  }
  friend bool operator==(const RecallSettings&, const RecallSettings&) = default;
};

/// A call that is parked again has a new stay; the one before holds until the new one is written.
struct Stay {
  std::string parker;  // number of the extension that parked the call
  std::string orbit;   // "" until it is claimed
  int slot = 0;
  std::string park_group;   // "" unless the call was parked in a group
  std::string music_class;  // "": a ringback tone
  WallTime parked_at;
  WallTime deadline;  // end of a call that is not retrieved
  RecallSettings recall;
  WallTime recall_deadline;        // of the next recall step, or of the ringing of the present one
  std::optional<Party> retriever;  // the last one to win the call in this stay
  PartyIdentity caller;            // of the parked caller when the stay began
  std::string sip_call_id;         // the same
  std::string shown_name = {};     // instead of the name of the caller, in lamps and recalls; "": none

  friend bool operator==(const Stay&, const Stay&) = default;
};

}  // namespace callpark
