#include "parkd/service/request_in_flight.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/match.h"
#include "parkd/service/dialled_code.h"

namespace callpark::admission {
namespace {

using park::RefusalReason;

/// What the three kinds of request have in common.
struct Dialling {
  std::string tenant;
  Extension extension;  // number "" of a trunk
  const std::string& dialled;
  std::optional<int> recall_after_seconds;
  Dialled how;
};

Extension extension_of(const FeatureCall& call) {
  const Extension* extension = extension_in(call.caller);
  return extension ? *extension : Extension{call.tenant, ""};
}

Dialling dialling_of(const Request& request) {
  const auto of_referral = [](const Referral& referral) {
    return Dialling{referral.referrer.tenant, referral.referrer, referral.dialled, referral.recall_after_seconds,
                    Dialled::kAsTransfer};
  };
  return std::visit(overloaded{[](const CallRequest& asked) {
                                 return Dialling{asked.call.tenant, extension_of(asked.call), asked.call.dialled,
                                                 asked.call.recall_after_seconds, Dialled::kAsCall};
                               },
                               [&](const ReferralRequest& asked) { return of_referral(asked.referral); },
                               [&](const PartyRequest& asked) { return of_referral(asked.referral); }},
                    request);
}

Decision refuse(const Request& request, RefusalReason reason, const std::string& language = "") {
  const auto referral = [&](const Referral& refused) { return Action(RefuseReferral{refused.referral, reason}); };
  return {Refused{},
          {std::visit(overloaded{[&](const CallRequest& asked) {
                                   return Action(RefuseCall{asked.call.call, reason, language});
                                 },
                                 [&](const ReferralRequest& asked) { return referral(asked.referral); },
                                 [&](const PartyRequest& asked) { return referral(asked.referral); }},
                      request)}};
}

Decision grant(GrantedCommand command) {
  return {Granted{}, {Execute{std::move(command)}}};
}

Decision authorise(Authorising understood) {
  return {std::move(understood), {Authorise{}}};
}

Decision deny(const Request& request, BillingDenied denial, const std::string& language) {
  const auto referral = [&](const Referral& denied) {
    return Action(Deny{denied.referral, std::move(denial), language, denied.referrer});
  };
  return {Refused{},
          {std::visit(overloaded{[&](const CallRequest& asked) {
                                   const Extension* asker = extension_in(asked.call.caller);
                                   return Action(Deny{asked.call.call, std::move(denial), language,
                                                      asker ? std::optional(*asker) : std::nullopt});
                                 },
                                 [&](const ReferralRequest& asked) { return referral(asked.referral); },
                                 [&](const PartyRequest& asked) { return referral(asked.referral); }},
                      request)}};
}

// ---- the number is understood ----

/// The call to a call flow's code, or to a menu; nothing if the command is another.
std::optional<Decision> start_call(const Request& request, const Command& command, const std::string& language) {
  const auto* toggle = std::get_if<ToggleCommand>(&command);
  const auto* menu = std::get_if<MenuCommand>(&command);
  if (!toggle && !menu) return std::nullopt;
  const auto* asked = std::get_if<CallRequest>(&request);
  if (!asked) return refuse(request, RefusalReason::kInvalidCode, language);
  const FeatureCall& call = asked->call;
  Decision decision{Granted{}, {}};
  if (toggle) {
    decision.actions.emplace_back(
        StartFlowCall{{call.call, call.sip_call_id, extension_of(call), toggle->code, language}});
    return decision;
  }
  // A call that the caller holds has no part in this.
  if (call.held) decision.actions.emplace_back(ReleaseHeld{call.call});
  decision.actions.emplace_back(StartMenuCall{
      {call.call, call.tenant, call.caller, menu->number, call.dialled_first, language, call.sip_call_id}});
  return decision;
}

Decision understand(const Request& request, const DialledFacts& facts) {
  const Dialling dialling = dialling_of(request);
  // A menu is no code, although its number may begin with one.
  const bool is_no_code = !facts.menu.empty() || (!facts.code && !facts.range && facts.flow_code.empty());
  if (is_no_code && std::holds_alternative<PartyRequest>(request) && !dialling.dialled.empty()) {
    return authorise({Authorising::Transfer{}, facts.language});
  }
  const auto command = interpret(facts, dialling.extension.number, dialling.how);
  if (!command) return refuse(request, command.error(), facts.language);
  if (auto started = start_call(request, *command, facts.language)) return *std::move(started);
  if (const auto* park = std::get_if<ParkCommand>(&*command)) {
    ParkTerms terms = terms_of(facts, dialling.extension, park->request, dialling.recall_after_seconds);
    const bool is_asked = facts.billing && facts.billing->asks_park;
    return authorise({Authorising::Park{std::move(terms)}, facts.language, is_asked ? facts.billing : std::nullopt});
  }
  // FEATURES S11: a transfer to a code that retrieves would join two callers.
  if (dialling.how == Dialled::kAsTransfer) return refuse(request, RefusalReason::kInvalidCode);
  const bool is_asked = facts.billing && facts.billing->asks_retrieve;
  return authorise({Authorising::Retrieve{std::get<RetrieveCommand>(*command).request}, facts.language,
                    is_asked ? facts.billing : std::nullopt});
}

// ---- permission is given ----

Decision park_by_call(const FeatureCall& call, const ParkTerms& terms, const std::string& language,
                      const Surroundings& now) {
  if (now.parks_are_refused) return refuse(CallRequest{call}, RefusalReason::kOverloaded, language);
  // FEATURES S7: of a call of parkd's and a call of Kamailio's, the device decides which of the two is parked.
  if (now.held && (!call.held || goes_before(now.held->hold, call.held->hold, call.device))) {
    return {Granted{},
            {ReleaseHeld{call.call}, Execute{ParkAgain{now.held->conversation, now.held->holder, call.call, terms}}}};
  }
  if (!call.held) return refuse(CallRequest{call}, RefusalReason::kNoHeldCall, language);
  return grant(ParkHeld{call.call, *call.held, terms, now.new_park_id});
}

Decision park_by_party(const PartyRequest& asked, const ParkTerms& terms, PartyEnd sender, const Surroundings& now) {
  if (now.activity == Activity::kTalking) {
    if (now.parks_are_refused) return refuse(asked, RefusalReason::kOverloaded);
    return grant(ParkAgain{asked.conversation, sender, asked.referral.referral, terms});
  }
  const bool completes_park = now.activity == Activity::kAnnouncing && sender == PartyEnd::kPeer;
  if (completes_park) return grant(EndConsultation{asked.conversation, asked.referral.referral});
  return refuse(asked, RefusalReason::kUnavailable);
}

Decision grant_transfer(const PartyRequest& asked, PartyEnd sender, Activity activity) {
  // Outside a talk the number is a code that nothing is known of.
  if (activity != Activity::kTalking) return refuse(asked, RefusalReason::kInvalidCode);
  const Referral& referral = asked.referral;
  return grant(Transfer{asked.conversation, sender, referral.referrer, referral.referral, referral.dialled,
                        referral.replaces, referral.contact});
}

Decision grant_party(const PartyRequest& asked, const Authorising& understood, const Surroundings& now) {
  if (!now.sender) return refuse(asked, RefusalReason::kUnavailable);
  if (now.other_party_gone) return refuse(asked, RefusalReason::kCallerGone);
  if (const auto* park = std::get_if<Authorising::Park>(&understood.intent)) {
    return park_by_party(asked, park->terms, *now.sender, now);
  }
  return grant_transfer(asked, *now.sender, now.activity);
}

// A call by Replaces needs the permission of the peer that has sent its caller, which the Replaces header proves; and
// its caller is an extension of the same tenant.
Decision grant_place(const FeatureCall& call, const Surroundings& now) {
  const bool is_of_tenant = extension_in(call.caller) && now.tenant == call.tenant;
  if (!is_of_tenant || now.activity != Activity::kTalking) return {Refused{}, {DeclineCall{call.call}}};
  Decision decision{Granted{}, {}};
  // The caller may hold another call, even that of the peer: it has no part in this.
  if (call.held) decision.actions.emplace_back(ReleaseHeld{call.call});
  decision.actions.emplace_back(Execute{TakePlace{call.call, *call.takes_place_in, call.caller}});
  return decision;
}

Decision grant_call(const FeatureCall& call, const Authorising& understood, const Surroundings& now) {
  if (const auto* park = std::get_if<Authorising::Park>(&understood.intent)) {
    return park_by_call(call, park->terms, understood.language, now);
  }
  if (const auto* retrieve = std::get_if<Authorising::Retrieve>(&understood.intent)) {
    return grant(
        Retrieve{call.call, call.tenant, call.caller, retrieve->request, understood.language, retrieve->permission});
  }
  return grant_place(call, now);
}

Decision give_permission(const Request& request, const Authorising& understood, const Surroundings& now) {
  return std::visit(
      overloaded{[&](const CallRequest& asked) { return grant_call(asked.call, understood, now); },
                 [&](const ReferralRequest& asked) {
                   const ParkTerms& terms = std::get<Authorising::Park>(understood.intent).terms;
                   return grant(ParkReferred{asked.referral.referral, asked.referral.dialog, terms, now.new_park_id});
                 },
                 [&](const PartyRequest& asked) { return grant_party(asked, understood, now); }},
      request);
}

// ---- the billing system ----

/// The call that the command parks; nothing if it parks none.
std::optional<BilledCall> parked_by(const GrantedCommand& command, const Surroundings& now) {
  const auto first_park = [&](const auto& park) {
    return std::optional(to_be_parked(park.park_id, park.dialog.caller, park.terms, now.at));
  };
  return std::visit(overloaded{[&](const ParkHeld& park) { return first_park(park); },
                               [&](const ParkReferred& park) { return first_park(park); },
                               [&](const ParkAgain& park) {
                                 const Surroundings::Parkable& call = now.parkable.value();
                                 return std::optional(to_be_parked(call.park_id, call.caller, park.terms, now.at));
                               },
                               [](const auto&) { return std::optional<BilledCall>(); }},
                    command);
}

Decision ask_billing(const Request& request, const Authorising& understood, const BilledCall& call, WallTime now) {
  const Dialling dialling = dialling_of(request);
  const bool is_retrieve = std::holds_alternative<Authorising::Retrieve>(understood.intent);
  AskBilling ask{{is_retrieve ? BillingEvent::kRetrieve : BillingEvent::kPark, dialling.tenant, call,
                  is_retrieve ? dialling.extension.number : "", *understood.hook}};
  Decision decision{AskingBilling{understood, call, now}, {}};
  if (const auto* asked = std::get_if<CallRequest>(&request)) decision.actions.emplace_back(Ring{asked->call.call});
  decision.actions.emplace_back(std::move(ask));
  return decision;
}

// Without a call that the billing system could be asked about, the database is asked all the same: it refuses as ever.
Decision retrieve_only(const Request& request, const Authorising& understood, const Surroundings& now,
                       Decision decision) {
  const std::optional<BilledCall>& call = understood.permitted ? understood.permitted : now.to_retrieve;
  if (call && !understood.permitted) return ask_billing(request, understood, *call, now.at);
  auto& execute = std::get<Execute>(decision.actions.front());
  std::get<callpark::Retrieve>(execute.command).request.only = call ? call->park_id : ParkId();
  return decision;
}

// What needs no billing system to be refused, or parks and retrieves nothing, is decided without it.
Decision on_authorised(const Request& request, const Authorising& understood, Surroundings now) {
  if (understood.permitted) now.new_park_id = understood.permitted->park_id;
  Decision decision = give_permission(request, understood, now);
  const auto* execute = decision.actions.empty() ? nullptr : std::get_if<Execute>(&decision.actions.back());
  if (!execute || (!understood.hook && !understood.permitted)) return decision;
  if (std::holds_alternative<callpark::Retrieve>(execute->command)) {
    return retrieve_only(request, understood, now, std::move(decision));
  }
  if (std::holds_alternative<ParkAgain>(execute->command) && !now.parkable) {
    return refuse(request, RefusalReason::kUnavailable, understood.language);
  }
  const auto call = parked_by(execute->command, now);
  if (!call) return decision;
  if (!understood.permitted) return ask_billing(request, understood, *call, now.at);
  const bool is_permitted =
      call->park_id == understood.permitted->park_id && call->sip_call_id == understood.permitted->sip_call_id;
  return is_permitted ? decision : refuse(request, RefusalReason::kUnavailable, understood.language);
}

Decision on_billing_answered(const Request& request, const AskingBilling& asking, const BillingVerdict& verdict) {
  if (const auto* denied = std::get_if<BillingDenied>(&verdict)) {
    return deny(request, *denied, asking.understood.language);
  }
  Authorising understood = asking.understood;
  understood.hook.reset();
  understood.permitted = asking.call;
  const auto& given = std::get<BillingPermitted>(verdict);
  const HookPermission permission{asking.asked_at, given.failure};
  if (auto* park = std::get_if<Authorising::Park>(&understood.intent)) {
    restrict_terms(park->terms, given.terms);
    park->terms.permission = permission;
  }
  if (auto* retrieve = std::get_if<Authorising::Retrieve>(&understood.intent)) retrieve->permission = permission;
  return authorise(std::move(understood));
}

}  // namespace

bool is_over(const Phase& phase) {
  return std::visit(overloaded{[](const LookingUp&) { return false; }, [](const Authorising&) { return false; },
                               [](const AskingBilling&) { return false; }, [](const auto&) { return true; }},
                    phase);
}

std::string_view name_of(const Phase& phase) {
  return std::visit(overloaded{[](const LookingUp&) { return std::string_view("LookingUp"); },
                               [](const Authorising&) { return std::string_view("Authorising"); },
                               [](const AskingBilling&) { return std::string_view("AskingBilling"); },
                               [](const Granted&) { return std::string_view("Granted"); },
                               [](const Refused&) { return std::string_view("Refused"); },
                               [](const Withdrawn&) { return std::string_view("Withdrawn"); }},
                    phase);
}

bool is_park(const Request& request) {
  return std::holds_alternative<ReferralRequest>(request);
}

bool means_park(const Phase& phase) {
  const auto* understood = std::get_if<Authorising>(&phase);
  return understood && !understood->permitted && std::holds_alternative<Authorising::Park>(understood->intent);
}

const RetrieveRequest* retrieve_in(const Phase& phase) {
  const auto* understood = std::get_if<Authorising>(&phase);
  const auto* retrieve = understood ? std::get_if<Authorising::Retrieve>(&understood->intent) : nullptr;
  return retrieve ? &retrieve->request : nullptr;
}

bool concerns_billing(const Phase& phase) {
  const auto* understood = std::get_if<Authorising>(&phase);
  return understood && (understood->hook || understood->permitted);
}

Decision begin(const Request& request, bool parks_are_refused) {
  if (parks_are_refused && is_park(request)) return refuse(request, RefusalReason::kOverloaded);
  const auto* asked = std::get_if<CallRequest>(&request);
  // Whatever number such a call dials, Replaces names its purpose.
  if (asked && asked->call.takes_place_in) return authorise({Authorising::TakePlace{}, ""});
  const Dialling dialling = dialling_of(request);
  return {LookingUp{}, {LookUp{dialling.tenant, dialling.extension.number, dialling.dialled}}};
}

Decision decide(const Request& request, const Phase& phase, const Event& event) {
  if (is_over(phase)) return {phase, {}};
  const auto* understood = std::get_if<Authorising>(&phase);
  const auto* asking = std::get_if<AskingBilling>(&phase);
  return std::visit(
      overloaded{
          [&](const LookedUp& looked_up) {
            if (!std::holds_alternative<LookingUp>(phase)) return Decision{phase, {}};
            if (!looked_up.facts) return refuse(request, RefusalReason::kUnavailable);
            return understand(request, *looked_up.facts);
          },
          [&](const Authorised& authorised) {
            return understood ? on_authorised(request, *understood, authorised.surroundings) : Decision{phase, {}};
          },
          [&](const BillingAnswered& answered) {
            return asking ? on_billing_answered(request, *asking, answered.verdict) : Decision{phase, {}};
          },
          [&](const SenderGone&) {
            // Some phones do not wait for the answer to their REFER before they hang up: the request counts.
            if (!std::holds_alternative<CallRequest>(request)) return Decision{phase, {}};
            return Decision{Withdrawn{}, {}};
          }},
      event);
}

}  // namespace callpark::admission
