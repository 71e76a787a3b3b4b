#include "parkd/service/admission.h"

#include <utility>

#include "base/match.h"

namespace callpark {
namespace {

// The caller of a conversation that asks becomes its peer.
std::optional<ConversationId> swapped_by(const GrantedCommand& command) {
  const auto by_caller = [](const auto& granted) {
    return granted.asker == PartyEnd::kCaller ? std::optional(granted.conversation) : std::nullopt;
  };
  if (const auto* park = std::get_if<ParkAgain>(&command)) return by_caller(*park);
  if (const auto* transfer = std::get_if<Transfer>(&command)) return by_caller(*transfer);
  return std::nullopt;
}

}  // namespace

void Admission::on_feature_call(FeatureCall call) {
  const CallId id = call.call;
  begin(id, admission::CallRequest{std::move(call)});
}

void Admission::on_referral(Referral referral) {
  const ReferralId id = referral.referral;
  begin(id, admission::ReferralRequest{std::move(referral)});
}

void Admission::on_referral_of_party(ConversationId conversation, PartyEnd party, Referral referral) {
  const ReferralId id = referral.referral;
  if (service_.view(conversation).activity != admission::Activity::kNone) requests_in(conversation).begin(id, party);
  begin(id, admission::PartyRequest{std::move(referral), conversation});
}

void Admission::on_call_gone(CallId call) {
  feed(call, admission::SenderGone{});
}

void Admission::on_party_gone(ConversationId conversation, PartyEnd party) {
  const bool talks = service_.view(conversation).activity == admission::Activity::kTalking;
  if (requests_.count(conversation) != 0 && requests_in(conversation).hold_bye(party, talks)) return;
  service_.on_party_gone(conversation, party);
}

// ---- the machine of a request ----

void Admission::begin(const RequestKey& key, admission::Request request) {
  admission::Decision decision = admission::begin(request, admission::is_park(request) && refuses_park());
  in_flight_.emplace(key, InFlight{std::move(request), admission::LookingUp{}});
  follow(key, std::move(decision));
}

void Admission::feed(const RequestKey& key, const admission::Event& event) {
  const auto found = in_flight_.find(key);
  if (found == in_flight_.end()) return;
  follow(key, admission::decide(found->second.request, found->second.phase, event));
}

void Admission::follow(const RequestKey& key, admission::Decision decision) {
  const auto found = in_flight_.find(key);
  found->second.phase = std::move(decision.next);
  std::optional<admission::Request> ended;
  if (admission::is_over(found->second.phase)) {
    ended = std::move(found->second.request);
    ports_.billing.withdraw(found->second.question);
    in_flight_.erase(found);
    end_request(*ended);
  }
  for (const admission::Action& action : decision.actions) {
    if (const auto* execute = std::get_if<admission::Execute>(&action)) follow_swap(execute->command);
    std::visit([&](const auto& one) { perform(key, one); }, action);
  }
  const auto* of_party = ended ? std::get_if<admission::PartyRequest>(&*ended) : nullptr;
  if (of_party) release_byes(of_party->conversation);
}

void Admission::perform(const RequestKey& key, const admission::LookUp& action) {
  ports_.store.look_up(
      action.tenant, action.user, action.dialled,
      [this, key, look_up = gate_.begin_look_up(monotonic_now())](Result<DialledFacts, StoreUnavailable> facts) {
        gate_.end_look_up(look_up, monotonic_now());
        feed(key, admission::LookedUp{std::move(facts)});
      });
}

void Admission::perform(const RequestKey& key, const admission::Authorise&) {
  feed(key, admission::Authorised{surroundings_of(in_flight_.at(key))});
}

void Admission::perform(const RequestKey& key, const admission::AskBilling& action) {
  in_flight_.at(key).question = ports_.billing.ask(action.question, [this, key](BillingVerdict verdict) {
    feed(key, admission::BillingAnswered{std::move(verdict)});
  });
}

void Admission::perform(const RequestKey&, const admission::ReleaseHeld& action) {
  ports_.calls.settle_adoption(action.call, Calls::Adoption::kReleased);
}

void Admission::perform(const RequestKey&, const admission::RefuseCall& action) {
  refusals_.refuse(action.call, action.reason, action.language);
}

void Admission::perform(const RequestKey&, const admission::RefuseReferral& action) {
  refusals_.refuse(action.referral, action.reason);
}

void Admission::perform(const RequestKey&, const admission::Deny& action) {
  if (!action.denial.text.empty() && action.asker) {
    ports_.messages.send({action.asker->tenant, action.asker->number, "callpark", action.denial.text});
  }
  const Refusal refusal{action.denial.status, action.denial.phrase, action.denial.prompt};
  std::visit(overloaded{[&](CallId call) { refusals_.deny(call, refusal, action.language); },
                        [&](ReferralId referral) { refusals_.deny(referral, refusal); }},
             action.request);
}

void Admission::perform(const RequestKey&, const admission::DeclineCall& action) {
  ports_.calls.refuse(action.call, 603, "");
}

// ---- what permission depends on ----

bool Admission::refuses_park() {
  const MonotonicTime now = monotonic_now();
  gate_.note_parks(service_.parks_completed(), now);
  return !gate_.admit(now, service_.parks_under_way());
}

admission::Surroundings Admission::surroundings_of(const InFlight& in_flight) {
  const admission::Request& request = in_flight.request;
  admission::Surroundings now;
  now.at = wall_now();
  now.new_park_id = make_park_id();
  now.parks_are_refused = admission::means_park(in_flight.phase) && !admission::is_park(request) && refuses_park();
  const auto look_at = [&](ConversationId conversation) {
    ConversationView view = service_.view(conversation);
    now.activity = view.activity;
    now.tenant = std::move(view.tenant);
  };
  std::visit(overloaded{[&](const admission::CallRequest& asked) {
                          if (asked.call.takes_place_in) look_at(*asked.call.takes_place_in);
                          now.held = held_by(asked.call);
                        },
                        [](const admission::ReferralRequest&) {},
                        [&](const admission::PartyRequest& asked) {
                          look_at(asked.conversation);
                          const auto& requests = requests_in(asked.conversation);
                          now.sender = requests.sender_of(asked.referral.referral);
                          now.other_party_gone = now.sender && requests.is_gone(other_end(*now.sender));
                        }},
             request);
  if (admission::concerns_billing(in_flight.phase)) look_at_calls(in_flight, now);
  return now;
}

void Admission::look_at_calls(const InFlight& in_flight, admission::Surroundings& now) {
  std::optional<HeldConversation> talk = now.held;
  if (const auto* of_party = std::get_if<admission::PartyRequest>(&in_flight.request)) {
    const bool talks = now.activity == admission::Activity::kTalking && now.sender;
    if (talks) talk = HeldConversation{of_party->conversation, {}, *now.sender};
  }
  if (talk) {
    const ConversationSnapshot parties = ports_.conversations.snapshot(talk->conversation);
    const auto other = talk->holder == PartyEnd::kPeer ? std::optional(parties.caller) : parties.peer;
    if (other) now.parkable = {service_.view(talk->conversation).park_id, *other};
  }
  const auto* call = std::get_if<admission::CallRequest>(&in_flight.request);
  const RetrieveRequest* retrieve = admission::retrieve_in(in_flight.phase);
  if (call && retrieve) {
    now.to_retrieve = service_.call_to_retrieve(call->call.tenant, *retrieve, call->call.caller);
  }
}

std::optional<HeldConversation> Admission::held_by(const FeatureCall& call) {
  const Extension* extension = extension_in(call.caller);
  const auto held = extension ? ports_.conversations.held_by(*extension, call.device) : std::nullopt;
  if (!held || service_.view(held->conversation).activity != admission::Activity::kTalking) return std::nullopt;
  const bool are_both_there =
      requests_.count(held->conversation) == 0 || requests_in(held->conversation).are_both_there();
  return are_both_there ? held : std::nullopt;
}

// ---- BYEs that wait ----

admission::ConversationRequests& Admission::requests_in(ConversationId conversation) {
  admission::ConversationRequests& requests = requests_[conversation];
  requests.set_pairing(service_.view(conversation).pairing);
  return requests;
}

void Admission::follow_swap(const GrantedCommand& command) {
  const auto swapped = swapped_by(command);
  if (swapped && requests_.count(*swapped) != 0) requests_in(*swapped).swap_parties();
}

void Admission::end_request(const admission::Request& request) {
  const auto* of_party = std::get_if<admission::PartyRequest>(&request);
  if (of_party) requests_in(of_party->conversation).end(of_party->referral.referral);
}

void Admission::release_byes(ConversationId conversation) {
  for (;;) {
    const bool talks = service_.view(conversation).activity == admission::Activity::kTalking;
    const auto party = requests_in(conversation).take_due_bye(talks);
    if (!party) break;
    service_.on_party_gone(conversation, *party);
  }
  if (requests_in(conversation).empty()) requests_.erase(conversation);
}

}  // namespace callpark
