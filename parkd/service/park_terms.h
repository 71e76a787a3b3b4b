// The terms of one park: what the dialled code, the settings of the tenant and the parker's request make of it. Pure.
#pragma once

#include <optional>
#include <string>

#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/hook_permission.h"
#include "parkd/call/party.h"
#include "parkd/call/stay.h"
#include "parkd/ports/store.h"

namespace callpark {

struct ParkTerms {
  Extension parker;
  OrbitRequest orbit;
  std::string music_class;  // "": a ringback tone
  int park_seconds_max = 3600;
  RecallSettings recall;
  std::string language;  // of announcements to the parker
  /// Dialled before the orbit to retrieve the call, "" if the orbit alone retrieves it; nothing if no number does, or
  /// none is known because an earlier parkd parked the call.
  std::optional<std::string> retrieve_code;
  park::ParkerLearnsOrbit learns_orbit = park::ParkerLearnsOrbit::kItself;
  bool call_back_shows_orbit = true;
  std::string shown_name;                                   // of the parked caller; "": its own
  std::optional<HookPermission> permission = std::nullopt;  // nothing if the billing hook was not asked
};

/// `recall_after_seconds` counts only if the facts permit the parker to set it.
ParkTerms terms_of(const DialledFacts& facts, const Extension& parker, OrbitRequest orbit,
                   std::optional<int> recall_after_seconds);

/// Adds what the billing system has permitted the park under.
void restrict_terms(ParkTerms& terms, const BillingTerms& permitted);

/// The stay of `caller` under these terms from `now` on; its orbit is still to be claimed.
Stay propose_stay(const ParkTerms& terms, const DialogSnapshot& caller, WallTime now);

}  // namespace callpark
