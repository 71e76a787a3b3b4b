// What comes in for parkd's user agent: requests outside and within its dialogs, and the ways between two bridged
// parties.
#include <utility>

#include "base/random.h"
#include "parkd/dialog/dialog_requests.h"
#include "kamailio_protocol/headers.h"
#include "parkd/leg/sip_legs.h"
#include "parkd/message/characters.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

constexpr std::size_t kTagLength = 12;
constexpr std::size_t kEarlyRequestsMax = 10000;

// RFC 3261 8.2.2.3; the value of Unsupported, empty when all that is required is understood. Replaces is: a phone that
// picks up what its lamp shows names a dialog, but which call it gets is decided by the orbit that it dials, unless the
// dialog is one of parkd's.
std::string unsupported_options(const sip::SipMessage& request) {
  std::string unsupported;
  for (const std::string_view option : request.all_headers(sip::HeaderName::kRequire)) {
    if (sip::same_ignoring_case(option, "timer") || sip::same_ignoring_case(option, "replaces")) continue;
    unsupported += (unsupported.empty() ? "" : ", ") + std::string(option);
  }
  return unsupported;
}

}  // namespace

// Until the rows are read nobody knows whose dialog it is; a 481 would end it. REFERs are refused at once: Kamailio
// waits for them for seconds only.
bool SipLegs::comes_too_early(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (ready_ || request.to_tag().empty() || request.method() == sip::method::kRefer) return false;
  if (early_requests_.size() >= kEarlyRequestsMax) {
    respond(key, request, 500);
  } else {
    early_requests_.emplace_back(key, request);
  }
  return true;
}

void SipLegs::set_ready() {
  ready_ = true;
  for (const auto& [key, request] : std::exchange(early_requests_, {})) on_request(key, request, {});
}

void SipLegs::on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint&) {
  if (comes_too_early(key, request)) return;
  const std::string unsupported = unsupported_options(request);
  // A BYE is taken whatever it requires: who sends it has left.
  if (!unsupported.empty() && request.method() != sip::method::kBye) {
    sip::SipMessage response = sip::make_response(request, 420, {}, random_token(kTagLength));
    response.set_header(sip::HeaderName::kUnsupported, unsupported);
    return agent_.transactions.respond(key, response);
  }
  if (const Seat* found = request.to_tag().empty() ? nullptr : dialogs_.find_for(request)) {
    const LegPtr leg = found->leg;
    leg->take_next_invite_as_ack(request);
    found = dialogs_.find_for(request);
    if (!found) return leg->refuse(key, request, 481);
    const Seat seat = *found;  // what follows may take it out of the table
    if (seat.leg->accept(key, request)) on_request_inside(seat, key, request);
    return;
  }
  const std::string_view method = request.method();
  if (method == sip::method::kRefer && !request.to_tag().empty()) return on_refer_outside(key, request);
  if (!request.to_tag().empty()) return respond(key, request, 481);
  if (method == sip::method::kInvite) return on_invite(key, request);
  if (method == sip::method::kOptions) {
    sip::SipMessage response = sip::make_response(request, ready_ ? 200 : 503, {}, random_token(kTagLength));
    write_capabilities(response);
    return agent_.transactions.respond(key, response);
  }
  sip::SipMessage response = sip::make_response(request, 405, {}, random_token(kTagLength));
  write_capabilities(response);
  agent_.transactions.respond(key, response);
}

void SipLegs::on_ack(const sip::SipMessage& ack, const sip::Endpoint&) {
  if (const Seat* found = dialogs_.find_for(ack)) {
    const LegPtr leg = found->leg;
    leg->on_ack(ack);
  }
}

// parkd was killed after its re-INVITE: what it has agreed stands, only the ACK is missing.
void SipLegs::on_stray_2xx(const sip::SipMessage& response) {
  if (const Seat* found = dialogs_.find_for(response)) {
    sip::SipMessage ack = sip::make_ack_for_2xx(found->leg->dialog(), response.cseq().number);
    agent_.transactions.send_ack(std::move(ack), agent_.kamailio);
  }
}

void SipLegs::on_request_inside(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const std::string_view method = request.method();
  if (method == sip::method::kBye) return on_bye(seat, key, request);
  if (method == sip::method::kInvite || method == sip::method::kUpdate) return on_reinvite(seat, key, request);
  if (method == sip::method::kRefer) return on_refer_inside(seat, key, request);
  on_plain_request(seat, key, request);
}

