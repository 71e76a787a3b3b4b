#include "parkd/leg/dialog_roles.h"

#include <utility>

#include "parkd/leg/adopted_halves.h"

namespace callpark::leg {

bool DialogRoles::add(const LegPtr& leg, DialogRole role) {
  return dialogs_.insert(leg->dialog().id, Entry{leg, std::move(role)});
}

void DialogRoles::set(const LegPtr& leg, DialogRole role) {
  if (Entry* entry = dialogs_.find(leg->dialog().id)) {
    entry->role = std::move(role);
  } else {
    add(leg, std::move(role));
  }
}

void DialogRoles::close(const LegPtr& leg) {
  if (!leg) return;
  leg->close();
  if (leg->is_leaving()) {
    // The ACK has to find it.
    leg->set_on_left([this, id = leg->dialog().id] { dialogs_.erase(id); });
  } else {
    dialogs_.erase(leg->dialog().id);
  }
}

void DialogRoles::release(const LegPtr& half) {
  const Entry* entry = half ? find(half->dialog().id) : nullptr;
  if (!entry || entry->leg != half) return;
  const auto* parker = std::get_if<ParkerRole>(&entry->role);
  if (!parker) return;
  if (half->is_closed()) send_bye_of_parker(agent_, parker->callers_half);
  close(half);
}

void DialogRoles::abandon_all() {
  for (auto& [id, entry] : dialogs_) entry.leg->abandon();
}

}  // namespace callpark::leg
