#include "parkd/leg/outgoing_invite.h"

#include <utility>

#include "base/random.h"
#include "kamailio_protocol/headers.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/leg/shown_identity.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

// RFC 3261 20.4; phones choose a ringing tone by it.
constexpr std::string_view kAlertInfo = "Alert-Info";
constexpr std::string_view kRecallAlert = "<urn:alert:source:callpark-recall>;info=recall";

// RFC 3261 8.1.1. The offer is still to come.
sip::SipMessage make_invite(const UserAgent& agent, sip::NameAddr from, const std::string& tenant,
                            const std::string& number) {
  const sip::SipUri uri(number, tenant);
  sip::SipMessage invite = sip::make_request(sip::method::kInvite, uri);
  from.set_tag(random_token(kTagLength));
  invite.set_header(sip::HeaderName::kFrom, from.to_string());
  invite.set_header(sip::HeaderName::kTo, sip::NameAddr{"", uri, {}}.to_string());
  invite.set_header(sip::HeaderName::kCallId, random_token(2 * kTagLength));
  invite.set_cseq(kFirstCseq, sip::method::kInvite);
  invite.set_header(sip::HeaderName::kContact, agent.contact);
  invite.set_header(kamailio_protocol::kTenant, tenant);
  write_capabilities(invite);
  return invite;
}

// The caller's own URI shows where the call comes from. A caller that withholds its identity, or was reached by another
// number, has none to show.
sip::NameAddr from_of(const DialogFacts& caller, const std::string& tenant,
                      const std::optional<callpark::OutgoingCall::InNameOfCaller::Recall>& recall) {
  PartyIdentity who = caller.remote_identity();
  if (recall && !recall->shown_name.empty()) who.name = recall->shown_name;
  sip::NameAddr from = shown_address(who, tenant);
  if (const auto uri = sip::parse_uri(caller.dialog().remote_uri); uri && uri->user() == who.number) from.uri = *uri;
  // The recalled phone shows "Recall 102: Client".
  if (recall) from.display = "Recall " + recall->orbit + ": " + from.display;
  return from;
}

OutgoingInvite with_offer(sip::SipMessage message, sip::Sdp offer, const callpark::OutgoingCall& call,
                          std::optional<MediaAddress> media) {
  message.set_body(sip::kSdpType, sip::write_sdp(offer));
  return {std::move(message), std::move(offer), call.tenant, party_of_number(call.tenant, call.number),
          std::move(media)};
}

}  // namespace

OutgoingInvite invite_in_name_of(const DialogFacts& caller, const DialogFacts* peer, const UserAgent& agent,
                                 const callpark::OutgoingCall& call,
                                 const callpark::OutgoingCall::InNameOfCaller& from) {
  sip::SipMessage invite = make_invite(agent, from_of(caller, call.tenant, from.recall), call.tenant, call.number);
  // To stays in the tenant's domain: it becomes the target's own URI in this dialog.
  if (const auto contact = sip::parse_uri(from.contact)) invite.set_request_uri(contact->to_string());
  if (const Extension* extension = extension_in(caller.remote_party())) {
    invite.set_header(kamailio_protocol::kCaller, aor_of(*extension));
  }
  if (from.recall) {
    invite.set_header(kamailio_protocol::kRecall, from.recall->park_id.text());
    invite.set_header(kAlertInfo, kRecallAlert);
  } else if (from.menu_call) {
    invite.set_header(kamailio_protocol::kRecall, from.menu_call->text());
  } else if (peer) {
    invite.set_header(sip::HeaderName::kReferredBy, "<" + peer->dialog().remote_uri + ">");
  }
  if (!from.replaces.empty()) invite.set_header(sip::HeaderName::kReplaces, from.replaces);
  return with_offer(std::move(invite), align_offer(*caller.remote_sdp(), std::nullopt, std::nullopt), call,
                    std::nullopt);
}

OutgoingInvite invite_from_parkd(const UserAgent& agent, const callpark::OutgoingCall& call,
                                 const callpark::OutgoingCall::FromParkd& from) {
  return with_offer(
      make_invite(agent, {from.display, sip::SipUri(from.number, call.tenant), {}}, call.tenant, call.number),
      make_music_offer(std::nullopt, std::nullopt, from.media, agent.codecs), call, from.media);
}

}  // namespace callpark::leg
