// The CDRs of a call through a menu, as they are known when the time in menus and the talk begin. Pure.
#pragma once

#include "parkd/call/cdr.h"
#include "parkd/call/party.h"
#include "parkd/menu/types.h"
#include "parkd/service/menu_call.h"

namespace callpark {

/// `place` is what the call has come to first; `caller` is empty if it is withheld.
Cdr cdr_in_menus(const MenuCall& call, const PartyIdentity& caller, menu::Place::Kind place);

/// Of the same caller's talk with the party that has answered. `ring_group`: the number of the ring group that was
/// called, "" if none was.
Cdr cdr_of_talk(Cdr in_menus, const Party& callee, const std::string& ring_group);

}  // namespace callpark
