#include "parkd/leg/sip_legs.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/dialog/dialog_requests.h"
#include "parkd/leg/adoptable_dialog_codec.h"
#include "kamailio_protocol/headers.h"
#include "parkd/leg/refer_target.h"
#include "parkd/leg/referred_dialog.h"
#include "parkd/leg/shown_identity.h"
#include "parkd/leg/sipfrag.h"
#include "parkd/message/characters.h"
#include "parkd/message/session_body.h"

namespace callpark::leg {
namespace {

constexpr std::size_t kTagLength = 12;
// Kamailio has not seen every CSeq (ACK, BYE, what it handed to us); all tried user agents take a leap.
constexpr std::uint32_t kAdoptionGap = 100;
// More than Kamailio lets any one number ring: 300 s of a ring group's, 180 s of any other.
constexpr Duration kRingingMax{330000};
// Another parkd may have gone on after it wrote the row.
constexpr std::uint32_t kTakeOverGap = 1000;

std::string owner_key(const std::string& tenant, const std::string& user) {
  return user + "@" + tenant;
}

std::string header_text(const sip::SipMessage& message, std::string_view name) {
  return std::string(message.header(name).value_or(std::string_view{}));
}

// RFC 3261 20.4; phones choose a ringing tone by it.
constexpr std::string_view kAlertInfo = "Alert-Info";
constexpr std::string_view kRecallAlert = "<urn:alert:source:callpark-recall>;info=recall";

// FEATURES R7. Nothing when the request says nothing of it.
Result<std::optional<int>, std::string_view> recall_after_seconds(const sip::SipMessage& request) {
  const auto text = request.header(kamailio_protocol::kRecallAfter);
  if (!text) return std::optional<int>();
  int seconds = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  const bool is_number = problem == std::errc() && end == text->data() + text->size();
  if (!is_number || seconds < 10 || seconds > 3600) return failure(std::string_view("X-Recall-After: 10 to 3600"));
  return std::optional(seconds);
}

// RFC 5057 5.1: in the answer to a REFER, 404 and 480 would tell the phone that its dialog is no more.
int refer_refusal(int status) {
  return status == 404 || status == 480 ? 603 : status;
}

// From of a call that is made in the caller's name. Where he comes from stands in his own URI; one who withholds it, or
// who was reached by another number, has none to show.
sip::NameAddr from_of(const DialogLeg& caller, const TransferTarget& target) {
  const PartyIdentity& who = caller.remote_identity();
  sip::NameAddr from = shown_address(who, target.tenant);
  if (const auto uri = sip::parse_uri(caller.dialog().remote_uri); uri && uri->user() == who.number) from.uri = *uri;
  // What the recalled phone shows: "Recall 102: Client".
  if (!target.recalled_orbit.empty()) from.display = "Recall " + target.recalled_orbit + ": " + from.display;
  return from;
}

std::string user_in(const std::string& owner) {
  return owner.substr(0, owner.find('@'));
}

// The URI of a transfer that names a place and not a number of the tenant's, as an attended one mostly does: where the
// phone is that was consulted. Without its parameters, since it is Kamailio that knows the way.
std::string contact_in(const sip::SipUri& uri, const std::string& tenant) {
  if (!uri.is_sip() || sip::same_ignoring_case(uri.host(), tenant)) return "";
  return sip::SipUri(uri.user(), uri.host(), uri.port()).to_string();
}

// Outside numbers have a plus, and trunks none at all.
bool is_extension(const std::string& owner) {
  const std::string user = user_in(owner);
  return !user.empty() && std::all_of(user.begin(), user.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// An extension goes by its number, whatever number has led to it.
void name_party(DialogLeg& leg, PartyIdentity who, const std::string& owner) {
  if (!is_extension(owner)) return leg.set_remote_party(std::move(who), "");
  if (who != PartyIdentity{}) who.number = user_in(owner);
  leg.set_remote_party(std::move(who), owner);
}

PartyIdentity identity_of_remote(const DialogLeg& leg) {
  return identity_of(leg.dialog().remote_display, leg.dialog().remote_uri);
}

// Who calls. A phone that sends no name of its own has the one that Kamailio knows.
PartyIdentity identity_of_sender(const DialogLeg& leg, const sip::SipMessage& invite) {
  if (asks_for_privacy(invite)) return {};
  PartyIdentity who = identity_of_remote(leg);
  if (who != PartyIdentity{} && who.name.empty()) who.name = header_text(invite, kamailio_protocol::kName);
  return who;
}

// RFC 3261 8.1.1, for a call of parkd's own. The offer is still to come.
sip::SipMessage make_invite(const UserAgent& agent, sip::NameAddr from, const std::string& tenant,
                            const std::string& number) {
  const sip::SipUri uri(number, tenant);
  sip::SipMessage invite = sip::make_request(sip::method::kInvite, uri);
  from.set_tag(random_token(kTagLength));
  invite.set_header(sip::HeaderName::kFrom, from.to_string());
  invite.set_header(sip::HeaderName::kTo, sip::NameAddr{"", uri, {}}.to_string());
  invite.set_header(sip::HeaderName::kCallId, random_token(2 * kTagLength));
  invite.set_cseq(1, sip::method::kInvite);
  invite.set_header(sip::HeaderName::kContact, agent.contact);
  invite.set_header(kamailio_protocol::kTenant, tenant);
  write_capabilities(invite);
  return invite;
}

}  // namespace

SipLegs::SipLegs(UserAgent agent) : agent_(std::move(agent)) {}

SipLegs::~SipLegs() {
  parked_.clear();  // what the legs report from here on is about nobody
  for (auto& [id, seat] : dialogs_) seat.leg->abandon();
}

// ---- bookkeeping ----

SipLegs::Parked* SipLegs::find(const ParkId& park_id) {
  const auto found = parked_.find(park_id);
  return found == parked_.end() ? nullptr : &found->second;
}

// Of one who has hung up before he took his seat, the listener learns in the loop's next round.
void SipLegs::seat(const LegPtr& leg, const ParkId& park_id, PartyEnd end) {
  if (leg->is_closed()) {
    agent_.loop.post([this, park_id, end] { listener_->on_party_gone(park_id, end); });
  }
  const sip::DialogId& id = leg->dialog().id;
  if (Seat* there = dialogs_.find(id)) {
    there->role = PartySeat{park_id, end};
  } else {
    dialogs_.insert(id, Seat{leg, PartySeat{park_id, end}});
  }
  leg->set_on_gone([this, park_id, end] { listener_->on_party_gone(park_id, end); });
  leg->set_on_media_changed([this, park_id, end] { on_media_changed(park_id, end); });
}

void SipLegs::unseat(const LegPtr& leg) {
  if (!leg) return;
  leg->close();
  if (leg->is_leaving()) {
    // It must be found when the ACK comes.
    leg->set_on_left([this, id = leg->dialog().id] { dialogs_.erase(id); });
  } else {
    dialogs_.erase(leg->dialog().id);
  }
}

// The dialog is its parties' again. If the parker has hung up meanwhile his BYE ended here, and the other party has to
// learn of it.
void SipLegs::release(const LegPtr& half) {
  const Seat* seat = half ? dialogs_.find(half->dialog().id) : nullptr;
  if (!seat || seat->leg != half) return;
  const auto* parker = std::get_if<ParkerSeat>(&seat->role);
  if (!parker) return;
  if (half->is_closed()) DialogLeg::from_snapshot(agent_, parker->other, CallIdOwner::kThey, kAdoptionGap)->bye();
  unseat(half);
}

// A trunk, which may have retrieved or been called, has no display and gets nothing that it did not ask for.
void SipLegs::show_caller(const DialogLeg& caller, DialogLeg& peer, const std::string& peer_owner) {
  if (!is_extension(peer_owner)) return;
  peer.show(caller.remote_identity(), peer_owner.substr(peer_owner.find('@') + 1));
}

void SipLegs::set_owner(const ParkId& park_id, Parked& parked, PartyEnd end, std::string owner) {
  std::string& its = end == PartyEnd::kCaller ? parked.caller_owner : parked.peer_owner;
  const Place place{park_id, end};
  const auto [first, last] = places_by_owner_.equal_range(its);
  const auto old = std::find_if(first, last, [&](const auto& entry) { return entry.second == place; });
  if (old != last) places_by_owner_.erase(old);
  its = std::move(owner);
  if (!its.empty()) places_by_owner_.emplace(its, place);
}

void SipLegs::respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status,
                      std::string_view reason) {
  agent_.transactions.respond(key, sip::make_response(request, status, reason, random_token(kTagLength)));
}

// parkd in the caller's place towards the parker. Whatever it says there names the caller's Contact and not parkd's:
// many phones take a 202 or a NOTIFY for a target refresh, and if the park is refused they must find the caller again.
// While the adoption lasts Kamailio sends their requests here, wherever they point.
SipLegs::LegPtr SipLegs::parkers_half(const AdoptableDialog& dialog) {
  LegPtr leg = DialogLeg::from_snapshot(agent_, dialog.parker, CallIdOwner::kThey, kAdoptionGap);
  leg->set_contact("<" + dialog.caller.remote_target + ">");
  return leg;
}

bool SipLegs::adopt(const ParkId& park_id, const AdoptableDialog& dialog) {
  // Who generated the Call-ID is not known here; the shorter wait after a 491 is right for one of the two sides.
  LegPtr caller = DialogLeg::from_snapshot(agent_, dialog.caller, CallIdOwner::kThey, kAdoptionGap);
  LegPtr peer = parkers_half(dialog);
  if (dialogs_.find(caller->dialog().id)) return false;
  Parked parked;
  if (const Seat* known = dialogs_.find(peer->dialog().id)) {
    const auto* parker = std::get_if<ParkerSeat>(&known->role);
    if (!parker) return false;
    parked.parker = *parker;
    peer = known->leg;
  }
  seat(caller, park_id, PartyEnd::kCaller);
  seat(peer, park_id, PartyEnd::kPeer);
  parked.caller = std::move(caller);
  parked.peer = std::move(peer);
  Parked& there = parked_.emplace(park_id, std::move(parked)).first->second;
  set_owner(park_id, there, PartyEnd::kCaller, there.caller->remote_aor());
  if (there.parker) set_owner(park_id, there, PartyEnd::kPeer, there.parker->owner);
  return true;
}

void SipLegs::take_over(const ParkedCallRow& row) {
  Parked parked;
  parked.caller = DialogLeg::from_snapshot(agent_, row.caller, CallIdOwner::kThey, kTakeOverGap);
  parked.caller->set_ours();
  if (row.state == RowState::kParked && row.media) parked.music = row.media->local;
  seat(parked.caller, row.park_id, PartyEnd::kCaller);
  if (row.peer) {
    parked.peer = DialogLeg::from_snapshot(agent_, *row.peer, CallIdOwner::kThey, kTakeOverGap);
    if (row.state == RowState::kRetrieved) parked.peer->set_ours();
    seat(parked.peer, row.park_id, PartyEnd::kPeer);
  }
  Parked& there = parked_.emplace(row.park_id, std::move(parked)).first->second;
  there.caller->probe();
  set_owner(row.park_id, there, PartyEnd::kCaller, there.caller->remote_aor());
  if (row.state != RowState::kRetrieved) return;
  set_owner(row.park_id, there, PartyEnd::kPeer, owner_key(row.tenant, row.retriever));
  if (!there.peer) return;
  show_caller(*there.caller, *there.peer, there.peer_owner);
  there.peer->probe();
}

std::optional<HeldCall> SipLegs::call_held_by(const std::string& tenant, const std::string& user,
                                              const std::string& device) const {
  std::optional<HeldCall> meant;
  const auto [first, last] = places_by_owner_.equal_range(owner_key(tenant, user));
  for (auto entry = first; entry != last; ++entry) {
    const auto& [park_id, end] = entry->second;
    const Parked& parked = at(park_id);
    if (!parked.bridged || !parked.peer) continue;
    const bool is_caller = end == PartyEnd::kCaller;
    const DialogLeg& holder = is_caller ? *parked.caller : *parked.peer;
    if (holder.is_closed() || !holder.is_held_by_remote()) continue;
    const Hold hold{is_caller ? parked.caller_device : parked.peer_device, holder.held_at()};
    if (!meant || goes_before(hold, meant->hold, device)) meant = HeldCall{park_id, hold, end};
  }
  return meant;
}

void SipLegs::forget(const ParkId& park_id) {
  auto node = parked_.extract(park_id);
  if (node.empty()) return;
  set_owner(park_id, node.mapped(), PartyEnd::kCaller, "");
  set_owner(park_id, node.mapped(), PartyEnd::kPeer, "");
  unseat(node.mapped().caller);
  const auto& [peer, parker] = std::tie(node.mapped().peer, node.mapped().parker);
  if (parker && calls_.count(parker->call) != 0 && !peer->is_closed()) {
    // Refused, and he is still being told why: his requests come here until his feature call has its answer.
    peer->set_on_gone({});
    dialogs_.find(peer->dialog().id)->role = *parker;
  } else {
    unseat(peer);
  }
  if (node.mapped().target) unseat(node.mapped().target->leg);
}

DialogSnapshot SipLegs::caller_snapshot(const ParkId& park_id) const {
  return at(park_id).caller->snapshot();
}

std::optional<DialogSnapshot> SipLegs::peer_snapshot(const ParkId& park_id) const {
  const LegPtr& peer = at(park_id).peer;
  if (!peer || peer->is_closed()) return std::nullopt;
  return peer->snapshot();
}

// ---- orders about parties ----

void SipLegs::offer_to_caller(const ParkId& park_id, park::Question question, DialogLeg::OfferMaker make,
                              AnswerIs answer_is, std::optional<MediaAddress> music) {
  at(park_id).caller->offer(
      std::move(make), [this, park_id, question, answer_is, music = std::move(music)](
                           DialogLeg::Outcome outcome, const sip::Sdp* offer, const sip::Sdp* answer) {
        Parked* parked = find(park_id);
        if (!parked) return;
        if (outcome == DialogLeg::Outcome::kGone) return;  // on_gone says so
        if (outcome == DialogLeg::Outcome::kRefused) return listener_->on_offer_refused(park_id, question, false);
        if (outcome == DialogLeg::Outcome::kUnusable && answer_is == AnswerIs::kNeeded) {
          return listener_->on_offer_refused(park_id, question, true);
        }
        parked->music = music;
        if (!music) return listener_->on_offer_accepted(park_id, question, std::nullopt);
        const auto remote = read_answer(*offer, *answer);
        if (!remote) {
          log_warning(parked->caller->dialog().id.call_id, "the answer to the music: {}", sentence(remote.error()));
          return listener_->on_offer_refused(park_id, question, true);
        }
        listener_->on_offer_accepted(park_id, question, *remote);
      });
}

void SipLegs::offer_music(const ParkId& park_id, park::Question question, const MediaAddress& media) {
  DialogLeg* caller = at(park_id).caller.get();
  offer_to_caller(
      park_id, question,
      [this, caller, media] {
        return make_music_offer(caller->local_sdp(), caller->remote_sdp(), media, agent_.codecs);
      },
      AnswerIs::kNeeded, media);
}

void SipLegs::offer_call(const ParkId& park_id, park::Question question, CallId retriever) {
  DialogLeg* caller = at(park_id).caller.get();
  offer_to_caller(
      park_id, question,
      [caller, offer = calls_.at(retriever).offer] {
        return align_offer(offer, caller->local_sdp(), caller->remote_sdp());
      },
      AnswerIs::kNeeded, std::nullopt);
}

void SipLegs::offer_peer(const ParkId& park_id, park::Question question) {
  const Parked& parked = at(park_id);
  DialogLeg* caller = parked.caller.get();
  offer_to_caller(
      park_id, question,
      [caller, peer_sdp = parked.peer->remote_sdp()] {
        return peer_sdp ? align_offer(*peer_sdp, caller->local_sdp(), caller->remote_sdp()) : sip::Sdp{};
      },
      AnswerIs::kKnown, std::nullopt);
}

void SipLegs::end(const ParkId& park_id, PartyEnd party) {
  const Parked& parked = at(park_id);
  const LegPtr& leg = party == PartyEnd::kCaller ? parked.caller : parked.peer;
  if (leg) leg->bye();
}

void SipLegs::bridge(const ParkId& park_id) {
  parked_.at(park_id).bridged = true;
}
void SipLegs::unbridge(const ParkId& park_id) {
  parked_.at(park_id).bridged = false;
}

void SipLegs::make_peer(const ParkId& park_id, CallId retriever) {
  Parked& parked = parked_.at(park_id);
  auto node = calls_.extract(retriever);
  unseat(parked.peer);
  parked.peer = node.mapped().leg;
  seat(parked.peer, park_id, PartyEnd::kPeer);
  set_owner(park_id, parked, PartyEnd::kPeer, node.mapped().owner);
  const sip::SipMessage& invite = node.mapped().invite;
  parked.peer_device = header_text(invite, kamailio_protocol::kDevice);
  const bool takes_another_from = invite.has_token(sip::HeaderName::kSupported, "from-change") &&
                                  invite.has_token(sip::HeaderName::kAllow, sip::method::kUpdate);
  if (takes_another_from) parked.peer->show_in_from();
}

void SipLegs::swap_parties(const ParkId& park_id) {
  Parked& parked = parked_.at(park_id);
  std::swap(parked.caller, parked.peer);
  seat(parked.caller, park_id, PartyEnd::kCaller);
  seat(parked.peer, park_id, PartyEnd::kPeer);
  const std::string owner = parked.peer_owner;
  set_owner(park_id, parked, PartyEnd::kPeer, parked.caller_owner);
  set_owner(park_id, parked, PartyEnd::kCaller, is_extension(owner) ? owner : "");
  std::swap(parked.caller_device, parked.peer_device);
  parked.parker.reset();
  // What was his half of an adopted dialog names the other party's Contact, who will not be there any more.
  parked.caller->set_contact(agent_.contact);
  parked.caller->set_ours();
  if (!parked.caller_owner.empty()) {
    parked.caller->set_remote_party(parked.caller->remote_identity(), parked.caller_owner);
  }
  // Who is parked next was told whom he talks to; whoever retrieves him is another.
  parked.caller->show_nobody();
  show_caller(*parked.caller, *parked.peer, parked.peer_owner);
}

// ---- transfers by the peer ----

void SipLegs::call_target(const ParkId& park_id, park::Question question, const TransferTarget& target) {
  Parked& parked = parked_.at(park_id);
  if (!parked.caller->remote_sdp()) {
    return agent_.loop.post([this, park_id, question] { listener_->on_target_refused(park_id, question, 488); });
  }
  sip::SipMessage invite = make_invite(agent_, from_of(*parked.caller, target), target.tenant, target.number);
  // To stays in the tenant's domain: what he is called there is what he calls himself in this dialog.
  if (const auto contact = sip::parse_uri(target.contact)) invite.set_request_uri(contact->to_string());
  if (const std::string& aor = parked.caller->remote_aor(); !aor.empty()) invite.set_header(kamailio_protocol::kCaller, aor);
  if (!target.recalled_orbit.empty()) {
    invite.set_header(kamailio_protocol::kRecall, park_id);
    invite.set_header(kAlertInfo, kRecallAlert);
  } else if (parked.peer) {
    invite.set_header(sip::HeaderName::kReferredBy, "<" + parked.peer->dialog().remote_uri + ">");
  }
  if (!target.replaces.empty()) invite.set_header(sip::HeaderName::kReplaces, target.replaces);
  sip::Sdp offer = align_offer(*parked.caller->remote_sdp(), std::nullopt, std::nullopt);
  invite.set_body(sip::kSdpType, sip::write_sdp(offer));
  const auto key = agent_.transactions.send_request(
      invite, agent_.kamailio,
      {[this, park_id, question, invite,
        answered = std::vector<sip::DialogId>()](const sip::SipMessage& response) mutable {
         if (response.status() > 100 && response.status() < 200) return wait_for_target(park_id, question);
         if (response.status() >= 300) return refuse_target(park_id, question, response.status());
         if (response.status() >= 200) on_target_answer(park_id, question, invite, answered, response);
       },
       [this, park_id, question](sip::ClientFailure) { refuse_target(park_id, question, 408); }});
  parked.target =
      Target{question, key, owner_key(target.tenant, target.number), std::move(offer), nullptr, std::nullopt, {}};
  wait_for_target(park_id, question);
}

// RFC 3261 17.1.1.2 lets a call ring for ever, and Kamailio, which does not, may die meanwhile. Each number of a ring
// group that rings in its turn says so.
void SipLegs::wait_for_target(const ParkId& park_id, park::Question question) {
  Target* target = awaited_target(park_id, question);
  if (!target) return;
  target->deadline = agent_.loop.after(kRingingMax, [this, key = target->invite] { agent_.transactions.cancel(key); });
}

SipLegs::Target* SipLegs::awaited_target(const ParkId& park_id, park::Question question) {
  Parked* parked = find(park_id);
  if (!parked || !parked->target || parked->target->question != question || parked->target->leg) return nullptr;
  return &*parked->target;
}

void SipLegs::refuse_target(const ParkId& park_id, park::Question question, int status) {
  if (!awaited_target(park_id, question)) return;
  find(park_id)->target.reset();
  listener_->on_target_refused(park_id, question, status);
}

void SipLegs::on_target_answer(const ParkId& park_id, park::Question question, const sip::SipMessage& invite,
                               std::vector<sip::DialogId>& answered, const sip::SipMessage& response) {
  auto dialog = sip::from_outgoing_invite(invite, response);
  if (!dialog) return refuse_target(park_id, question, 502);
  sip::SipMessage ack = sip::make_ack_for_2xx(*dialog, invite.cseq().number);
  if (std::find(answered.begin(), answered.end(), dialog->id) != answered.end()) {
    // The 200 once more.
    const Parked* parked = find(park_id);
    const bool is_considered =
        parked && parked->target && parked->target->unsent_ack && parked->target->leg->dialog().id == dialog->id;
    if (!is_considered) agent_.transactions.send_ack(std::move(ack), agent_.kamailio);
    return;
  }
  answered.push_back(dialog->id);
  const auto answer = sip::parse_sdp(sip::session_description(response));
  auto leg = std::make_shared<DialogLeg>(agent_, *std::move(dialog), CallIdOwner::kWe);
  Target* target = awaited_target(park_id, question);
  if (!target || !answer) {
    // Cancelled too late, a second one who answered, or an answer that is none.
    agent_.transactions.send_ack(std::move(ack), agent_.kamailio);
    leg->bye();
    return refuse_target(park_id, question, 488);
  }
  leg->set_local_sdp(target->offer);
  leg->set_remote_sdp(*answer);
  target->leg = leg;
  target->unsent_ack = std::move(ack);
  // A ring group or a Contact was called: what he who has answered asks later he asks in his own name.
  if (const std::string user = header_text(response, kamailio_protocol::kUser); !user.empty()) {
    target->owner.replace(0, target->owner.find('@'), user);
  }
  name_party(*leg, identity_of_remote(*leg), target->owner);
  dialogs_.insert(leg->dialog().id, Seat{leg, TargetSeat{}});
  listener_->on_target_answered(park_id, question);
}

void SipLegs::acknowledge(Target& target) {
  if (target.unsent_ack) agent_.transactions.send_ack(*std::exchange(target.unsent_ack, std::nullopt), agent_.kamailio);
}

void SipLegs::offer_target(const ParkId& park_id, park::Question question) {
  acknowledge(*parked_.at(park_id).target);
  DialogLeg* caller = at(park_id).caller.get();
  offer_to_caller(
      park_id, question,
      [caller, target_sdp = *at(park_id).target->leg->remote_sdp()] {
        return align_offer(target_sdp, caller->local_sdp(), caller->remote_sdp());
      },
      AnswerIs::kKnown, std::nullopt);
}

void SipLegs::end_target(const ParkId& park_id) {
  Parked& parked = parked_.at(park_id);
  if (!parked.target) return;
  if (parked.target->leg) {
    acknowledge(*parked.target);
    parked.target->leg->bye();
    unseat(parked.target->leg);
  } else {
    agent_.transactions.cancel(parked.target->invite);
  }
  parked.target.reset();
}

DialogSnapshot SipLegs::target_snapshot(const ParkId& park_id) const {
  return at(park_id).target->leg->snapshot();
}

std::string SipLegs::target_user(const ParkId& park_id) const {
  return user_in(at(park_id).target->owner);
}

void SipLegs::make_target_peer(const ParkId& park_id) {
  Parked& parked = parked_.at(park_id);
  const Target target = *std::exchange(parked.target, std::nullopt);
  unseat(parked.peer);
  parked.peer = target.leg;
  seat(parked.peer, park_id, PartyEnd::kPeer);
  set_owner(park_id, parked, PartyEnd::kPeer, target.owner);
  parked.peer_device.clear();
  show_caller(*parked.caller, *parked.peer, target.owner);
  // The target was offered what the caller had said earlier; if he says anything else now, the target must know.
  const sip::Sdp& now = *parked.caller->remote_sdp();
  if (is_heard_alike(target.offer, now)) return;
  parked.peer->offer(
      [peer = parked.peer.get(), now] { return align_offer(now, peer->local_sdp(), peer->remote_sdp()); },
      [](DialogLeg::Outcome, const sip::Sdp*, const sip::Sdp*) {});
}

// ---- feature calls ----

void SipLegs::on_invite(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const std::string tenant = header_text(request, kamailio_protocol::kTenant);
  const std::string user = header_text(request, kamailio_protocol::kUser);
  if (!ready_) return respond(key, request, 503);
  const std::string trunk = header_text(request, kamailio_protocol::kTrunk);
  if (tenant.empty() || user.empty() == trunk.empty()) return respond(key, request, 403);
  const auto recall_after = recall_after_seconds(request);
  if (!recall_after) return respond(key, request, 400, recall_after.error());
  // A feature call is served by mediad or joined to a caller who has media already; both need to know the offer first.
  const auto offer = sip::parse_sdp(sip::session_description(request));
  if (!offer) return respond(key, request, 488, "An offer is needed");
  auto dialog = sip::from_incoming_invite(request, random_token(kTagLength));
  if (!dialog) return respond(key, request, 400, sip::sentence(dialog.error()));
  // RFC 3891 3: he wants the place of a party that we talk to. What he has dialled does not count: it is how that party
  // once came to its call, and would connect him with whoever else is parked there now.
  ParkId takes_place_in;
  if (const auto replaces = request.replaces()) {
    if (const Seat* seat = dialogs_.find({replaces->call_id, replaces->to_tag, replaces->from_tag})) {
      const auto* party = std::get_if<PartySeat>(&seat->role);
      if (!party || party->end != PartyEnd::kPeer || user.empty()) return respond(key, request, 603);
      if (replaces->early_only) return respond(key, request, 486);
      takes_place_in = party->park_id;
    }
  }
  // Before anything is done for the call, since nobody answers it after this.
  if (const auto timer = answer_session_timer(request); !timer) {
    return agent_.transactions.respond(key, make_interval_too_small(request, timer.error(), dialog->id.local_tag));
  }

  FeatureCall feature;
  feature.call = ++last_id_;
  feature.tenant = tenant;
  feature.user = user;
  feature.trunk = trunk;
  feature.recall_after_seconds = *recall_after;
  feature.takes_place_in = std::move(takes_place_in);
  feature.device = header_text(request, kamailio_protocol::kDevice);
  feature.dialled = request.request_uri().user();
  feature.sip_call_id = std::string(request.call_id());
  if (const auto json = request.header(kamailio_protocol::kDialog)) {
    auto held = decode_adoptable_dialog(*json);
    if (held) {
      feature.held = *std::move(held);
    } else {
      log_error(feature.sip_call_id, "{}: {}", kamailio_protocol::kDialog, held.error().sentence);
    }
  }

  Call call;
  call.leg = std::make_shared<DialogLeg>(agent_, *std::move(dialog), CallIdOwner::kThey);
  call.leg->set_remote_sdp(*offer);
  call.key = key;
  call.invite = request;
  call.offer = *offer;
  call.owner = owner_key(tenant, user);
  name_party(*call.leg, identity_of_sender(*call.leg, request), call.owner);
  if (!dialogs_.insert(call.leg->dialog().id, Seat{call.leg, CallSeat{feature.call}}))
    return respond(key, request, 482);
  if (feature.held) {
    call.held_half = parkers_half(*feature.held);
    dialogs_.insert(call.held_half->dialog().id,
                    Seat{call.held_half, ParkerSeat{feature.held->caller, call.owner, feature.call}});
  }
  calls_by_invite_.emplace(key, feature.call);
  calls_.emplace(feature.call, std::move(call));
  listener_->on_feature_call(std::move(feature));
}

void SipLegs::on_cancel(sip::ServerTransactionKey invite) {
  const auto found = calls_by_invite_.find(invite);
  if (found == calls_by_invite_.end()) return;
  const CallId call = found->second;
  // The service may have something to say with the answer.
  listener_->on_call_gone(call);
  refuse(call, 487, "");
}

void SipLegs::on_server_transaction_failure(sip::ServerTransactionKey, sip::ServerFailure) {
  // Each leg has a deadline of its own for what it waits for.
}

std::optional<MediaRemote> SipLegs::answer_with_media(CallId id, const MediaAddress& media, Answer answer) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return std::nullopt;
  Call& call = found->second;
  const auto made = leg::answer_with_media(call.offer, media, agent_.codecs, std::nullopt);
  if (!made) return std::nullopt;
  call.media = media;
  if (answer == Answer::kEarly) {
    sip::SipMessage progress = sip::make_response(call.invite, 183, {}, call.leg->dialog().id.local_tag);
    sip::copy_record_route(call.invite, progress);
    progress.set_header(sip::HeaderName::kContact, agent_.contact);
    progress.set_body(sip::kSdpType, sip::write_sdp(made->answer));
    agent_.transactions.respond(call.key, progress);
  } else {
    answer_call(id, call, made->answer);
  }
  return made->remote;
}

void SipLegs::answer_retriever(CallId id, const ParkId& park_id) {
  Call& call = calls_.at(id);
  show_caller(*at(park_id).caller, *call.leg, call.owner);
  answer_call(id, call, align_answer(*at(park_id).caller->remote_sdp(), call.offer, std::nullopt));
}

void SipLegs::answer_call(CallId id, Call& call, const sip::Sdp& answer) {
  call.stage = Call::Stage::kAnswered;
  if (call.adoption == Adoption::kReleased) call.leg->say_with_answer(kamailio_protocol::kAdoption, kamailio_protocol::kReleased);
  calls_by_invite_.erase(call.key);
  call.leg->answer(call.key, call.invite, answer,
                   {[this, id](const sip::Sdp*) { listener_->on_call_confirmed(id); },
                    [this, id] {
                      const auto node = calls_.extract(id);
                      if (!node.empty()) unseat(node.mapped().leg);
                      listener_->on_call_lost(id);
                    }});
}

void SipLegs::refuse(CallId id, int status, const std::string& reason) {
  auto node = calls_.extract(id);
  if (node.empty()) return;
  Call& call = node.mapped();
  calls_by_invite_.erase(call.key);
  if (call.stage == Call::Stage::kAnswered) {
    call.leg->bye();
  } else {
    if (call.adoption == Adoption::kKept) call.leg->say_with_answer(kamailio_protocol::kAdoption, kamailio_protocol::kKept);
    call.leg->refuse(call.key, call.invite, status, reason);
  }
  unseat(call.leg);
  release(call.held_half);
}

void SipLegs::settle_adoption(CallId id, Adoption adoption) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second.adoption) return;
  found->second.adoption = adoption;
  if (adoption == Adoption::kReleased) release(std::exchange(found->second.held_half, nullptr));
}

