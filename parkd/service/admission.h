// Admits or refuses what phones request: has the dialled number looked up and understood, gives permission, and hands
// one granted command to the park service. Until a party's REFER is answered its BYE is held back.
#pragma once

#include <map>
#include <unordered_map>
#include <variant>

#include "parkd/service/conversation_requests.h"
#include "parkd/service/flow_calls.h"
#include "parkd/service/load_gate.h"
#include "parkd/service/menu_calls.h"
#include "parkd/service/park_service.h"
#include "parkd/service/request_in_flight.h"

namespace callpark {

class Admission {
 public:
  /// The references must outlive this.
  Admission(const ServicePorts& ports, Refusals& refusals, ParkService& service, FlowCalls& flow_calls,
            MenuCalls& menu_calls, LoadGate& gate)
      : ports_(ports),
        refusals_(refusals),
        service_(service),
        flow_calls_(flow_calls),
        menu_calls_(menu_calls),
        gate_(gate) {}

  void on_feature_call(FeatureCall call);
  void on_referral(Referral referral);
  void on_referral_of_party(ConversationId conversation, PartyEnd party, Referral referral);
  /// CANCEL or BYE of a feature call.
  void on_call_gone(CallId call);
  /// Reported to the park service at once, or when the party's requests are over.
  void on_party_gone(ConversationId conversation, PartyEnd party);

 private:
  /// A feature call, or a REFER.
  using RequestKey = std::variant<CallId, ReferralId>;
  struct InFlight {
    admission::Request request;
    admission::Phase phase;
    BillingQuestionId question = {};  // the last one
  };

  void begin(const RequestKey& key, admission::Request request);
  void feed(const RequestKey& key, const admission::Event& event);
  void follow(const RequestKey& key, admission::Decision decision);
  void perform(const RequestKey& key, const admission::LookUp& action);
  void perform(const RequestKey& key, const admission::Authorise&);
  void perform(const RequestKey&, const admission::Execute& action) { service_.execute(action.command); }
  void perform(const RequestKey&, const admission::StartFlowCall& action) { flow_calls_.start(action.call); }
  void perform(const RequestKey&, const admission::StartMenuCall& action) { menu_calls_.start(action.call); }
  void perform(const RequestKey& key, const admission::AskBilling& action);
  void perform(const RequestKey&, const admission::Ring& action) { ports_.calls.ring(action.call); }
  void perform(const RequestKey&, const admission::ReleaseHeld& action);
  void perform(const RequestKey&, const admission::RefuseCall& action);
  void perform(const RequestKey&, const admission::RefuseReferral& action);
  void perform(const RequestKey&, const admission::Deny& action);
  void perform(const RequestKey&, const admission::DeclineCall& action);

  bool refuses_park();
  admission::Surroundings surroundings_of(const InFlight& request);
  /// What the billing system is asked about.
  void look_at_calls(const InFlight& request, admission::Surroundings& now);
  std::optional<HeldConversation> held_by(const FeatureCall& call);
  /// The requests of the conversation's parties, as of its present pairing.
  admission::ConversationRequests& requests_in(ConversationId conversation);
  void follow_swap(const GrantedCommand& command);
  void end_request(const admission::Request& request);
  void release_byes(ConversationId conversation);

  const ServicePorts ports_;
  Refusals& refusals_;
  ParkService& service_;
  FlowCalls& flow_calls_;
  MenuCalls& menu_calls_;
  LoadGate& gate_;
  std::map<RequestKey, InFlight> in_flight_;
  /// Of conversations that have requests in flight.
  std::unordered_map<ConversationId, admission::ConversationRequests> requests_;
};

}  // namespace callpark
