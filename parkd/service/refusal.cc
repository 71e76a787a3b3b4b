#include "parkd/service/refusal.h"

namespace callpark {

Refusal refusal_of(park::RefusalReason reason) {
  using park::RefusalReason;
  switch (reason) {
    case RefusalReason::kNotPermitted:
      return {403, "Not permitted", "not_permitted"};
    case RefusalReason::kNotInThisRange:
      return {403, "Not permitted in this orbit range", "range_not_permitted"};
    case RefusalReason::kSwitchedOff:
      return {403, "Call park is switched off", "switched_off"};
    case RefusalReason::kNoHeldCall:
      return {404, "No call on hold", "no_held_call"};
    case RefusalReason::kOrbitTaken:
      return {486, "Orbit taken", "orbit_taken"};
    case RefusalReason::kTooManyParked:
      return {486, "Too many calls parked", "too_many_parked"};
    case RefusalReason::kTooManyOfParker:
      return {486, "Too many calls parked by this extension", "too_many_of_parker"};
    case RefusalReason::kInvalidCode:
      return {404, "Not a valid code", "invalid_code"};
    case RefusalReason::kNoCallParked:
      return {404, "No call parked there", "no_call_parked"};
    case RefusalReason::kAlreadyPickedUp:
      return {404, "Already picked up", "already_picked_up"};
    case RefusalReason::kNotAcceptable:
      return {488, "No media in common", "not_available"};
    case RefusalReason::kNotReached:
      return {480, "The other party cannot be reached", "not_available"};
    case RefusalReason::kOfferRefused:
      return {502, "The other party refused", "not_available"};
    case RefusalReason::kCallerGone:
      return {480, "The caller has hung up", "not_available"};
    case RefusalReason::kGivenUp:
      return {487, "Given up", "not_available"};
    case RefusalReason::kTooLong:
      return {488, "The session description is too long", "not_available"};
    case RefusalReason::kOverloaded:
      return {503, "Too busy, try again", "overloaded"};
    case RefusalReason::kUnavailable:
      return {503, "Parking is not available", "not_available"};
  }
  return {500, "Parking is not available", "not_available"};
}

}  // namespace callpark
