#include "parkd/leg/joining.h"

#include <utility>

#include "kamailio_protocol/party_identity.h"
#include "parkd/leg/latching.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/message/session_body.h"

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
  to->offer([to = to.get(), now = *from.remote_sdp()] { return to->offer_of(now); },
            [](OfferOutcome, const sip::Sdp*, const sip::Sdp*) {});
}

void agree_on_numbers(const DialogFacts& told, const LegPtr& described) {
  if (told.remote_sdp() && !told.agrees_on_numbers_with(*described)) offer_media_of(told, described);
}

void answer_offer_with_media(const UserAgent& agent, DialogLeg& leg, sip::ServerTransactionKey key,
                             const sip::SipMessage& request, const MediaAddress& media,
                             const std::function<void(const MediaRemote&)>& changed) {
  if (sip::session_description(request).empty()) return offer_media(agent, leg, key, request, media, changed);
  const auto offer = description_in(request);
  if (!offer) return leg.refuse(key, request, 400, "Bad session description");
  const auto made = answer_with_media(*offer, media, agent.codecs, leg.local_origin(), agent.own_sockets);
  if (!made) return leg.refuse(key, request, 488, sentence(made.error()));
  leg.set_remote_offer(*offer);
  leg.answer(key, request, made->answer, {});
  changed(with_latching(made->remote, leg.dialog()));
}

void offer_media(const UserAgent& agent, DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request,
                 const MediaAddress& media, const std::function<void(const MediaRemote&)>& changed) {
  const sip::Sdp offer = leg.offer_of(media, agent.codecs);
  // The handler is the leg's.
  leg.answer(key, request, offer,
             {[&agent, &leg, offer, changed](const sip::Sdp* answer) {
                if (!answer) return;
                leg.set_remote_sdp(*answer);
                if (const auto remote = read_answer(offer, *answer, agent.own_sockets))
                  changed(with_latching(*remote, leg.dialog()));
              },
              {}});
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