void SipLegs::hang_up(CallId id) {
  if (const auto calling = callings_.extract(id)) return agent_.transactions.cancel(calling.mapped().invite);
  refuse(id, 480, "");
}

// ---- calls to extensions ----

CallId SipLegs::call_extension(const ExtensionCall& call, const MediaAddress& media) {
  const CallId id = ++last_id_;
  sip::SipMessage invite =
      make_invite(agent_, {call.display, sip::SipUri(call.number, call.tenant), {}}, call.tenant, call.extension);
  sip::Sdp offer = make_music_offer(std::nullopt, std::nullopt, media, agent_.codecs);
  invite.set_body(sip::kSdpType, sip::write_sdp(offer));
  const auto key = agent_.transactions.send_request(
      invite, agent_.kamailio,
      {[this, id, invite, answered = std::vector<sip::DialogId>()](const sip::SipMessage& response) mutable {
         if (response.status() >= 300) return give_up_calling(id);
         if (response.status() >= 200) on_extension_answer(id, invite, answered, response);
       },
       [this, id](sip::ClientFailure) { give_up_calling(id); }});
  callings_.emplace(id, Calling{key, std::move(offer), media, owner_key(call.tenant, call.extension)});
  return id;
}

void SipLegs::give_up_calling(CallId id) {
  if (callings_.erase(id) != 0) listener_->on_call_gone(id);
}

