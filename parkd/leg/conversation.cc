#include "parkd/leg/conversation.h"

#include <utility>

#include "base/log.h"
#include "kamailio_protocol/headers.h"
#include "parkd/leg/bridge.h"
#include "parkd/leg/joining.h"
#include "parkd/leg/key_info.h"
#include "parkd/leg/latching.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {

Conversation::Conversation(ConversationId id, UserAgent& agent, DialogRoles& roles, const Listeners& listeners)
    : id_(id), agent_(agent), roles_(roles), listeners_(listeners) {}

// ---- parties ----

void Conversation::set_end(PartyEnd end, End with) {
  End& there = end_at(end);
  there = std::move(with);
  roles_.set(there.leg, PartyRole{id_, end});
  const auto if_alive = [weak = weak_from_this()](auto act) {
    return [weak, act] {
      if (const auto self = weak.lock()) act(*self);
    };
  };
  there.leg->set_on_gone(if_alive([end](Conversation& self) { self.on_gone(end); }));
  there.leg->set_on_media_changed(if_alive([end](Conversation& self) { self.on_media_changed(end); }));
  if (there.leg->is_closed()) agent_.loop.post(if_alive([end](Conversation& self) { self.on_gone(end); }));
}

void Conversation::on_gone(PartyEnd end) {
  listeners_.conversations->on_party_gone(id_, end);
}

// A party that has refused parkd's re-INVITE has its session all the same, and parkd is the other end of it.
void Conversation::set_bridged(bool bridged) {
  bridged_ = bridged;
  caller_watch_ = bridged ? watch(caller_.leg) : nullptr;
  peer_watch_ = bridged ? watch(peer_.leg) : nullptr;
  if (!is_bridged()) return;
  caller_.leg->keep_session();
  peer_.leg->keep_session();
}

void Conversation::swap() {
  End caller = std::exchange(peer_, {});
  End peer = std::exchange(caller_, {});
  set_end(PartyEnd::kCaller, std::move(caller));
  set_end(PartyEnd::kPeer, std::move(peer));
  parker_.reset();
  // The parker's half of an adopted dialog names the Contact of the other party, which is not there any more.
  caller_.leg->set_contact(agent_.contact);
  caller_.leg->set_ours();
  if (extension_in(caller_.party)) caller_.leg->set_remote_party(caller_.leg->remote_identity(), caller_.party);
  // The new caller's phone shows the party that it talked to; the party that retrieves it is another.
  caller_.leg->show_nobody();
  show_caller(*caller_.leg, *peer_.leg, peer_.party);
}

void Conversation::make_peer(Call& call) {
  roles_.close(peer_.leg);
  parker_.reset();
  set_end(PartyEnd::kPeer, {call.leg(), call.party(), call.device()});
  call.become_peer_of(*caller_.leg);
}

std::unique_ptr<PartyWatch> Conversation::watch(const LegPtr& leg) {
  if (!leg) return nullptr;
  return std::make_unique<PartyWatch>(agent_, leg, [this, leg] {
    const auto self = shared_from_this();
    leg->bye();
    on_gone(leg == caller_.leg ? PartyEnd::kCaller : PartyEnd::kPeer);
  });
}

// ---- offers to the caller ----

void Conversation::offer_to_caller(park::Question question, OfferMaker make, AnswerIs answer_is,
                                   std::optional<MediaAddress> music) {
  caller_.leg->offer(std::move(make), [weak = weak_from_this(), question, answer_is, music = std::move(music)](
                                          OfferOutcome outcome, const sip::Sdp* offer, const sip::Sdp* answer) {
    if (const auto self = weak.lock()) self->on_offered(question, answer_is, music, outcome, offer, answer);
  });
}

