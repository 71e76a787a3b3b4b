// The port Calls over SIP: feature calls that come in, and INVITEs of parkd's own.
#pragma once

#include <string>

#include "parkd/leg/call_table.h"
#include "parkd/leg/conversation_table.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/listeners.h"
#include "parkd/ports/calls.h"

namespace callpark::leg {

/// Loop's thread only. What it refers to must outlive it.
class SipCalls final : public Calls {
 public:
  SipCalls(UserAgent& agent, DialogRoles& roles, CallTable& calls, const ConversationTable& conversations,
           const Listeners& listeners);

  CallId start(const callpark::OutgoingCall& call) override;
  void ring(CallId call) override;
  std::optional<MediaRemote> answer_with_media(CallId call, const MediaAddress& media, Answer answer) override;
  void answer_with_caller(CallId call, ConversationId conversation) override;
  void refuse(CallId call, int status, const std::string& reason) override;
  void settle_adoption(CallId call, Adoption adoption) override;
  void hang_up(CallId call) override;
  DialogSnapshot snapshot(CallId call) const override;
  Party party(CallId call) const override;

  /// An INVITE outside of a dialog, to an agent that is ready.
  void on_invite(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_cancel(sip::ServerTransactionKey invite);
  /// The ACK that is about to come is of a party that has cancelled the call.
  void note_cancelled(CallId call);
  /// INFO in the dialog of this call: a key, if the call is a feature call that is answered.
  void on_info(CallId call, DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request);
  /// The dialog of this call has ended by a BYE of the party.
  void on_bye(CallId call);

 private:
  AckHandlers ack_handlers(CallId call);
  void on_answered(CallId call, const std::optional<MediaRemote>& remote);
  void on_refused(CallId call, int status);
  void on_media(CallId call, const MediaRemote& remote);
  void refuse_invite(sip::ServerTransactionKey key, const sip::SipMessage& invite, const RequestRefusal& refusal,
                     const std::string& our_tag);
  /// RFC 3891 3: the conversation of which the caller is to become the peer; none if the Replaces names no dialog of
  /// parkd's.
  Result<std::optional<ConversationId>, RequestRefusal> place_for(const FeatureInvite& read) const;

  UserAgent& agent_;
  DialogRoles& roles_;
  CallTable& calls_;
  const ConversationTable& conversations_;
  const Listeners& listeners_;
};

}  // namespace callpark::leg
