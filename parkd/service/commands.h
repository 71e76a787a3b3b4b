// What admission grants: each request that parkd admits becomes exactly one of these, for the park service to execute.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "parkd/ports/calls.h"
#include "parkd/ports/conversations.h"
#include "parkd/ports/referrals.h"
#include "parkd/service/park_terms.h"

namespace callpark {

/// A feature call parks the call that its caller has on hold.
struct ParkHeld {
  CallId call;
  AdoptableDialog dialog;
  ParkTerms terms;
  ParkId park_id;  // a new one
};
/// A REFER in a dialog of two other user agents parks the other party.
struct ParkReferred {
  ReferralId referral;
  AdoptableDialog dialog;
  ParkTerms terms;
  ParkId park_id;  // a new one
};
/// One party of a conversation parks the other.
struct ParkAgain {
  ConversationId conversation;
  PartyEnd asker = PartyEnd::kPeer;
  std::variant<CallId, ReferralId> request;
  ParkTerms terms;
};
/// One party of a conversation transfers the other to a number that is no code.
struct Transfer {
  ConversationId conversation;
  PartyEnd asker = PartyEnd::kPeer;
  Extension referrer;
  ReferralId referral;
  std::string number;
  std::string replaces;
  std::string contact;
};
/// The parker completes an attended transfer to the code; its feature call has parked the caller already.
struct EndConsultation {
  ConversationId conversation;
  ReferralId referral;
};
struct Retrieve {
  CallId call;
  std::string tenant;
  Party retriever;
  RetrieveRequest request;
  std::string language;
  std::optional<HookPermission> permission = std::nullopt;  // nothing if the billing hook was not asked
};
/// A call becomes the peer of a conversation, by Replaces.
struct TakePlace {
  CallId call;
  ConversationId conversation;
  Party retriever;
};

using GrantedCommand = std::variant<ParkHeld, ParkReferred, ParkAgain, Transfer, EndConsultation, Retrieve, TakePlace>;

}  // namespace callpark
