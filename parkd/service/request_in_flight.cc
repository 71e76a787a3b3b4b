#include "parkd/service/request_in_flight.h"

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

// ---- the number is understood ----

Decision understand(const Request& request, const DialledFacts& facts) {
  const Dialling dialling = dialling_of(request);
  const bool is_no_code = !facts.code && !facts.range;
  if (is_no_code && std::holds_alternative<PartyRequest>(request) && !dialling.dialled.empty()) {
    return authorise({Authorising::Transfer{}, facts.language});
  }
  const auto command = interpret(facts, dialling.extension.number, dialling.how);
  if (!command) return refuse(request, command.error(), facts.language);
  if (const auto* park = std::get_if<ParkCommand>(&*command)) {
    ParkTerms terms = terms_of(facts, dialling.extension, park->request, dialling.recall_after_seconds);
    return authorise({Authorising::Park{std::move(terms)}, facts.language});
  }
  // FEATURES S11: a transfer to a code that retrieves would join two callers.
  if (dialling.how == Dialled::kAsTransfer) return refuse(request, RefusalReason::kInvalidCode);
  return authorise({Authorising::Retrieve{std::get<RetrieveCommand>(*command).request}, facts.language});
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
  return grant(ParkHeld{call.call, *call.held, terms});
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
    return grant(Retrieve{call.call, call.tenant, call.caller, retrieve->request, understood.language});
  }
  return grant_place(call, now);
}

Decision on_authorised(const Request& request, const Authorising& understood, const Surroundings& now) {
  return std::visit(overloaded{[&](const CallRequest& asked) { return grant_call(asked.call, understood, now); },
                               [&](const ReferralRequest& asked) {
                                 const ParkTerms& terms = std::get<Authorising::Park>(understood.intent).terms;
                                 return grant(ParkReferred{asked.referral.referral, asked.referral.dialog, terms});
                               },
                               [&](const PartyRequest& asked) { return grant_party(asked, understood, now); }},
                    request);
}

}  // namespace

bool is_over(const Phase& phase) {
  return !std::holds_alternative<LookingUp>(phase) && !std::holds_alternative<Authorising>(phase);
}

std::string_view name_of(const Phase& phase) {
  return std::visit(overloaded{[](const LookingUp&) { return std::string_view("LookingUp"); },
                               [](const Authorising&) { return std::string_view("Authorising"); },
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
  return understood && std::holds_alternative<Authorising::Park>(understood->intent);
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
  // Some phones do not wait for the answer to their REFER before they hang up: the request counts.
  if (std::holds_alternative<SenderGone>(event)) {
    return std::holds_alternative<CallRequest>(request) ? Decision{Withdrawn{}, {}} : Decision{phase, {}};
  }
  if (const auto* looked_up = std::get_if<LookedUp>(&event)) {
    if (!std::holds_alternative<LookingUp>(phase)) return {phase, {}};
    if (!looked_up->facts) return refuse(request, RefusalReason::kUnavailable);
    return understand(request, *looked_up->facts);
  }
  const auto* understood = std::get_if<Authorising>(&phase);
  if (!understood) return {phase, {}};
  return on_authorised(request, *understood, std::get<Authorised>(event).surroundings);
}

}  // namespace callpark::admission