void SipLegs::on_extension_answer(CallId id, const sip::SipMessage& invite, std::vector<sip::DialogId>& answered,
                                  const sip::SipMessage& response) {
  auto dialog = sip::from_outgoing_invite(invite, response);
  if (!dialog) return give_up_calling(id);
  agent_.transactions.send_ack(sip::make_ack_for_2xx(*dialog, invite.cseq().number), agent_.kamailio);
  if (std::find(answered.begin(), answered.end(), dialog->id) != answered.end()) return;
  answered.push_back(dialog->id);
  const auto answer = sip::parse_sdp(sip::session_description(response));
  auto leg = std::make_shared<DialogLeg>(agent_, *std::move(dialog), CallIdOwner::kWe);
  const auto calling = callings_.find(id);
  const auto remote =
      answer && calling != callings_.end() ? std::optional(read_answer(calling->second.offer, *answer)) : std::nullopt;
  if (!remote || !*remote) {
    // Cancelled too late, a second one who answered, or an answer that is none.
    leg->bye();
    return give_up_calling(id);
  }
  Calling waited = std::move(callings_.extract(calling).mapped());
  leg->set_local_sdp(waited.offer);
  leg->set_remote_sdp(*answer);
  dialogs_.insert(leg->dialog().id, Seat{leg, CallSeat{id}});
  Call call;
  call.leg = std::move(leg);
  call.owner = std::move(waited.owner);
  call.media = std::move(waited.media);
  call.stage = Call::Stage::kAnswered;
  calls_.emplace(id, std::move(call));
  listener_->on_extension_answered(id, **remote);
}

