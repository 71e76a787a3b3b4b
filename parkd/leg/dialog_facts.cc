#include "parkd/leg/dialog_facts.h"

#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/dialog_snapshot.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/leg/shown_identity.h"
#include "parkd/leg/user_agent.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {

DialogFacts::DialogFacts(sip::DialogState dialog, std::string contact)
    : dialog_(std::move(dialog)), contact_(std::move(contact)) {}

DialogFacts::DialogFacts(const DialogSnapshot& snapshot, std::uint32_t cseq_gap, std::string contact)
    : dialog_(dialog_of(snapshot)),
      contact_(std::move(contact)),
      remote_identity_(snapshot.remote_identity),
      remote_party_(snapshot.remote_party),
      local_sdp_(read_sdp_digest(snapshot.local_sdp)),
      remote_sdp_(read_sdp_digest(snapshot.remote_sdp)) {
  dialog_.local_cseq += cseq_gap;
}

DialogSnapshot DialogFacts::snapshot() const {
  DialogSnapshot snapshot = snapshot_of(dialog_, local_sdp_ ? sip::write_sdp(*local_sdp_) : "",
                                        remote_sdp_ ? sip::write_sdp(*remote_sdp_) : "");
  snapshot.remote_identity = remote_identity_;
  snapshot.remote_party = remote_party_;
  return snapshot;
}

void DialogFacts::set_remote_party(PartyIdentity identity, Party party) {
  remote_identity_ = std::move(identity);
  remote_party_ = std::move(party);
}

void DialogFacts::set_remote_sdp(sip::Sdp sdp) {
  const bool was_held = is_held_by_remote();
  remote_sdp_ = std::move(sdp);
  if (!was_held && is_held_by_remote()) held_at_ = wall_now();
}

std::optional<sip::SdpOrigin> DialogFacts::local_origin() const {
  if (!local_sdp_) return std::nullopt;
  return local_sdp_->origin;
}

bool DialogFacts::is_held_by_remote() const {
  if (!remote_sdp_) return false;
  const sip::SdpMedia* line = sip::audio(*remote_sdp_);
  return line && sip::is_hold(*remote_sdp_, *line);
}

sip::SipMessage DialogFacts::make_reinvite(const sip::Sdp& offer, const std::optional<SessionTimer>& agreed) {
  sip::SipMessage invite = sip::make_request_in(dialog_, sip::method::kInvite, contact_);
  write_own_headers(invite);
  offer_session_timer(invite, agreed);
  invite.set_body(sip::kSdpType, sip::write_sdp(offer));
  return invite;
}

sip::SipMessage DialogFacts::make_answer(const sip::SipMessage& request, const std::optional<sip::Sdp>& sdp,
                                         const std::optional<SessionTimer>& timer) {
  sip::SipMessage response = sip::make_response(request, 200, {}, dialog_.id.local_tag);
  sip::copy_record_route(request, response);
  response.set_header(sip::HeaderName::kContact, contact_);
  write_own_headers(response);
  write_session_timer(response, timer, request);
  if (sdp) {
    local_sdp_ = *sdp;
    response.set_body(sip::kSdpType, sip::write_sdp(*sdp));
  }
  return response;
}

void DialogFacts::write_next_header(sip::SipMessage& response) {
  if (next_header_) response.set_header(next_header_->first, next_header_->second);
  next_header_.reset();
}

void DialogFacts::write_own_headers(sip::SipMessage& message) const {
  write_capabilities(message);
  if (shown_) write_connected_identity(message, shown_->who, shown_->domain);
}

bool DialogFacts::show_in_local_uri() {
  if (!shown_) return false;
  const sip::NameAddr address = shown_address(shown_->who, shown_->domain);
  dialog_.local_uri = address.uri.to_string();
  dialog_.local_display = address.display;
  return true;
}

}  // namespace callpark::leg
