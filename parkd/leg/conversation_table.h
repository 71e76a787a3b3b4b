// The conversations by id, and by the extensions that are an end of one.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "parkd/call/ids.h"
#include "parkd/call/party.h"
#include "parkd/leg/conversation.h"

namespace callpark::leg {

/// Loop's thread only.
class ConversationTable {
 public:
  struct Place {
    const Conversation* conversation;
    PartyEnd end;
  };

  ConversationId next_id() { return ConversationId{++last_id_}; }
  void add(std::shared_ptr<Conversation> conversation);
  /// Null if there is none.
  std::shared_ptr<Conversation> remove(ConversationId id);
  Conversation* find(ConversationId id) const;
  /// Throws std::out_of_range if there is none: ids come from parkd itself.
  Conversation& at(ConversationId id) const { return *conversations_.at(id); }
  /// To be called when a party of a conversation that is in the table has changed.
  void note_parties(const Conversation& conversation);

  std::vector<Place> of(const Extension& extension) const;
  void clear();

 private:
  void forget_parties(ConversationId id);

  std::uint64_t last_id_ = 0;
  std::unordered_map<ConversationId, std::shared_ptr<Conversation>> conversations_;
  std::unordered_multimap<std::string, Place> places_;  // by AOR
  std::unordered_map<ConversationId, std::vector<std::string>> noted_;
};

}  // namespace callpark::leg
