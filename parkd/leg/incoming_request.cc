#include "parkd/leg/incoming_request.h"

#include <charconv>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "kamailio_protocol/dialog_codec.h"
#include "kamailio_protocol/headers.h"
#include "kamailio_protocol/party_identity.h"
#include "parkd/leg/refer_target.h"
#include "parkd/leg/referred_dialog.h"
#include "parkd/leg/shown_identity.h"
#include "parkd/message/characters.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

std::string header_text(const sip::SipMessage& message, std::string_view name) {
  return std::string(message.header(name).value_or(std::string_view{}));
}

// FEATURES R7. Nothing if the request has none.
Result<std::optional<int>, RequestRefusal> recall_after_seconds(const sip::SipMessage& request) {
  const auto text = request.header(kamailio_protocol::kRecallAfter);
  if (!text) return std::optional<int>();
  int seconds = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  const bool is_number = problem == std::errc() && end == text->data() + text->size();
  if (!is_number || seconds < 10 || seconds > 3600) return failure(RequestRefusal{400, "X-Recall-After: 10 to 3600"});
  return std::optional(seconds);
}

// A record that cannot be read is none.
std::optional<AdoptableDialog> record_in(const sip::SipMessage& request) {
  const auto json = request.header(kamailio_protocol::kDialog);
  if (!json) return std::nullopt;
  auto dialog = kamailio_protocol::decode_dialog(*json);
  if (dialog) return *std::move(dialog);
  log_error(request.call_id(), "{}: {}", kamailio_protocol::kDialog, dialog.error().sentence);
  return std::nullopt;
}

// A phone that sends no name of its own has the one that Kamailio knows.
PartyIdentity identity_of_sender(const sip::DialogState& dialog, const sip::SipMessage& invite) {
  if (asks_for_privacy(invite)) return {};
  PartyIdentity who = kamailio_protocol::identity_of(dialog.remote_display, dialog.remote_uri);
  if (who != PartyIdentity{} && who.name.empty()) who.name = valid_utf8(header_text(invite, kamailio_protocol::kName));
  return who;
}

std::optional<Party> caller_of(const sip::SipMessage& invite) {
  const std::string tenant = header_text(invite, kamailio_protocol::kTenant);
  const std::string user = header_text(invite, kamailio_protocol::kUser);
  const std::string trunk = header_text(invite, kamailio_protocol::kTrunk);
  if (tenant.empty() || user.empty() == trunk.empty()) return std::nullopt;
  if (user.empty()) return Trunk{trunk};
  return Extension{tenant, user};
}

// The URI of a transfer to a place and not to a number of the tenant: an attended transfer mostly names the Contact of
// the phone that was consulted. Without its parameters, since Kamailio knows the way.
std::string contact_in(const sip::SipUri& uri, const std::string& tenant) {
  if (!uri.is_sip() || sip::same_ignoring_case(uri.host(), tenant)) return "";
  return sip::SipUri(uri.user(), uri.host(), uri.port()).to_string();
}

Result<Referral, RequestRefusal> read_target(const sip::SipMessage& refer, const Extension& referrer) {
  const auto target = refer_target(refer);
  if (!target) return failure(RequestRefusal{status_of(target.error()), std::string(sentence(target.error()))});
  const auto recall_after = recall_after_seconds(refer);
  if (!recall_after) return failure(recall_after.error());
  Referral referral;
  referral.referrer = referrer;
  referral.dialled = valid_utf8(target->uri.number());
  referral.contact = contact_in(target->uri, referrer.tenant);
  if (target->replaces) referral.replaces = target->replaces->to_string();
  referral.sip_call_id = std::string(refer.call_id());
  referral.recall_after_seconds = *recall_after;
  return referral;
}

}  // namespace

std::optional<Extension> sender_of(const sip::SipMessage& request) {
  Extension sender{header_text(request, kamailio_protocol::kTenant), header_text(request, kamailio_protocol::kUser)};
  if (sender.tenant.empty() || sender.number.empty()) return std::nullopt;
  return sender;
}

Result<FeatureInvite, RequestRefusal> read_feature_invite(const sip::SipMessage& invite, std::string_view our_tag) {
  const auto caller = caller_of(invite);
  if (!caller) return failure(RequestRefusal{403});
  const auto recall_after = recall_after_seconds(invite);
  if (!recall_after) return failure(recall_after.error());
  // RFC 3261 13.2.1: without a description parkd's 200 has the offer, and the ACK its answer.
  const auto description = sip::session_description(invite);
  auto offer = sip::parse_sdp(description);
  if (!offer && !description.empty()) return failure(RequestRefusal{400, "Bad session description"});
  auto dialog = sip::from_incoming_invite(invite, our_tag);
  if (!dialog) return failure(RequestRefusal{400, std::string(sip::sentence(dialog.error()))});

  FeatureInvite read;
  read.call.tenant = header_text(invite, kamailio_protocol::kTenant);
  read.call.caller = *caller;
  read.call.device = header_text(invite, kamailio_protocol::kDevice);
  read.call.dialled = valid_utf8(invite.request_uri().number());
  read.call.dialled_first = valid_utf8(header_text(invite, kamailio_protocol::kDialled));
  read.call.sip_call_id = std::string(invite.call_id());
  read.call.recall_after_seconds = *recall_after;
  read.call.held = record_in(invite);
  if (offer) read.offer = *std::move(offer);
  read.caller = identity_of_sender(*dialog, invite);
  read.dialog = *std::move(dialog);
  read.replaces = invite.replaces();
  return read;
}

Result<Referral, RequestRefusal> read_referral(const sip::SipMessage& refer) {
  const auto referrer = sender_of(refer);
  if (!referrer) return failure(RequestRefusal{481});
  auto referral = read_target(refer, *referrer);
  if (!referral) return referral;
  // Only within a conversation of parkd's can a referral have these.
  referral->contact.clear();
  referral->replaces.clear();
  auto dialog = dialog_of_refer(refer, record_in(refer));
  if (!dialog) return failure(RequestRefusal{400, std::string(sip::sentence(dialog.error()))});
  referral->dialog = *std::move(dialog);
  return referral;
}

Result<Referral, RequestRefusal> read_referral_of_party(const sip::SipMessage& refer) {
  const auto referrer = sender_of(refer);
  if (!referrer) return failure(RequestRefusal{403});
  return read_target(refer, *referrer);
}

}  // namespace callpark::leg
