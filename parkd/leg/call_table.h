// The calls of parkd's by id, and by the INVITE of those that are not answered.
#pragma once

#include <memory>
#include <unordered_map>
#include <utility>

#include "parkd/call/ids.h"
#include "parkd/leg/incoming_call.h"
#include "parkd/leg/outgoing_call.h"

namespace callpark::leg {

/// Pointers are good until the call is removed.
class CallTable {
 public:
  CallId next_id() { return CallId{++last_id_}; }

  void add(CallId id, std::shared_ptr<IncomingCall> call) {
    by_invite_.emplace(call->key(), id);
    incoming_.emplace(id, std::move(call));
  }
  void add(CallId id, std::shared_ptr<OutgoingCall> call) { outgoing_.emplace(id, std::move(call)); }
  /// Null if there is none.
  std::shared_ptr<Call> remove(CallId id) {
    if (auto node = outgoing_.extract(id)) return std::move(node.mapped());
    auto node = incoming_.extract(id);
    if (node.empty()) return nullptr;
    by_invite_.erase(node.mapped()->key());
    return std::move(node.mapped());
  }

  /// Removes a call that is there; throws like at().
  std::shared_ptr<Call> extract(CallId id) {
    at(id);
    return remove(id);
  }

  /// parkd stops.
  void abandon_all() {
    for (auto& [id, call] : outgoing_) call->abandon();
  }

  bool has(CallId id) const { return incoming_.count(id) != 0 || outgoing_.count(id) != 0; }
  IncomingCall* incoming(CallId id) const { return find_in(incoming_, id); }
  OutgoingCall* outgoing(CallId id) const { return find_in(outgoing_, id); }
  /// Throws std::out_of_range if there is none: ids come from parkd itself.
  Call& at(CallId id) const {
    if (OutgoingCall* call = outgoing(id)) return *call;
    return *incoming_.at(id);
  }
  IncomingCall& incoming_at(CallId id) const { return *incoming_.at(id); }
  /// The feature call with this INVITE, unless it is answered; none if 0.
  CallId with_invite(sip::ServerTransactionKey key) const {
    const auto found = by_invite_.find(key);
    return found == by_invite_.end() || incoming_.at(found->second)->is_answered() ? CallId{} : found->second;
  }

 private:
  template <class C>
  static C* find_in(const std::unordered_map<CallId, std::shared_ptr<C>>& calls, CallId id) {
    const auto found = calls.find(id);
    return found == calls.end() ? nullptr : found->second.get();
  }

  std::uint64_t last_id_ = 0;
  std::unordered_map<CallId, std::shared_ptr<IncomingCall>> incoming_;
  std::unordered_map<CallId, std::shared_ptr<OutgoingCall>> outgoing_;
  std::unordered_map<sip::ServerTransactionKey, CallId> by_invite_;
};

}  // namespace callpark::leg
