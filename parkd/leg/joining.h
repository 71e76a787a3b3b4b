// What two legs learn of each other when they become caller and peer.
#pragma once

#include <functional>

#include "parkd/call/media.h"
#include "parkd/call/party.h"
#include "parkd/leg/dialog_leg.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// The remote side of `leg` is `party`: an extension has its own number, whatever number has led to it.
void name_party(DialogLeg& leg, PartyIdentity who, const Party& party);
PartyIdentity identity_of_remote(const DialogLeg& leg);

/// The peer's phone shows the caller and not the number that it dialled. A trunk has no display, and gets nothing that
/// it did not ask for.
void show_caller(const DialogFacts& caller, DialogLeg& peer, const Party& peer_party);

/// Re-INVITEs with what `from` describes now.
void offer_media_of(const DialogFacts& from, const LegPtr& to);

/// Two parties are joined. If `told` has other payload types for what the remote side of `described` sends and receives
/// than that side has described, that side is offered them.
void agree_on_numbers(const DialogFacts& told, const LegPtr& described);

/// Answers an INVITE, or an UPDATE with an offer, in a dialog that has mediad at parkd's end: 200, or 488. `changed` is
/// called with where the remote side receives: at once, or when the ACK brings the answer to parkd's offer.
void answer_offer_with_media(const UserAgent& agent, DialogLeg& leg, sip::ServerTransactionKey key,
                             const sip::SipMessage& request, const MediaAddress& media,
                             const std::function<void(const MediaRemote&)>& changed);
/// The same for an INVITE without an offer (RFC 3261 14.1).
void offer_media(const UserAgent& agent, DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request,
                 const MediaAddress& media, const std::function<void(const MediaRemote&)>& changed);

/// Answers INFO, MESSAGE, OPTIONS and NOTIFY 200, and refuses every other method 405.
void answer_plain_request(DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request);

}  // namespace callpark::leg
