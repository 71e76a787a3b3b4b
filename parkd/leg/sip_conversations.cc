#include "parkd/leg/sip_conversations.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ratio>
#include <utility>

#include "base/clock.h"
#include "base/match.h"
#include "parkd/leg/adopted_halves.h"
#include "parkd/leg/joining.h"

namespace callpark::leg {
namespace {

// Another parkd may have gone on after it wrote the row.
constexpr std::uint32_t kTakeOverGap = 1000;

using Hundredths = std::chrono::duration<std::int64_t, std::centi>;
constexpr Hundredths kRowAgeMax{std::chrono::hours(24 * 30)};

// Also above the versions of an earlier parkd that had the same row and has died without writing it again: no parkd
// makes a hundred offers a second in one dialog.
std::uint64_t version_gap(const ParkedCallRow& row) {
  const auto age = std::chrono::duration_cast<Hundredths>(wall_now() - row.parked_at);
  return kTakeOverGap + static_cast<std::uint64_t>(std::clamp(age, Hundredths(0), kRowAgeMax).count());
}

}  // namespace

SipConversations::SipConversations(UserAgent& agent, DialogRoles& roles, CallTable& calls,
                                   ConversationTable& conversations, const Listeners& listeners)
    : agent_(agent), roles_(roles), calls_(calls), conversations_(conversations), listeners_(listeners) {}

std::shared_ptr<Conversation> SipConversations::make() {
  return std::make_shared<Conversation>(conversations_.next_id(), agent_, roles_, listeners_);
}

// ---- where a conversation comes from ----

std::optional<ConversationId> SipConversations::adopt(const AdoptableDialog& dialog) {
  LegPtr caller = callers_half(agent_, dialog);
  LegPtr peer = parkers_half(agent_, dialog);
  if (roles_.find(caller->dialog().id)) return std::nullopt;
  const auto conversation = make();
  Party parker = Outside{};
  if (const auto* known = roles_.find(peer->dialog().id)) {
    const auto* role = std::get_if<ParkerRole>(&known->role);
    if (!role) return std::nullopt;
    parker = role->parker;
    conversation->set_parker(*role);
    peer = known->leg;
  }
  const Party party = caller->remote_party();
  conversation->set_end(PartyEnd::kCaller, {std::move(caller), party});
  conversation->set_end(PartyEnd::kPeer, {std::move(peer), parker});
  conversations_.add(conversation);
  return conversation->id();
}

ConversationId SipConversations::take_over(const ParkedCallRow& row) {
  const bool is_retrieved = row.state == RowState::kRetrieved;
  const auto conversation = make();
  const LegPtr caller =
      DialogLeg::from_snapshot(agent_, row.caller, CallIdOwner::kThey, kTakeOverGap, version_gap(row));
  caller->set_ours();
  caller->probe();
  if (row.state == RowState::kParked && row.media) conversation->set_music(row.media->local);
  conversation->set_end(PartyEnd::kCaller, {caller, caller->remote_party()});
  if (row.peer) {
    const LegPtr peer = DialogLeg::from_snapshot(agent_, *row.peer, CallIdOwner::kThey, kTakeOverGap, version_gap(row));
    const Party party = is_retrieved ? row.retriever.value_or(Outside{}) : Outside{};
    if (is_retrieved) {
      peer->set_ours();
      show_caller(*caller, *peer, party);
      peer->probe();
    }
    conversation->set_end(PartyEnd::kPeer, {peer, party});
  }
  conversations_.add(conversation);
  return conversation->id();
}

ConversationId SipConversations::begin(CallId caller) {
  const auto call = calls_.extract(caller);
  const auto conversation = make();
  conversation->set_music(call->media());
  conversation->set_end(PartyEnd::kCaller, {call->leg(), call->party(), call->device()});
  conversations_.add(conversation);
  return conversation->id();
}

void SipConversations::forget(ConversationId id) {
  const auto conversation = conversations_.remove(id);
  if (!conversation) return;
  roles_.close(conversation->leg(PartyEnd::kCaller));
  const LegPtr& peer = conversation->leg(PartyEnd::kPeer);
  const auto& parker = conversation->parker();
  if (parker && calls_.has(parker->call) && !peer->is_closed()) {
    // The parker's feature call has no answer yet, and until then the requests of the held call come to parkd.
    peer->set_on_gone({});
    peer->set_on_media_changed({});
    roles_.set(peer, *parker);
  } else {
    roles_.close(peer);
  }
}

// ---- what the parties hear ----

void SipConversations::offer_to_caller(ConversationId id, park::Question question, const Offer& offer) {
  Conversation& conversation = conversations_.at(id);
  std::visit(overloaded{[&](const OfferMusic& music) { conversation.offer_music(question, music.media); },
                        [&](const OfferCall& call) { offer_call(conversation, question, call.call); },
                        [&](const OfferPeer&) { conversation.offer_peer(question); }},
             offer);
}

// RFC 3261 13.2.1: a retriever without an offer is offered the caller's media first, and the caller gets the answer.
void SipConversations::offer_call(Conversation& conversation, park::Question question, CallId id) {
  IncomingCall* incoming = calls_.incoming(id);
  if (!incoming || !incoming->awaits_offer()) return conversation.offer_call(question, calls_.at(id).begin_join());
  const DialogLeg& caller = *conversation.leg(PartyEnd::kCaller);
  if (!caller.remote_sdp()) {
    agent_.loop.post([this, id, question, talk = conversation.id()] {
      if (!calls_.has(id) || !conversations_.find(talk)) return;
      listeners_.conversations->on_offer_refused(talk, question, park::RefusalReason::kNotAcceptable, false);
    });
    return;
  }
  incoming->offer_caller(caller, {[this, id, question, talk = conversation.id()](const sip::Sdp*) {
                                    IncomingCall* retriever = calls_.incoming(id);
                                    // It has cancelled before it had the 200, and is about to send a BYE.
                                    if (retriever && retriever->is_cancelled()) return give_up(id);
                                    Conversation* still = conversations_.find(talk);
                                    if (still && retriever) still->offer_call(question, retriever->begin_join());
                                  },
                                  [this, id] { give_up(id); }});
}

void SipConversations::give_up(CallId call) {
  if (!calls_.has(call)) return;
  listeners_.calls->on_call_gone(call);
  if (const auto ended = calls_.remove(call)) ended->end(487, "");
}

void SipConversations::set_bridged(ConversationId conversation, bool bridged) {
  conversations_.at(conversation).set_bridged(bridged);
}

void SipConversations::make_peer(ConversationId id, CallId call) {
  Conversation& conversation = conversations_.at(id);
  conversation.make_peer(*calls_.extract(call));
  conversations_.note_parties(conversation);
}

void SipConversations::swap_parties(ConversationId id) {
  Conversation& conversation = conversations_.at(id);
  conversation.swap();
  conversations_.note_parties(conversation);
}

void SipConversations::end(ConversationId conversation, PartyEnd party) {
  if (const LegPtr& leg = conversations_.at(conversation).leg(party)) leg->bye();
}

ConversationSnapshot SipConversations::snapshot(ConversationId id) const {
  const Conversation& conversation = conversations_.at(id);
  ConversationSnapshot snapshot{conversation.leg(PartyEnd::kCaller)->snapshot(), std::nullopt};
  const LegPtr& peer = conversation.leg(PartyEnd::kPeer);
  if (peer && !peer->is_closed()) snapshot.peer = peer->snapshot();
  return snapshot;
}

std::optional<HeldConversation> SipConversations::held_by(const Extension& extension, const std::string& device) const {
  std::optional<HeldConversation> meant;
  for (const auto& [conversation, end] : conversations_.of(extension)) {
    if (!conversation->is_bridged()) continue;
    const DialogLeg& holder = *conversation->leg(end);
    if (holder.is_closed() || !holder.is_held_by_remote()) continue;
    const Hold hold{conversation->end(end).device, holder.held_at()};
    if (!meant || goes_before(hold, meant->hold, device)) meant = HeldConversation{conversation->id(), hold, end};
  }
  return meant;
}

}  // namespace callpark::leg