void Conversation::on_offered(park::Question question, AnswerIs answer_is, const std::optional<MediaAddress>& music,
                              OfferOutcome outcome, const sip::Sdp* offer, const sip::Sdp* answer) {
  ConversationListener& listener = *listeners_.conversations;
  switch (outcome) {
    case OfferOutcome::kGone:
      return;  // on_gone() reports it
    case OfferOutcome::kNoCommonMedia:
      return listener.on_offer_refused(id_, question, park::RefusalReason::kNotAcceptable, false);
    case OfferOutcome::kNotReached:
      return listener.on_offer_refused(id_, question, park::RefusalReason::kNotReached, false);
    case OfferOutcome::kRefused:
      return listener.on_offer_refused(id_, question, park::RefusalReason::kOfferRefused, false);
    case OfferOutcome::kUnusable:
      if (answer_is == AnswerIs::kKnown) break;
      return listener.on_offer_refused(id_, question, park::RefusalReason::kNotAcceptable, true);
    case OfferOutcome::kAccepted:
      break;
  }
  music_ = music;
  if (!music) return listener.on_offer_accepted(id_, question, std::nullopt);
  const auto remote = read_answer(*offer, *answer, agent_.own_sockets);
  if (!remote) {
    log_warning(caller_.leg->dialog().id.call_id, "the answer to the music: {}", sentence(remote.error()));
    return listener.on_offer_refused(id_, question, park::RefusalReason::kNotAcceptable, true);
  }
  listener.on_offer_accepted(id_, question, with_latching(*remote, caller_.leg->dialog()));
}

void Conversation::offer_music(park::Question question, const MediaAddress& media) {
  DialogLeg* caller = caller_.leg.get();
  offer_to_caller(
      question, [&agent = agent_, caller, media] { return caller->offer_of(media, agent.codecs); }, AnswerIs::kNeeded,
      media);
}

void Conversation::offer_call(park::Question question, const Call::JoinOffer& offer) {
  DialogLeg* caller = caller_.leg.get();
  offer_to_caller(
      question, [caller, description = offer.description] { return caller->offer_of(description); },
      offer.needs_answer ? AnswerIs::kNeeded : AnswerIs::kKnown, std::nullopt);
}

void Conversation::offer_peer(park::Question question) {
  DialogLeg* caller = caller_.leg.get();
  offer_to_caller(
      question,
      [caller, description = peer_.leg->remote_sdp()] {
        return description ? caller->offer_of(*description) : sip::Sdp{};
      },
      AnswerIs::kKnown, std::nullopt);
}

// ---- requests of the parties ----

void Conversation::on_offer(PartyEnd end, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (const auto device = request.header(kamailio_protocol::kDevice)) end_at(end).device = *device;
  const LegPtr asker = leg(end);
  if (is_bridged()) return pass_offer_on(asker, leg(other_end(end)), key, request);
  if (end == PartyEnd::kCaller && music_) return answer_from_music(key, request);
  // The parker's half of a call that is being parked or is parked: there is nothing to resume, or not yet.
  asker->refuse(key, request, end == PartyEnd::kPeer && music_ ? 481 : 491);
}

void Conversation::answer_from_music(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  answer_offer_with_media(agent_, *caller_.leg, key, request, *music_,
                          [weak = weak_from_this()](const MediaRemote& remote) {
                            if (const auto self = weak.lock()) self->report_caller_media(remote);
                          });
}

void Conversation::report_caller_media(const MediaRemote& remote) {
  listeners_.conversations->on_caller_media_changed(id_, remote);
}

// The other side, which sends to this one, has to learn of it. What it answers is not passed back: two sides that
// change with every answer would go on for ever.
void Conversation::on_media_changed(PartyEnd end) {
  const LegPtr& changed = leg(end);
  if (is_bridged()) return offer_media_of(*changed, leg(other_end(end)));
  if (end != PartyEnd::kCaller || !music_) return;
  const auto remote = read_answer(*changed->local_sdp(), *changed->remote_sdp(), agent_.own_sockets);
  if (remote) report_caller_media(with_latching(*remote, changed->dialog()));
}

void Conversation::on_plain_request(PartyEnd end, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const bool passes = request.method() == sip::method::kInfo || request.method() == sip::method::kMessage;
  if (passes && is_bridged()) return pass_request_on(leg(end), leg(other_end(end)), key, request);
  answer_plain_request(*leg(end), key, request);
  if (end != PartyEnd::kCaller || !music_ || request.method() != sip::method::kInfo) return;
  if (const auto pressed = read_key(request)) listeners_.conversations->on_caller_key(id_, *pressed);
}

}  // namespace callpark::leg
