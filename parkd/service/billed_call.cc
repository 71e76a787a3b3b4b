#include "parkd/service/billed_call.h"

#include <chrono>

namespace callpark {
namespace {

BilledCall call_of(const ParkId& park_id, const DialogSnapshot& caller) {
  BilledCall call;
  call.park_id = park_id;
  call.sip_call_id = caller.call_id;
  call.party = caller.remote_party;
  call.was_called = caller.remote_was_called;
  call.caller = caller.remote_identity;
  return call;
}

}  // namespace

BilledCall to_be_parked(const ParkId& park_id, const DialogSnapshot& caller, const ParkTerms& terms, WallTime now) {
  BilledCall call = call_of(park_id, caller);
  call.parker = terms.parker.number;
  if (terms.orbit.orbits.size() == 1) call.orbit = terms.orbit.orbits.front();
  call.park_group = terms.orbit.park_group;
  call.deadline = now + std::chrono::seconds(terms.park_seconds_max);
  return call;
}

BilledCall parked_call(const ParkId& park_id, const DialogSnapshot& caller, const Stay& stay) {
  BilledCall call = call_of(park_id, caller);
  call.parker = stay.parker;
  call.orbit = stay.orbit;
  call.park_group = stay.park_group;
  call.parked_at = stay.parked_at;
  call.deadline = stay.deadline;
  return call;
}

}  // namespace callpark
