// A call as the billing system is asked about it. Pure.
#pragma once

#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/stay.h"
#include "parkd/ports/billing.h"
#include "parkd/service/park_terms.h"

namespace callpark {

/// `caller` is to be parked under these terms, as `park_id`, from `now` on.
BilledCall to_be_parked(const ParkId& park_id, const DialogSnapshot& caller, const ParkTerms& terms, WallTime now);
/// `caller` is parked, or is being parked.
BilledCall parked_call(const ParkId& park_id, const DialogSnapshot& caller, const Stay& stay);

}  // namespace callpark
