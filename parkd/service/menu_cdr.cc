#include "parkd/service/menu_cdr.h"

#include "base/match.h"

namespace callpark {

Cdr cdr_in_menus(const MenuCall& call, const PartyIdentity& caller, menu::Place::Kind place) {
  Cdr cdr;
  cdr.dialled = call.dialled.empty() ? call.number : call.dialled;
  const Extension* extension = extension_in(call.caller);
  cdr.caller_kind = extension ? Cdr::Kind::kExtension : Cdr::Kind::kTrunk;
  // An extension is the account that is charged, also if it withholds its number.
  cdr.caller_number = extension ? extension->number : caller.number;
  cdr.caller_name = caller.name;
  cdr.caller_withheld = caller == PartyIdentity{};
  if (const auto* trunk = std::get_if<Trunk>(&call.caller)) cdr.caller_trunk = trunk->name;
  cdr.callee_kind = place == menu::Place::Kind::kMenu ? Cdr::Kind::kMenu : Cdr::Kind::kAnnouncement;
  cdr.callee_number = call.number;
  cdr.sip_call_id = call.sip_call_id;
  return cdr;
}

Cdr cdr_of_talk(Cdr in_menus, const Party& callee, const std::string& ring_group) {
  Cdr cdr = std::move(in_menus);
  std::visit(overloaded{[&](const Extension& extension) {
                          const bool is_unknown = extension.number == ring_group;
                          cdr.callee_kind = is_unknown ? Cdr::Kind::kRingGroup : Cdr::Kind::kExtension;
                          cdr.callee_number = extension.number;
                        },
                        [&](const Outside& outside) {
                          cdr.callee_kind = Cdr::Kind::kTrunk;
                          cdr.callee_number = outside.number;
                        },
                        [&](const Trunk&) {
                          cdr.callee_kind = Cdr::Kind::kTrunk;
                          cdr.callee_number.clear();
                        }},
             callee);
  return cdr;
}

}  // namespace callpark