// ---- transfers ----

void SipLegs::on_refer_outside(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const std::string tenant = header_text(request, kamailio_protocol::kTenant);
  const std::string user = header_text(request, kamailio_protocol::kUser);
  if (tenant.empty() || user.empty()) return respond(key, request, 481);
  if (!ready_) return respond(key, request, 503);
  const auto target = refer_target(request);
  if (!target) return respond(key, request, status_of(target.error()), sentence(target.error()));
  const auto recall_after = recall_after_seconds(request);
  if (!recall_after) return respond(key, request, 400, recall_after.error());
  std::optional<AdoptableDialog> known;
  if (const auto json = request.header(kamailio_protocol::kDialog)) {
    if (auto decoded = decode_adoptable_dialog(*json)) {
      known = *std::move(decoded);
    } else {
      log_error(request.call_id(), "{}: {}", kamailio_protocol::kDialog, decoded.error().sentence);
    }
  }
  auto dialog = dialog_of_refer(request, known);
  if (!dialog) return respond(key, request, 400, sip::sentence(dialog.error()));
  LegPtr referrer = parkers_half(*dialog);
  if (!dialogs_.insert(referrer->dialog().id, Seat{referrer, ParkerSeat{dialog->caller, owner_key(tenant, user)}}))
    return respond(key, request, 491);
  Referral referral;
  referral.refer = begin_refer(referrer, key, request);
  referral.tenant = tenant;
  referral.user = user;
  referral.dialled = target->uri.number();
  referral.sip_call_id = std::string(request.call_id());
  referral.recall_after_seconds = *recall_after;
  referral.dialog = *std::move(dialog);
  listener_->on_refer(std::move(referral));
}

