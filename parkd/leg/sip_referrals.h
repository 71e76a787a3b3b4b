// The port Referrals over SIP: REFERs in dialogs of two other user agents, and in parkd's own.
#pragma once

#include <string>
#include <unordered_map>

#include "parkd/leg/conversation_table.h"
#include "parkd/leg/dialog_roles.h"
#include "parkd/leg/listeners.h"
#include "parkd/leg/refer_subscription.h"
#include "parkd/ports/referrals.h"

namespace callpark::leg {

/// Loop's thread only. What it refers to must outlive it.
class SipReferrals final : public Referrals {
 public:
  SipReferrals(UserAgent& agent, DialogRoles& roles, const ConversationTable& conversations,
               const Listeners& listeners);

  void accept(ReferralId referral) override;
  void conclude(ReferralId referral, int status, const std::string& reason) override;

  /// A REFER in a dialog that is none of parkd's, to an agent that is ready.
  void on_refer_outside(sip::ServerTransactionKey key, const sip::SipMessage& request);
  /// A REFER that the leg of a conversation's party has accepted.
  void on_refer_of_party(const LegPtr& leg, const PartyRole& party, sip::ServerTransactionKey key,
                         const sip::SipMessage& request);

 private:
  ReferralId begin(const LegPtr& leg, sip::ServerTransactionKey key, const sip::SipMessage& request);
  bool may_refer(const PartyRole& party, const sip::SipMessage& request) const;

  UserAgent& agent_;
  DialogRoles& roles_;
  const ConversationTable& conversations_;
  const Listeners& listeners_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<ReferralId, ReferSubscription> subscriptions_;
};

}  // namespace callpark::leg
