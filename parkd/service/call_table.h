// All live calls of this process, found by each of the names under which the ports report about them.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "parkd/ports/store.h"
#include "parkd/service/live_call.h"

namespace callpark {

class CallTable {
 public:
  LiveCall& add(std::unique_ptr<LiveCall> call);
  void remove(const ParkId& park_id);
  /// The call has this call of one party: of its parker, a retriever or a target.
  void assign(CallId call, const ParkId& park_id) { by_call_.insert_or_assign(call, park_id); }
  void release(CallId call) { by_call_.erase(call); }
  void assign_session(const std::string& session, const ParkId& park_id) { by_session_[session] = park_id; }
  void release_session(const std::string& session) { by_session_.erase(session); }

  // Null if there is none.
  LiveCall* find(const ParkId& park_id) const;
  LiveCall* find(ConversationId conversation) const;
  LiveCall* find(CallId call) const;
  LiveCall* find_session(const std::string& session) const;

  std::size_t size() const { return calls_.size(); }
  std::size_t count_in_orbit() const;
  /// Of each parker `each_max` at most.
  std::size_t count_being_parked(std::size_t each_max) const;
  /// The call that this retrieve would win now, else the one that it would wait for; null if there is none.
  const LiveCall* find_parked(const std::string& tenant, const RetrieveRequest& request) const;
  /// Whether one of the calls that this retrieve may win is being parked.
  bool is_being_parked(const std::string& tenant, const RetrieveRequest& request) const;

 private:
  template <class Key>
  LiveCall* find_in(const std::unordered_map<Key, ParkId>& index, const Key& key) const {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : find(found->second);
  }

  std::unordered_map<ParkId, std::unique_ptr<LiveCall>> calls_;
  std::unordered_map<ConversationId, ParkId> by_conversation_;
  std::unordered_map<CallId, ParkId> by_call_;
  std::unordered_map<std::string, ParkId> by_session_;
};

}  // namespace callpark