void SipLegs::on_refer_inside(Seat seat, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  // Two workers of Kamailio may pass a retriever's ACK and his REFER on in the other order.
  if (std::holds_alternative<CallSeat>(seat.role)) {
    seat.leg->take_as_acknowledged();
    if (const Seat* now = dialogs_.find_for(request)) seat = *now;
  }
  const auto* party = std::get_if<PartySeat>(&seat.role);
  const std::string tenant = header_text(request, kamailio_protocol::kTenant);
  const std::string user = header_text(request, kamailio_protocol::kUser);
  if (!party) return seat.leg->refuse(key, request, 603);
  if (party->end == PartyEnd::kCaller) {
    // FEATURES S11: a trunk does not park. An extension that was parked itself may, as in any call; not while it waits.
    const Parked& parked = at(party->park_id);
    const bool is_of_caller = !user.empty() && parked.caller_owner == owner_key(tenant, user);
    if (!is_of_caller || !parked.bridged || !parked.peer) return seat.leg->refuse(key, request, 603);
  }
  if (tenant.empty() || user.empty()) return seat.leg->refuse(key, request, 403);
  const auto target = refer_target(request);
  if (!target) return seat.leg->refuse(key, request, status_of(target.error()), sentence(target.error()));
  const auto recall_after = recall_after_seconds(request);
  if (!recall_after) return seat.leg->refuse(key, request, 400, recall_after.error());
  const auto [park_id, end] = *party;
  Referral referral;
  referral.refer = begin_refer(seat.leg, key, request);
  referral.tenant = tenant;
  referral.user = user;
  referral.dialled = target->uri.number();
  referral.contact = contact_in(target->uri, tenant);
  if (target->replaces) referral.replaces = target->replaces->to_string();
  referral.sip_call_id = std::string(request.call_id());
  referral.recall_after_seconds = *recall_after;
  listener_->on_refer_of_party(park_id, end, std::move(referral));
}

