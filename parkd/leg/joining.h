// What two legs learn of each other when they become caller and peer.
#pragma once

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

/// Answers an offer in a dialog that has mediad at parkd's end: 200, or 488.
void answer_offer_with_media(const UserAgent& agent, DialogLeg& leg, sip::ServerTransactionKey key,
                             const sip::SipMessage& request, const MediaAddress& media);

/// Answers INFO, MESSAGE, OPTIONS and NOTIFY 200, and refuses every other method 405.
void answer_plain_request(DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request);

}  // namespace callpark::leg
