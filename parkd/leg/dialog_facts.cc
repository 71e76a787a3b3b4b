#include "parkd/leg/dialog_facts.h"

#include <array>

#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/dialog_snapshot.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/leg/shown_identity.h"
#include "parkd/leg/user_agent.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

// Those that parkd sends within a dialog.
constexpr std::array<std::string_view, 4> kOptionalMethods = {sip::method::kUpdate, sip::method::kOptions,
                                                              sip::method::kInfo, sip::method::kMessage};

bool is_hold_in(const std::optional<sip::Sdp>& sdp) {
  const sip::SdpMedia* line = sdp ? sip::audio(*sdp) : nullptr;
  return line && sip::is_hold(*sdp, *line);
}

std::optional<sip::Direction> direction_of(const std::optional<sip::Sdp>& sdp) {
  const sip::SdpMedia* line = sdp ? sip::audio(*sdp) : nullptr;
  return line ? std::optional(sip::direction(*sdp, *line)) : std::nullopt;
}

}  // namespace

DialogFacts::DialogFacts(sip::DialogState dialog, std::string contact)
    : dialog_(std::move(dialog)), contact_(std::move(contact)) {}

DialogFacts::DialogFacts(const DialogSnapshot& snapshot, std::uint32_t cseq_gap, std::uint64_t version_gap,
                         std::string contact)
    : dialog_(dialog_of(snapshot)),
      contact_(std::move(contact)),
      remote_identity_(snapshot.remote_identity),
      remote_party_(snapshot.remote_party),
      remote_was_called_(snapshot.remote_was_called),
      local_sdp_(read_sdp_digest(snapshot.local_sdp)),
      remote_sdp_(read_sdp_digest(snapshot.remote_sdp)),
      remote_allow_(snapshot.remote_allow) {
  dialog_.local_cseq += cseq_gap;
  versions_.continue_from(local_sdp_, version_gap);
  if (local_sdp_) numbers_.note(*local_sdp_);
  if (remote_sdp_) numbers_.note(*remote_sdp_);
}

DialogSnapshot DialogFacts::snapshot() const {
  DialogSnapshot snapshot = snapshot_of(dialog_, local_sdp_ ? sip::write_sdp(*local_sdp_) : "",
                                        remote_sdp_ ? sip::write_sdp(*remote_sdp_) : "");
  snapshot.remote_identity = remote_identity_;
  snapshot.remote_party = remote_party_;
  snapshot.remote_was_called = remote_was_called_;
  snapshot.remote_allow = remote_allow_;
  return snapshot;
}

void DialogFacts::set_remote_party(PartyIdentity identity, Party party) {
  remote_identity_ = std::move(identity);
  remote_party_ = std::move(party);
}

void DialogFacts::set_remote_sdp(sip::Sdp sdp) {
  take_remote(std::move(sdp), false);
}

void DialogFacts::set_remote_offer(sip::Sdp sdp) {
  const auto before = direction_of(remote_sdp_);
  const bool is_recvonly = direction_of(sdp) == sip::Direction::kRecvOnly;
  const bool begins = before == sip::Direction::kSendRecv && !is_hold_in(local_sdp_);
  take_remote(std::move(sdp), is_recvonly && (begins || holds_by_recvonly_));
}

void DialogFacts::take_remote(sip::Sdp sdp, bool holds_by_recvonly) {
  const bool was_held = is_held_by_remote();
  numbers_.note(sdp);
  remote_sdp_ = std::move(sdp);
  holds_by_recvonly_ = holds_by_recvonly;
  if (!was_held && is_held_by_remote()) held_at_ = wall_now();
}

void DialogFacts::set_local_sdp(sip::Sdp sdp) {
  versions_.note(sdp);
  numbers_.note(sdp);
  local_sdp_ = std::move(sdp);
}

void DialogFacts::note_allow(const sip::SipMessage& message) {
  if (!message.header(sip::HeaderName::kAllow)) return;
  remote_allow_ = sip::method::kInvite;
  for (const std::string_view method : kOptionalMethods) {
    if (message.has_token(sip::HeaderName::kAllow, method)) remote_allow_.append(" ").append(method);
  }
}

bool DialogFacts::allows(std::string_view method) const {
  return (" " + remote_allow_ + " ").find(" " + std::string(method) + " ") != std::string::npos;
}

std::optional<sip::SdpOrigin> DialogFacts::local_origin() const {
  if (!local_sdp_) return std::nullopt;
  return local_sdp_->origin;
}

sip::Sdp DialogFacts::offer_of(const sip::Sdp& other_party) const {
  return align_offer(other_party, local_sdp_, remote_sdp_, numbers_);
}

sip::Sdp DialogFacts::offer_of(const MediaAddress& mediad, const std::vector<PlayableCodec>& codecs) const {
  return make_music_offer(local_sdp_, remote_sdp_, mediad, codecs, numbers_);
}

bool DialogFacts::agrees_on_numbers_with(const DialogFacts& other) const {
  return !local_sdp_ || !remote_sdp_ || !other.remote_sdp_ ||
         numbers_agree(*local_sdp_, *remote_sdp_, *other.remote_sdp_);
}

bool DialogFacts::is_held_by_remote() const {
  return holds_by_recvonly_ || is_hold_in(remote_sdp_);
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
    set_local_sdp(next_description(*sdp));
    response.set_body(sip::kSdpType, sip::write_sdp(*local_sdp_));
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
