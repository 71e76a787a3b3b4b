#include "parkd/leg/incoming_call.h"

#include <utility>

#include "kamailio_protocol/headers.h"
#include "parkd/leg/adopted_halves.h"
#include "parkd/leg/aligned_offer.h"
#include "parkd/leg/joining.h"
#include "parkd/leg/latching.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {

IncomingCall::IncomingCall(UserAgent& agent, DialogRoles& roles, LegPtr leg, sip::ServerTransactionKey key,
                           sip::SipMessage invite, const FeatureInvite& read)
    : agent_(agent),
      roles_(roles),
      leg_(std::move(leg)),
      key_(key),
      invite_(std::move(invite)),
      offer_(read.offer),
      party_(read.call.caller) {
  leg_->note_allow(invite_);
  if (offer_) leg_->set_remote_sdp(*offer_);
  name_party(*leg_, read.caller, party_);
}

void IncomingCall::hold_adoptable(CallId id, const AdoptableDialog& held, const Extension& parker) {
  held_half_ = parkers_half(agent_, held);
  roles_.add(held_half_, ParkerRole{held.caller, parker, id});
}

std::string IncomingCall::device() const {
  return std::string(invite_.header(kamailio_protocol::kDevice).value_or(std::string_view{}));
}

// RFC 3261 12.1.1: it creates an early dialog.
sip::SipMessage IncomingCall::make_provisional(int status) const {
  sip::SipMessage response = sip::make_response(invite_, status, {}, leg_->dialog().id.local_tag);
  sip::copy_record_route(invite_, response);
  response.set_header(sip::HeaderName::kContact, agent_.contact);
  return response;
}

void IncomingCall::ring() {
  if (!is_answered()) agent_.transactions.respond(key_, make_provisional(180));
}

std::optional<MediaRemote> IncomingCall::answer_early(const MediaAddress& media) {
  if (!offer_) return std::nullopt;
  const auto made = leg::answer_with_media(*offer_, media, agent_.codecs, std::nullopt, agent_.own_sockets);
  if (!made) return std::nullopt;
  media_ = media;
  sip::SipMessage progress = make_provisional(183);
  progress.set_body(sip::kSdpType, sip::write_sdp(made->answer));
  agent_.transactions.respond(key_, progress);
  return with_latching(made->remote, leg_->dialog());
}

std::optional<MediaRemote> IncomingCall::answer_with_media(const MediaAddress& media, AckHandlers handlers) {
  if (!offer_) return offer_with_media(media, handlers);
  const auto made = leg::answer_with_media(*offer_, media, agent_.codecs, std::nullopt, agent_.own_sockets);
  if (!made) return std::nullopt;
  media_ = media;
  answer(Stage::kWithMedia, made->answer, std::move(handlers));
  return with_latching(made->remote, leg_->dialog());
}

// An ACK without an answer that can be used leaves a call without sound: that is as good as none.
MediaRemote IncomingCall::offer_with_media(const MediaAddress& media, const AckHandlers& handlers) {
  media_ = media;
  const sip::Sdp offer = leg_->offer_of(media, agent_.codecs);
  answer(Stage::kWithMedia, offer,
         {[&agent = agent_, leg = leg_.get(), offer, changed = on_media_, handlers](const sip::Sdp* answer) {
            const auto remote = answer ? read_answer(offer, *answer, agent.own_sockets) : failure(OfferError::kNoAudio);
            if (!remote) {
              leg->bye();
              return handlers.lost();
            }
            leg->set_remote_sdp(*answer);
            changed(with_latching(*remote, leg->dialog()));
            handlers.confirmed(answer);
          },
          handlers.lost});
  return {};
}

void IncomingCall::offer_caller(const DialogFacts& caller, const AckHandlers& handlers) {
  show_caller(caller, *leg_, party_);
  answer(Stage::kOffered, leg_->offer_of(*caller.remote_sdp()),
         {[leg = leg_.get(), handlers](const sip::Sdp* answer) {
            if (!answer) {
              leg->bye();
              return handlers.lost();
            }
            leg->set_remote_sdp(*answer);
            handlers.confirmed(answer);
          },
          handlers.lost});
}

Call::JoinOffer IncomingCall::begin_join() {
  if (offer_) return {*offer_, true};
  return {*leg_->remote_sdp(), false};
}

void IncomingCall::answer_with_caller(const DialogFacts& caller, AckHandlers handlers) {
  if (stage_ == Stage::kOffered) {
    stage_ = Stage::kWithCaller;
    agent_.loop.post([confirmed = std::move(handlers.confirmed)] { confirmed(nullptr); });
    return;
  }
  show_caller(caller, *leg_, party_);
  answer(Stage::kWithCaller, align_answer(*caller.remote_sdp(), *offer_, std::nullopt), std::move(handlers));
}

void IncomingCall::answer(Stage stage, const sip::Sdp& answer, AckHandlers handlers) {
  stage_ = stage;
  if (adoption_ == Calls::Adoption::kReleased) {
    leg_->add_to_next_answer(kamailio_protocol::kAdoption, kamailio_protocol::kReleased);
  }
  leg_->answer(key_, invite_, answer, std::move(handlers));
}

void IncomingCall::settle(Calls::Adoption adoption) {
  if (adoption_) return;
  adoption_ = adoption;
  if (adoption == Calls::Adoption::kReleased) roles_.release(std::exchange(held_half_, nullptr));
}

void IncomingCall::become_peer_of(const DialogFacts& caller) {
  const bool accepts_another_from = invite_.has_token(sip::HeaderName::kSupported, "from-change") &&
                                    invite_.has_token(sip::HeaderName::kAllow, sip::method::kUpdate);
  if (stage_ == Stage::kWithMedia) show_caller(caller, *leg_, party_);
  if (accepts_another_from) leg_->show_in_from();
  if (!caller.remote_sdp()) return;
  // A call without an offer was offered what the caller had described before.
  const bool is_told =
      stage_ != Stage::kWithMedia && (offer_ || is_heard_alike(*leg_->local_sdp(), *caller.remote_sdp()));
  if (!is_told) return offer_media_of(caller, leg_);
  agree_on_numbers(caller, leg_);
}

void IncomingCall::on_offer(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  // RFC 3261 14.2, RFC 3311 5.2: the first offer has no answer yet.
  if (!is_answered()) return leg_->refuse(key, request, 500);
  if (stage_ == Stage::kOffered) return leg_->refuse(key, request, 491);
  if (!media_) return leg_->refuse(key, request, 488);
  answer_offer_with_media(agent_, *leg_, key, request, *media_, on_media_);
}

void IncomingCall::end(int status, const std::string& reason) {
  if (is_answered()) {
    leg_->bye();
  } else {
    if (adoption_ == Calls::Adoption::kKept) {
      leg_->add_to_next_answer(kamailio_protocol::kAdoption, kamailio_protocol::kKept);
    }
    leg_->refuse(key_, invite_, status, reason);
  }
  roles_.close(leg_);
  roles_.release(held_half_);
}

}  // namespace callpark::leg