void SipLegs::on_bye(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const LegPtr leg = seat.leg;
  leg->refuse(key, request, 200);
  leg->abandon();
  if (const auto* party = std::get_if<PartySeat>(&seat.role)) {
    return listener_->on_party_gone(party->park_id, party->end);
  }
  // Of a target and of a parker it is told when they become a party.
  if (const auto* in = std::get_if<CallSeat>(&seat.role)) {
    const CallId call = in->call;
    listener_->on_call_gone(call);
    // RFC 3261 15.1.2: a BYE may come before the answer.
    refuse(call, 487, "");
  }
}

void SipLegs::on_reinvite(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  // RFC 3261 14.2: an INVITE of ours is under way.
  if (seat.leg->is_negotiating()) return seat.leg->refuse(key, request, 491);
  if (request.method() == sip::method::kUpdate && sip::session_description(request).empty()) {
    return seat.leg->answer(key, request, std::nullopt, {});
  }
  if (const auto* in = std::get_if<CallSeat>(&seat.role)) {
    Call& call = calls_.at(in->call);
    // RFC 3261 14.2, RFC 3311 5.2: its first offer has no answer yet.
    if (call.stage == Call::Stage::kUnanswered) return call.leg->refuse(key, request, 500);
    return answer_from_announcement(call, key, request);
  }
  const auto* party = std::get_if<PartySeat>(&seat.role);
  if (!party) return seat.leg->refuse(key, request, 491);
  Parked& parked = parked_.at(party->park_id);
  if (const auto device = request.header(kamailio_protocol::kDevice)) {
    (party->end == PartyEnd::kCaller ? parked.caller_device : parked.peer_device) = *device;
  }
  if (parked.bridged && parked.peer) return pass_offer_on(parked, party->end, key, request);
  if (party->end == PartyEnd::kCaller && parked.music) return answer_from_music(party->park_id, parked, key, request);
  // The parker's half of a call that is being parked or is parked: there is nothing to resume, or not yet.
  seat.leg->refuse(key, request, party->end == PartyEnd::kPeer && parked.music ? 481 : 491);
}

void SipLegs::answer_from_music(const ParkId& park_id, Parked& parked, sip::ServerTransactionKey key,
                                const sip::SipMessage& request) {
  DialogLeg& leg = *parked.caller;
  const auto origin = leg.local_sdp() ? std::optional(leg.local_sdp()->origin) : std::nullopt;
  if (sip::session_description(request).empty()) {
    const sip::Sdp offer = make_music_offer(leg.local_sdp(), leg.remote_sdp(), *parked.music, agent_.codecs);
    return leg.answer(key, request, offer,
                      {[this, park_id, offer](const sip::Sdp* answer) {
                         Parked* still = find(park_id);
                         if (!still || !answer) return;
                         still->caller->set_remote_sdp(*answer);
                         if (const auto remote = read_answer(offer, *answer)) {
                           listener_->on_caller_media_changed(park_id, *remote);
                         }
                       },
                       {}});
  }
  const auto offer = sip::parse_sdp(sip::session_description(request));
  if (!offer) return leg.refuse(key, request, 400, "Bad session description");
  const auto made = leg::answer_with_media(*offer, *parked.music, agent_.codecs, origin);
  if (!made) return leg.refuse(key, request, 488, sentence(made.error()));
  leg.set_remote_sdp(*offer);
  leg.answer(key, request, made->answer, {});
  listener_->on_caller_media_changed(park_id, made->remote);
}

void SipLegs::answer_from_announcement(Call& call, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const auto offer = sip::parse_sdp(sip::session_description(request));
  if (!offer || !call.media) return call.leg->refuse(key, request, 488);
  const auto made = leg::answer_with_media(*offer, *call.media, agent_.codecs, call.leg->local_sdp()->origin);
  if (!made) return call.leg->refuse(key, request, 488, sentence(made.error()));
  call.leg->answer(key, request, made->answer, {});
}

