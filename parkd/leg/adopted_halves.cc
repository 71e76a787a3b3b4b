#include "parkd/leg/adopted_halves.h"

namespace callpark::leg {
namespace {

// Kamailio has not seen every CSeq (ACK, BYE, what it handed to parkd); all user agents that were tried accept a leap.
constexpr std::uint32_t kAdoptionGap = 100;

// The owner of the Call-ID is not known here; the shorter wait after a 491 is right for one of the two sides.
LegPtr half(UserAgent& agent, const DialogSnapshot& snapshot) {
  return DialogLeg::from_snapshot(agent, snapshot, CallIdOwner::kThey, kAdoptionGap);
}

}  // namespace

LegPtr callers_half(UserAgent& agent, const AdoptableDialog& dialog) {
  return half(agent, dialog.caller);
}

LegPtr parkers_half(UserAgent& agent, const AdoptableDialog& dialog) {
  LegPtr leg = half(agent, dialog.parker);
  leg->set_contact("<" + dialog.caller.remote_target + ">");
  return leg;
}

void send_bye_of_parker(UserAgent& agent, const DialogSnapshot& callers_half) {
  half(agent, callers_half)->bye();
}

}  // namespace callpark::leg
