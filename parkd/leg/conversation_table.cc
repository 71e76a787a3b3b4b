#include "parkd/leg/conversation_table.h"

#include <utility>

namespace callpark::leg {

void ConversationTable::add(std::shared_ptr<Conversation> conversation) {
  const Conversation& added = *conversation;
  conversations_.emplace(added.id(), std::move(conversation));
  note_parties(added);
}

std::shared_ptr<Conversation> ConversationTable::remove(ConversationId id) {
  auto node = conversations_.extract(id);
  if (node.empty()) return nullptr;
  forget_parties(id);
  return std::move(node.mapped());
}

Conversation* ConversationTable::find(ConversationId id) const {
  const auto found = conversations_.find(id);
  return found == conversations_.end() ? nullptr : found->second.get();
}

void ConversationTable::note_parties(const Conversation& conversation) {
  forget_parties(conversation.id());
  for (const PartyEnd end : {PartyEnd::kCaller, PartyEnd::kPeer}) {
    const Extension* extension = extension_in(conversation.end(end).party);
    if (!extension) continue;
    const std::string aor = aor_of(*extension);
    places_.emplace(aor, Place{&conversation, end});
    noted_[conversation.id()].push_back(aor);
  }
}

void ConversationTable::forget_parties(ConversationId id) {
  const auto node = noted_.extract(id);
  if (node.empty()) return;
  for (const std::string& aor : node.mapped()) {
    auto [place, last] = places_.equal_range(aor);
    while (place != last) place = place->second.conversation->id() == id ? places_.erase(place) : std::next(place);
  }
}

std::vector<ConversationTable::Place> ConversationTable::of(const Extension& extension) const {
  std::vector<Place> places;
  const auto [first, last] = places_.equal_range(aor_of(extension));
  for (auto entry = first; entry != last; ++entry) places.push_back(entry->second);
  return places;
}

void ConversationTable::clear() {
  places_.clear();
  noted_.clear();
  conversations_.clear();
}

}  // namespace callpark::leg
