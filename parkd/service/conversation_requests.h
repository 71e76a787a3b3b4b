// The REFERs of a conversation's parties that are in flight, and the BYEs that wait for them: some phones hang up
// before their REFER is answered, and what they asked for counts. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark::admission {

class ConversationRequests {
 public:
  /// `pairing` counts the peers that the conversation has had. After another peer has come the requests of the pairing
  /// before belong to no party any more, and the BYE of the peer before is spent.
  void set_pairing(std::uint32_t pairing);

  void begin(ReferralId request, PartyEnd sender);
  void end(ReferralId request);
  /// The caller became the peer and the peer the caller.
  void swap_parties();
  /// True if the BYE waits: the two talk, and a request of `sender` is in flight.
  bool hold_bye(PartyEnd sender, bool talks);
  /// Of a BYE that need not wait any longer, the party that sent it; each once, the peer's first.
  std::optional<PartyEnd> take_due_bye(bool talks);

  std::optional<PartyEnd> sender_of(ReferralId request) const;
  bool is_gone(PartyEnd party) const { return byes_.count(party) != 0; }
  bool are_both_there() const { return byes_.empty(); }
  bool empty() const { return requests_.empty() && byes_.empty(); }

 private:
  bool has_request_of(PartyEnd sender) const;

  std::uint32_t pairing_ = 0;
  std::map<ReferralId, PartyEnd> requests_;
  std::set<PartyEnd> byes_;  // that wait
};

}  // namespace callpark::admission
