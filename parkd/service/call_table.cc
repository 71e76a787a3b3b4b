#include "parkd/service/call_table.h"

#include <algorithm>
#include <map>
#include <utility>

namespace callpark {
namespace {

bool is_being_parked(const LiveCall& call) {
  const park::Phase& phase = call.state.phase;
  return std::holds_alternative<park::Gathering>(phase) || std::holds_alternative<park::Adopting>(phase) ||
         std::holds_alternative<park::Recording>(phase);
}

bool is_parked(const LiveCall& call) {
  return std::holds_alternative<park::Parked>(call.state.phase);
}

bool is_at_orbit(const Stay& stay, const std::string& orbit) {
  return stay.orbit == orbit;
}
bool is_in_group(const Stay& stay, const std::string& park_group) {
  return !park_group.empty() && stay.park_group == park_group;
}

/// True if `one` is won before `other`.
bool is_won_first(const LiveCall& one, const LiveCall& other) {
  return std::pair(one.stays.now().stay.parked_at, one.values.park_id) <
         std::pair(other.stays.now().stay.parked_at, other.values.park_id);
}

}  // namespace

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
    if (callpark::is_being_parked(*call)) ++counts[{call->values.tenant, call->stays.now().stay.parker}];
  }
  std::size_t sum = 0;
  for (const auto& [parker, count] : counts) sum += std::min(count, each_max);
  return sum;
}

const LiveCall* CallTable::find_parked(const std::string& tenant, const RetrieveRequest& request) const {
  for (const auto stage : {is_parked, callpark::is_being_parked}) {
    const auto first = [&](auto place, const std::string& value) {
      const LiveCall* found = nullptr;
      for (const auto& [id, call] : calls_) {
        const bool is_there = call->values.tenant == tenant && stage(*call) && place(call->stays.now().stay, value);
        if (is_there && (!found || is_won_first(*call, *found))) found = call.get();
      }
      return found;
    };
    for (const std::string& orbit : request.orbits) {
      if (const LiveCall* found = first(is_at_orbit, orbit)) return found;
    }
    if (const LiveCall* found = first(is_in_group, request.park_group)) return found;
  }
  return nullptr;
}

bool CallTable::is_being_parked(const std::string& tenant, const RetrieveRequest& request) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
    const LiveCall& call = *entry.second;
    if (!callpark::is_being_parked(call) || call.values.tenant != tenant) return false;
    if (request.only && *request.only != call.values.park_id) return false;
    const Stay& stay = call.stays.now().stay;
    if (is_in_group(stay, request.park_group)) return true;
    return std::find(request.orbits.begin(), request.orbits.end(), stay.orbit) != request.orbits.end();
  });
}

}  // namespace callpark
