// The two halves of a dialog between two other user agents, made into legs of parkd's: towards the caller parkd is the
// parker, towards the parker it is the caller.
#pragma once

#include "parkd/call/dialog_snapshot.h"
#include "parkd/leg/dialog_leg.h"

namespace callpark::leg {

LegPtr callers_half(UserAgent& agent, const AdoptableDialog& dialog);
/// Its Contact is the caller's and not parkd's: many phones use a 202 or a NOTIFY as a target refresh, and after a
/// refusal they must find the caller again. While the adoption lasts Kamailio sends their requests to parkd anyway.
LegPtr parkers_half(UserAgent& agent, const AdoptableDialog& dialog);
/// BYE to the caller in the parker's name; the leg is not kept.
void send_bye_of_parker(UserAgent& agent, const DialogSnapshot& callers_half);

}  // namespace callpark::leg
