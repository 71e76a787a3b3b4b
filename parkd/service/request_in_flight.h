// A request of a phone that parkd has not admitted or refused yet: a pure function from its phase and an event to the
// next phase and the actions that follow. A request ends in one command, in one refusal, or withdrawn.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "parkd/park/types.h"
#include "parkd/service/billed_call.h"
#include "parkd/service/commands.h"
#include "parkd/service/flow_call.h"
#include "parkd/service/menu_call.h"

namespace callpark::admission {

// ---- the request ----

struct CallRequest {
  FeatureCall call;
};
/// A REFER in a dialog of two other user agents.
struct ReferralRequest {
  Referral referral;
};
/// A REFER of one party of a conversation.
struct PartyRequest {
  Referral referral;
  ConversationId conversation;
};
using Request = std::variant<CallRequest, ReferralRequest, PartyRequest>;

// ---- its phases ----

/// The tables are asked about the dialled number.
struct LookingUp {};
/// The number is understood; permission is asked for, which depends on what parkd's calls are doing at that moment. It
/// is asked for again after the billing system has permitted, since the calls may have changed.
struct Authorising {
  struct Park {
    ParkTerms terms;
  };
  struct Retrieve {
    RetrieveRequest request;
    std::optional<HookPermission> permission = std::nullopt;
  };
  struct Transfer {};
  struct TakePlace {};
  std::variant<Park, Retrieve, Transfer, TakePlace> intent;
  std::string language;                                // of refusals; "" if unknown
  std::optional<BillingHook> hook = std::nullopt;      // to be asked before the command is granted
  std::optional<BilledCall> permitted = std::nullopt;  // the hook has permitted it, and no other call
};
/// The billing system is asked about `call`; nothing was sent to any party but a 180.
struct AskingBilling {
  Authorising understood;
  BilledCall call;
  WallTime asked_at;
};
/// One command is executed, or the call of a call flow's code or of a menu is started.
struct Granted {};
/// One refusal is sent.
struct Refused {};
/// The sender has gone; no answer is due.
struct Withdrawn {};
using Phase = std::variant<LookingUp, Authorising, AskingBilling, Granted, Refused, Withdrawn>;

/// True once nothing follows.
bool is_over(const Phase& phase);
/// The type's name: "Authorising".
std::string_view name_of(const Phase& phase);

// ---- events ----

struct LookedUp {
  Result<DialledFacts, StoreUnavailable> facts;
};

/// What the call of a conversation is doing, as far as admission depends on it.
enum class Activity {
  kNone,        // there is no such call
  kTalking,     // caller and peer are bridged
  kAnnouncing,  // the caller is parked, and the parker hears the orbit
  kOther,
};
/// What parkd's calls are doing when permission is given.
struct Surroundings {
  Activity activity = Activity::kNone;  // of the conversation that the request names
  std::string tenant;                   // of the same
  /// Of a PartyRequest: the end that its sender is. Nothing if the sender talks to another party than when it asked.
  std::optional<PartyEnd> sender;
  bool other_party_gone = false;  // its BYE is held back
  /// Of a feature call: the conversation that its caller holds, if it talks and both parties are there.
  std::optional<HeldConversation> held;
  bool parks_are_refused = false;  // the servers are overloaded
  // For the question to the billing system.
  WallTime at;
  ParkId new_park_id;  // for the call if it is parked for the first time
  /// The call of the conversation that the request may park again, and the party that would be parked. Set if the
  /// conversation talks.
  struct Parkable {
    ParkId park_id;
    DialogSnapshot caller;
  };
  std::optional<Parkable> parkable;
  std::optional<BilledCall> to_retrieve;  // the call that a retrieve would win
};
/// Permission is given.
struct Authorised {
  Surroundings surroundings;
};
struct BillingAnswered {
  BillingVerdict verdict;
};
/// CANCEL or BYE of a feature call, or the BYE of the sender of a REFER.
struct SenderGone {};
using Event = std::variant<LookedUp, Authorised, BillingAnswered, SenderGone>;

// ---- actions ----

struct LookUp {
  std::string tenant;
  std::string user;  // the number of the extension that asks, "" for a trunk
  std::string dialled;
};
/// Asks for permission; the answer is Authorised.
struct Authorise {};
struct Execute {
  GrantedCommand command;
};
/// The call is to the code of a call flow. No billing system is asked about it, and no load refuses it.
struct StartFlowCall {
  FlowCall call;
};
/// The call is to the number of a menu or an announcement. The same holds of it.
struct StartMenuCall {
  MenuCall call;
};
/// The answer is BillingAnswered. The question of a request that is withdrawn is withdrawn too.
struct AskBilling {
  BillingQuestion question;
};
/// The caller of the feature call hears ringing.
struct Ring {
  CallId call;
};
/// The held call that came with the feature call is its two parties' again.
struct ReleaseHeld {
  CallId call;
};
struct RefuseCall {
  CallId call;
  park::RefusalReason reason;
  std::string language;
};
struct RefuseReferral {
  ReferralId referral;
  park::RefusalReason reason;
};
/// Refuses a request that the billing system has denied.
struct Deny {
  std::variant<CallId, ReferralId> request;
  BillingDenied denial;
  std::string language;
  std::optional<Extension> asker;  // gets the text; nothing if a trunk asked
};
/// Refuses a call by Replaces that names no conversation of its own tenant.
struct DeclineCall {
  CallId call;
};
using Action = std::variant<LookUp, Authorise, Execute, StartFlowCall, StartMenuCall, AskBilling, Ring, ReleaseHeld,
                            RefuseCall, RefuseReferral, Deny, DeclineCall>;

struct Decision {
  Phase next;
  std::vector<Action> actions;
};

/// If `parks_are_refused`, a request that can only be a park is refused before anything is looked up for it.
Decision begin(const Request& request, bool parks_are_refused = false);
/// True of a request that can only be a park.
bool is_park(const Request& request);
/// True once the number is understood to park, until the billing system has permitted it.
bool means_park(const Phase& phase);
/// What is to be retrieved; null if the number is not understood so.
const RetrieveRequest* retrieve_in(const Phase& phase);
/// True if the billing system is still to be asked, or has permitted a call: what it is asked about is looked at.
bool concerns_billing(const Phase& phase);
/// What follows from `event`. Total: an event that is late changes nothing.
Decision decide(const Request& request, const Phase& phase, const Event& event);

}  // namespace callpark::admission
