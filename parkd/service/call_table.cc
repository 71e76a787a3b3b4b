#include "parkd/service/call_table.h"

#include <algorithm>
#include <map>
#include <utility>

namespace callpark {

LiveCall& CallTable::add(std::unique_ptr<LiveCall> call) {
  LiveCall& added = *call;
  by_conversation_.emplace(added.conversation, added.values.park_id);
  calls_.emplace(added.values.park_id, std::move(call));
  return added;
}

void CallTable::remove(const ParkId& park_id) {
  const auto node = calls_.extract(park_id);
  if (node.empty()) return;
  by_conversation_.erase(node.mapped()->conversation);
  if (node.mapped()->values.media) by_session_.erase(node.mapped()->values.media->session);
}

LiveCall* CallTable::find(const ParkId& park_id) const {
  const auto found = calls_.find(park_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

LiveCall* CallTable::find(ConversationId conversation) const {
  return find_in(by_conversation_, conversation);
}

LiveCall* CallTable::find(CallId call) const {
  return find_in(by_call_, call);
}

LiveCall* CallTable::find_session(const std::string& session) const {
  return find_in(by_session_, session);
}

std::size_t CallTable::count_in_orbit() const {
  return static_cast<std::size_t>(std::count_if(
      calls_.begin(), calls_.end(), [](const auto& entry) { return entry.second->state.orbit == park::Orbit::kHeld; }));
}

std::size_t CallTable::count_being_parked(std::size_t each_max) const {
  std::map<Extension, std::size_t> counts;
  for (const auto& [id, call] : calls_) {
    const park::Phase& phase = call->state.phase;
    const bool is_being_parked = std::holds_alternative<park::Gathering>(phase) ||
                                 std::holds_alternative<park::Adopting>(phase) ||
                                 std::holds_alternative<park::Recording>(phase);
    if (is_being_parked) ++counts[{call->values.tenant, call->stays.now().stay.parker}];
  }
  std::size_t sum = 0;
  for (const auto& [parker, count] : counts) sum += std::min(count, each_max);
  return sum;
}

}  // namespace callpark
