#include "parkd/leg/sip_referrals.h"

#include <utility>

#include "base/random.h"
#include "parkd/leg/adopted_halves.h"
#include "parkd/leg/incoming_request.h"

namespace callpark::leg {

SipReferrals::SipReferrals(UserAgent& agent, DialogRoles& roles, const ConversationTable& conversations,
                           const Listeners& listeners)
    : agent_(agent), roles_(roles), conversations_(conversations), listeners_(listeners) {}

void SipReferrals::on_refer_outside(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const auto refuse = [&](int status, std::string_view reason = {}) {
    agent_.transactions.respond(key, sip::make_response(request, status, reason, random_token(kTagLength)));
  };
  auto referral = read_referral(request);
  if (!referral) return refuse(referral.error().status, referral.error().reason);
  const LegPtr referrer = parkers_half(agent_, referral->dialog);
  if (!roles_.add(referrer, ParkerRole{referral->dialog.caller, referral->referrer, CallId{}})) return refuse(491);
  referral->referral = begin(referrer, key, request);
  listeners_.referrals->on_referral(*std::move(referral));
}

// FEATURES S11: a trunk does not park. Kamailio vouches for a password, and not for the party of the dialog: any
// extension that learns the tags would have the call. A parked extension may refer, as in any call, but not while it
// waits.
bool SipReferrals::may_refer(const PartyRole& party, const sip::SipMessage& request) const {
  const Conversation& conversation = conversations_.at(party.conversation);
  const Extension* owner = extension_in(conversation.end(party.end).party);
  if (!owner || sender_of(request) != *owner) return false;
  return party.end == PartyEnd::kPeer || conversation.is_bridged();
}

void SipReferrals::on_refer_of_party(const LegPtr& leg, const PartyRole& party, sip::ServerTransactionKey key,
                                     const sip::SipMessage& request) {
  if (!sender_of(request)) return leg->refuse(key, request, 403);
  if (!may_refer(party, request)) return leg->refuse(key, request, 603);
  auto referral = read_referral_of_party(request);
  if (!referral) return leg->refuse(key, request, referral.error().status, referral.error().reason);
  referral->referral = begin(leg, key, request);
  listeners_.referrals->on_referral_of_party(party.conversation, party.end, *std::move(referral));
}

ReferralId SipReferrals::begin(const LegPtr& leg, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const ReferralId id{++last_id_};
  subscriptions_.try_emplace(id, agent_, leg, key, request);
  return id;
}

void SipReferrals::accept(ReferralId referral) {
  const auto found = subscriptions_.find(referral);
  if (found != subscriptions_.end()) found->second.accept();
}

void SipReferrals::conclude(ReferralId referral, int status, const std::string& reason) {
  auto node = subscriptions_.extract(referral);
  if (node.empty()) return;
  node.mapped().conclude(status, reason);
  roles_.release(node.mapped().leg());
}

}  // namespace callpark::leg
