// The port Conversations over SIP.
#pragma once

#include "parkd/leg/call_table.h"
#include "parkd/leg/conversation_table.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/listeners.h"
#include "parkd/ports/conversations.h"

namespace callpark::leg {

/// Loop's thread only. What it refers to must outlive it.
class SipConversations final : public Conversations {
 public:
  SipConversations(UserAgent& agent, DialogRoles& roles, CallTable& calls, ConversationTable& conversations,
                   const Listeners& listeners);

  std::optional<ConversationId> adopt(const AdoptableDialog& dialog) override;
  ConversationId take_over(const ParkedCallRow& row) override;
  ConversationId begin(CallId caller) override;
  void forget(ConversationId conversation) override;
  void offer_to_caller(ConversationId conversation, park::Question question, const Offer& offer) override;
  void set_bridged(ConversationId conversation, bool bridged) override;
  void make_peer(ConversationId conversation, CallId call) override;
  void swap_parties(ConversationId conversation) override;
  void end(ConversationId conversation, PartyEnd party) override;
  ConversationSnapshot snapshot(ConversationId conversation) const override;
  std::optional<HeldConversation> held_by(const Extension& extension, const std::string& device) const override;

 private:
  std::shared_ptr<Conversation> make();
  void offer_call(Conversation& conversation, park::Question question, CallId call);
  void give_up(CallId call);

  UserAgent& agent_;
  DialogRoles& roles_;
  CallTable& calls_;
  ConversationTable& conversations_;
  const Listeners& listeners_;
};

}  // namespace callpark::leg
