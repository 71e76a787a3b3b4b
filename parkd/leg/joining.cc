#include "parkd/leg/joining.h"

#include <utility>

#include "kamailio_protocol/party_identity.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/offer_answer.h"

namespace callpark::leg {

void name_party(DialogLeg& leg, PartyIdentity who, const Party& party) {
  const Extension* extension = extension_in(party);
  if (extension && who != PartyIdentity{}) who.number = extension->number;
  leg.set_remote_party(std::move(who), party);
}

PartyIdentity identity_of_remote(const DialogLeg& leg) {
  return kamailio_protocol::identity_of(leg.dialog().remote_display, leg.dialog().remote_uri);
}

void show_caller(const DialogFacts& caller, DialogLeg& peer, const Party& peer_party) {
  const Extension* extension = extension_in(peer_party);
  if (extension) peer.show(caller.remote_identity(), extension->tenant);
}

void offer_media_of(const DialogFacts& from, const LegPtr& to) {
  to->offer([to = to.get(), now = *from.remote_sdp()] { return align_offer(now, to->local_sdp(), to->remote_sdp()); },
            [](OfferOutcome, const sip::Sdp*, const sip::Sdp*) {});
}

void answer_offer_with_media(const UserAgent& agent, DialogLeg& leg, sip::ServerTransactionKey key,
                             const sip::SipMessage& request, const MediaAddress& media) {
  const auto offer = description_in(request);
  if (!offer) return leg.refuse(key, request, 488);
  const auto made = answer_with_media(*offer, media, agent.codecs, leg.local_origin());
  if (!made) return leg.refuse(key, request, 488, sentence(made.error()));
  leg.answer(key, request, made->answer, {});
}

void answer_plain_request(DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  bool is_harmless = false;
  for (const std::string_view method :
       {sip::method::kInfo, sip::method::kMessage, sip::method::kOptions, sip::method::kNotify}) {
    is_harmless = is_harmless || request.method() == method;
  }
  leg.refuse(key, request, is_harmless ? 200 : 405);
}

}  // namespace callpark::leg
