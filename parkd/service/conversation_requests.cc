#include "parkd/service/conversation_requests.h"

#include <algorithm>
#include <utility>

namespace callpark::admission {

void ConversationRequests::set_pairing(std::uint32_t pairing) {
  if (std::exchange(pairing_, pairing) == pairing) return;
  requests_.clear();
  byes_.erase(PartyEnd::kPeer);
}

void ConversationRequests::begin(ReferralId request, PartyEnd sender) {
  requests_.emplace(request, sender);
}

void ConversationRequests::end(ReferralId request) {
  requests_.erase(request);
}

void ConversationRequests::swap_parties() {
  for (auto& [request, sender] : requests_) sender = other_end(sender);
  std::set<PartyEnd> swapped;
  for (const PartyEnd party : byes_) swapped.insert(other_end(party));
  byes_ = std::move(swapped);
}

bool ConversationRequests::hold_bye(PartyEnd sender, bool talks) {
  const bool waits = talks && has_request_of(sender);
  if (waits) byes_.insert(sender);
  return waits;
}

std::optional<PartyEnd> ConversationRequests::take_due_bye(bool talks) {
  for (const PartyEnd party : {PartyEnd::kPeer, PartyEnd::kCaller}) {
    if (!is_gone(party) || (talks && has_request_of(party))) continue;
    byes_.erase(party);
    return party;
  }
  return std::nullopt;
}

std::optional<PartyEnd> ConversationRequests::sender_of(ReferralId request) const {
  const auto found = requests_.find(request);
  return found == requests_.end() ? std::nullopt : std::optional(found->second);
}

bool ConversationRequests::has_request_of(PartyEnd sender) const {
  return std::any_of(requests_.begin(), requests_.end(),
                     [sender](const auto& request) { return request.second == sender; });
}

}  // namespace callpark::admission
