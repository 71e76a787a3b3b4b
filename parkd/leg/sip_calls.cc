#include "parkd/leg/sip_calls.h"

#include <utility>

#include "base/random.h"
#include "parkd/leg/joining.h"
#include "parkd/leg/key_info.h"
#include "parkd/leg/session_timer.h"

namespace callpark::leg {

SipCalls::SipCalls(UserAgent& agent, DialogRoles& roles, CallTable& calls, const ConversationTable& conversations,
                   const Listeners& listeners)
    : agent_(agent), roles_(roles), calls_(calls), conversations_(conversations), listeners_(listeners) {}

// ---- calls of parkd's own ----

CallId SipCalls::start(const callpark::OutgoingCall& call) {
  const CallId id = calls_.next_id();
  OutgoingCall::Handlers handlers{[this, id](const std::optional<MediaRemote>& remote) { on_answered(id, remote); },
                                  [this, id](int status) { on_refused(id, status); },
                                  [this, id](const MediaRemote& remote) { on_media(id, remote); }};
  const auto add = [&](OutgoingInvite invite) {
    auto made = std::make_shared<OutgoingCall>(agent_, roles_, std::move(invite), std::move(handlers));
    calls_.add(id, made);
    return made;
  };
  if (const auto* from = std::get_if<callpark::OutgoingCall::FromParkd>(&call.from)) {
    add(invite_from_parkd(agent_, call, *from))->start();
    return id;
  }
  const auto& from = std::get<callpark::OutgoingCall::InNameOfCaller>(call.from);
  const Conversation& conversation = conversations_.at(from.conversation);
  const DialogLeg& caller = *conversation.leg(PartyEnd::kCaller);
  if (caller.remote_sdp()) {
    add(invite_in_name_of(caller, conversation.leg(PartyEnd::kPeer).get(), agent_, call, from))->start();
  } else {
    add({})->refuse_soon(488);
  }
  return id;
}

void SipCalls::on_answered(CallId call, const std::optional<MediaRemote>& remote) {
  roles_.add(calls_.at(call).leg(), CallRole{call});
  listeners_.calls->on_call_answered(call, remote);
}

void SipCalls::on_refused(CallId call, int status) {
  calls_.remove(call);
  listeners_.calls->on_call_refused(call, status);
}

void SipCalls::on_media(CallId call, const MediaRemote& remote) {
  listeners_.calls->on_call_media_changed(call, remote);
}

// ---- feature calls ----

void SipCalls::on_invite(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const std::string our_tag = random_token(kTagLength);
  auto read = read_feature_invite(request, our_tag);
  if (!read) return refuse_invite(key, request, read.error(), our_tag);
  const auto place = place_for(*read);
  if (!place) return refuse_invite(key, request, place.error(), our_tag);
  // Before anything is done for the call, since nothing can refuse it after this.
  if (const auto timer = answer_session_timer(request); !timer) {
    return agent_.transactions.respond(key, make_interval_too_small(request, timer.error(), our_tag));
  }
  const CallId id = calls_.next_id();
  read->call.call = id;
  read->call.takes_place_in = *place;
  auto leg = std::make_shared<DialogLeg>(agent_, std::move(read->dialog), CallIdOwner::kThey);
  if (!roles_.add(leg, CallRole{id})) return refuse_invite(key, request, {482}, our_tag);
  auto call = std::make_shared<IncomingCall>(agent_, roles_, std::move(leg), key, request, *read);
  call->set_on_media([this, id](const MediaRemote& remote) { on_media(id, remote); });
  if (const Extension* parker = extension_in(read->call.caller); parker && read->call.held) {
    call->hold_adoptable(id, *read->call.held, *parker);
  }
  calls_.add(id, std::move(call));
  listeners_.calls->on_feature_call(std::move(read->call));
}

void SipCalls::refuse_invite(sip::ServerTransactionKey key, const sip::SipMessage& invite,
                             const RequestRefusal& refusal, const std::string& our_tag) {
  agent_.transactions.respond(key, sip::make_response(invite, refusal.status, refusal.reason, our_tag));
}

// What the caller has dialled does not count: by that number the party once came to its call, and it would connect the
// caller with whatever else is parked there now.
Result<std::optional<ConversationId>, RequestRefusal> SipCalls::place_for(const FeatureInvite& read) const {
  if (!read.replaces) return std::optional<ConversationId>();
  const auto* entry = roles_.find({read.replaces->call_id, read.replaces->to_tag, read.replaces->from_tag});
  if (!entry) return std::optional<ConversationId>();
  const auto* party = std::get_if<PartyRole>(&entry->role);
  if (!party || party->end != PartyEnd::kPeer || !extension_in(read.call.caller)) return failure(RequestRefusal{603});
  if (read.replaces->early_only) return failure(RequestRefusal{486});
  return std::optional(party->conversation);
}

void SipCalls::ring(CallId call) {
  if (IncomingCall* incoming = calls_.incoming(call)) incoming->ring();
}

std::optional<MediaRemote> SipCalls::answer_with_media(CallId call, const MediaAddress& media, Answer answer) {
  IncomingCall* incoming = calls_.incoming(call);
  if (!incoming) return std::nullopt;
  if (answer == Answer::kEarly) return incoming->answer_early(media);
  return incoming->answer_with_media(media, ack_handlers(call));
}

void SipCalls::answer_with_caller(CallId call, ConversationId conversation) {
  calls_.incoming_at(call).answer_with_caller(*conversations_.at(conversation).leg(PartyEnd::kCaller),
                                              ack_handlers(call));
}

AckHandlers SipCalls::ack_handlers(CallId call) {
  return {[this, call](const sip::Sdp*) {
            const IncomingCall* incoming = calls_.incoming(call);
            if (!incoming || !incoming->is_cancelled()) return listeners_.calls->on_call_confirmed(call);
            listeners_.calls->on_call_lost(call);
            hang_up(call);
          },
          [this, call] {
            if (const auto lost = calls_.remove(call)) roles_.close(lost->leg());
            listeners_.calls->on_call_lost(call);
          }};
}

void SipCalls::note_cancelled(CallId call) {
  if (IncomingCall* incoming = calls_.incoming(call)) incoming->note_cancelled();
}

void SipCalls::settle_adoption(CallId call, Adoption adoption) {
  if (IncomingCall* incoming = calls_.incoming(call)) incoming->settle(adoption);
}

// ---- the end of a call ----

void SipCalls::refuse(CallId call, int status, const std::string& reason) {
  if (const auto ended = calls_.remove(call)) ended->end(status, reason);
}

void SipCalls::hang_up(CallId call) {
  refuse(call, 480, "");
}

void SipCalls::on_cancel(sip::ServerTransactionKey invite) {
  const CallId call = calls_.with_invite(invite);
  if (!call) return;
  // The service may have something to send with the answer.
  listeners_.calls->on_call_gone(call);
  refuse(call, 487, "");
}

void SipCalls::on_bye(CallId call) {
  const OutgoingCall* outgoing = calls_.outgoing(call);
  if (outgoing && outgoing->is_in_name_of_caller()) return listeners_.calls->on_call_gone(call);
  listeners_.calls->on_call_gone(call);
  // RFC 3261 15.1.2: a BYE may come before the answer.
  refuse(call, 487, "");
}

// ---- keys ----

void SipCalls::on_info(CallId call, DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const IncomingCall* incoming = calls_.incoming(call);
  if (!incoming || !incoming->is_answered() || request.body().empty()) return answer_plain_request(leg, key, request);
  const auto pressed = read_key(request);
  if (!pressed && pressed.error() == sip::DtmfError::kOtherBody) {
    leg.add_to_next_answer("Accept", sip::kDtmfTypes);  // RFC 3261 8.2.3
    return leg.refuse(key, request, 415);
  }
  if (!pressed) return leg.refuse(key, request, 400);
  leg.refuse(key, request, 200);
  listeners_.calls->on_call_key(call, *pressed);
}

DialogSnapshot SipCalls::snapshot(CallId call) const {
  return calls_.at(call).leg()->snapshot();
}

Party SipCalls::party(CallId call) const {
  return calls_.at(call).party();
}

}  // namespace callpark::leg