void SipLegs::pass_offer_on(Parked& parked, PartyEnd from, sip::ServerTransactionKey key,
                            const sip::SipMessage& request) {
  const LegPtr asker = from == PartyEnd::kCaller ? parked.caller : parked.peer;
  const LegPtr other = from == PartyEnd::kCaller ? parked.peer : parked.caller;
  const auto pass = [other](const sip::Sdp& offer, DialogLeg::OnOffered done) {
    other->offer([other = other.get(), offer] { return align_offer(offer, other->local_sdp(), other->remote_sdp()); },
                 std::move(done));
  };
  // Each would wait for the other's answer.
  if (other->is_considering()) return asker->refuse(key, request, 491);
  // A refusal that does not depend on the other side.
  if (!answer_session_timer(request)) return asker->answer(key, request, std::nullopt, {});
  if (sip::session_description(request).empty()) {
    // What the other side said last is our offer, and not what we answered, which may be to a hold of his. The other
    // side learns of the answer if it is anything new.
    const auto ours = other->remote_sdp()
                          ? std::optional(align_offer(*other->remote_sdp(), asker->local_sdp(), asker->remote_sdp()))
                          : asker->local_sdp();
    return asker->answer(key, request, ours,
                         {[asker, pass](const sip::Sdp* answer) {
                            if (!answer || asker->remote_sdp() == *answer) return;
                            asker->set_remote_sdp(*answer);
                            pass(*answer, [](DialogLeg::Outcome, const sip::Sdp*, const sip::Sdp*) {});
                          },
                          {}});
  }
  const auto offer = sip::parse_sdp(sip::session_description(request));
  if (!offer) return asker->refuse(key, request, 400, "Bad session description");
  asker->consider(key);
  pass(*offer,
       [asker, key, request, offer = *offer](DialogLeg::Outcome outcome, const sip::Sdp*, const sip::Sdp* answer) {
         if (outcome != DialogLeg::Outcome::kAccepted) return asker->refuse(key, request, 488);
         asker->set_remote_sdp(offer);
         const auto origin = asker->local_sdp() ? std::optional(asker->local_sdp()->origin) : std::nullopt;
         asker->answer(key, request, align_answer(*answer, offer, origin), {});
       });
}

// Whoever sends to him has to learn of it. What he answers in turn is not passed back: two who change with every answer
// would go on for ever.
void SipLegs::on_media_changed(const ParkId& park_id, PartyEnd end) {
  const Parked& parked = at(park_id);
  const LegPtr& leg = end == PartyEnd::kCaller ? parked.caller : parked.peer;
  if (parked.bridged && parked.peer) {
    DialogLeg* other = end == PartyEnd::kCaller ? parked.peer.get() : parked.caller.get();
    other->offer(
        [other, now = *leg->remote_sdp()] { return align_offer(now, other->local_sdp(), other->remote_sdp()); },
        [](DialogLeg::Outcome, const sip::Sdp*, const sip::Sdp*) {});
  } else if (end == PartyEnd::kCaller && parked.music) {
    const auto remote = read_answer(*leg->local_sdp(), *leg->remote_sdp());
    if (remote) listener_->on_caller_media_changed(park_id, *remote);
  }
}

void SipLegs::on_plain_request(const Seat& seat, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const std::string_view method = request.method();
  const auto* party = std::get_if<PartySeat>(&seat.role);
  const Parked* parked = party ? find(party->park_id) : nullptr;
  const bool passes = method == sip::method::kInfo || method == sip::method::kMessage;
  if (!passes || !parked || !parked->bridged || !parked->peer) {
    const bool harmless = passes || method == sip::method::kOptions || method == sip::method::kNotify;
    return seat.leg->refuse(key, request, harmless ? 200 : 405);
  }
  const LegPtr other = party->end == PartyEnd::kCaller ? parked->peer : parked->caller;
  const LegPtr asker = seat.leg;
  other->send(method,
              [&request](sip::SipMessage& copy) {
                if (const auto package = request.header("Info-Package")) copy.set_header("Info-Package", *package);
                copy.set_body(request.content_type(), request.body());
              },
              {[asker, key, request](const sip::SipMessage& response) {
                 if (response.status() >= 200) asker->refuse(key, request, response.status(), response.reason());
               },
               [asker, key, request](sip::ClientFailure) { asker->refuse(key, request, 408); }});
}

}  // namespace callpark::leg