ReferId SipLegs::begin_refer(const LegPtr& leg, sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const ReferId id = ++last_id_;
  refers_.emplace(id, PendingRefer{leg, key, request});
  return id;
}

void SipLegs::accept_refer(ReferId refer) {
  const auto found = refers_.find(refer);
  if (found == refers_.end() || !found->second.request) return;
  PendingRefer& pending = found->second;
  sip::SipMessage accepted = sip::make_response(*pending.request, 202, {}, pending.leg->dialog().id.local_tag);
  sip::copy_record_route(*pending.request, accepted);
  accepted.set_header(sip::HeaderName::kContact, pending.leg->contact());
  agent_.transactions.respond(pending.key, accepted);
  pending.request.reset();
  notify(*pending.leg, 100, "Trying", "active;expires=60");
}

void SipLegs::conclude_refer(ReferId refer, int status, const std::string& reason) {
  if (status < 300) accept_refer(refer);
  auto node = refers_.extract(refer);
  if (node.empty()) return;
  const PendingRefer& pending = node.mapped();
  if (pending.request) {
    sip::SipMessage refused =
        sip::make_response(*pending.request, refer_refusal(status), reason, pending.leg->dialog().id.local_tag);
    agent_.transactions.respond(pending.key, refused);
  } else {
    notify(*pending.leg, status, reason, "terminated;reason=noresource");
  }
  release(pending.leg);
}

void SipLegs::notify(DialogLeg& leg, int status, const std::string& reason, std::string_view subscription_state) {
  leg.send(sip::method::kNotify,
           [&](sip::SipMessage& request) {
             request.set_header(sip::HeaderName::kEvent, "refer");
             request.set_header(sip::HeaderName::kSubscriptionState, subscription_state);
             request.set_body(kSipfragType, write_sipfrag(status, reason));
           },
           {});
}

}  // namespace callpark::leg
