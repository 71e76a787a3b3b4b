#include "parkd/service/park_service.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "parkd/service/refusal.h"

namespace callpark {
namespace {

constexpr Duration kRecoveryRetry{500};
constexpr std::size_t kParkIdLength = 26;  // 130 bits

template <class P>
bool is_in(const park::State& state) {
  return std::holds_alternative<P>(state.phase);
}

std::string word_for(park::RecallTarget target) {
  switch (target) {
    case park::RecallTarget::kParker:
      return "parker";
    case park::RecallTarget::kRingGroup:
      return "ring_group";
    case park::RecallTarget::kFallback:
      return "fallback";
    case park::RecallTarget::kNone:
      break;
  }
  return "";
}

bool waits_in_orbit(const park::State& state) {
  return state.orbit == park::Orbit::kHeld;
}

PartyEnd other_end(PartyEnd end) {
  return end == PartyEnd::kCaller ? PartyEnd::kPeer : PartyEnd::kCaller;
}

}  // namespace

struct ParkService::ParkedCall {
  ParkedCallRow row;
  park::State state;
  OrbitWish wish;
  DialledFacts facts;  // of the code that parked it; empty after a take-over
  std::optional<ReferId> refer;
  std::map<ReferId, PartyEnd> looked_up;  // what they have asked for, as long as the database is asked about it
  std::set<PartyEnd> hung_up;             // meanwhile
  TransferTarget target;
  int target_status = 0;                 // why the last transfer failed
  std::optional<CallId> parker_call;     // waits for its answer
  std::optional<CallId> announced_call;  // is answered, and hears the orbit
  bool orbit_was_spoken = false;         // to the parker
  struct Admitted {
    CallId call;
    std::string user;  // as the row names him
    std::string language;
  };
  std::map<park::Retriever, Admitted> retrievers;
  park::Retriever last_retriever = 0;
  std::map<park::Timer, LoopHandle> timers;
  // Of the stay before this one, until this one is sure.
  struct Stay {
    std::string parker;
    WallTime parked_at;
    std::string retriever;
  };
  std::optional<Stay> last_stay;
  // What has been reported of it: that it ever was parked, and that it waits in its orbit now.
  bool was_parked = false;
  bool waits = false;
  // Who was parked then. He may have transferred whom he talked to, and be in the call no more.
  PartyIdentity reported_caller;
  std::string reported_call_id;
  // Events that came while actions were being carried out.
  std::deque<park::Event> waiting;
  bool deciding = false;

  park::Retriever admit(CallId call, const std::string& user, const std::string& language) {
    retrievers.emplace(++last_retriever, Admitted{call, user, language});
    return last_retriever;
  }
  std::optional<park::Retriever> retriever_of(CallId call) const {
    for (const auto& [retriever, admitted] : retrievers) {
      if (admitted.call == call) return retriever;
    }
    return std::nullopt;
  }
};

// Carries out the orders about one call.
class ParkService::Performer {
 public:
  Performer(ParkService& service, ParkedCall& call) : service_(service), call_(call), id_(call.row.park_id) {}

  void operator()(const park::ClaimOrbit& order) {
    fill_dialogs();
    service_.store_.claim_orbit(call_.row, call_.wish,
                                [&service = service_, id = id_, order](Result<OrbitGot, ClaimOrbitFailure> got) {
                                  service.on_orbit_claimed(id, order.question, std::move(got));
                                });
  }
  void operator()(const park::WriteParked& order) {
    call_.row.state = RowState::kParked;
    call_.row.ladder = call_.state.ladder;
    fill_dialogs();
    service_.store_.write(call_.row, [&service = service_, id = id_, order](Result<void, StoreUnavailable> written) {
      service.tell(id, written ? park::Event(park::RowWritten{order.question})
                               : park::Event(park::RowNotWritten{order.question}));
    });
  }
  void operator()(const park::UnclaimCall&) {
    call_.row.state = RowState::kParked;
    call_.row.retriever.clear();
    service_.store_.unclaim_call(id_);
  }
  void operator()(const park::WriteRetrieved&) { write_without_orbit(); }
  void operator()(const park::FreeOrbit&) {
    go_back_to_last_stay();
    if (call_.row.retriever.empty()) call_.row.retriever = call_.row.parker;  // it is he who has the caller again
    write_without_orbit();
  }
  void operator()(const park::RemoveRow& order) { service_.store_.remove(id_, order.reason); }

  void operator()(const park::CallRecallTarget& order) {
    call_.target = service_.recall_target(call_, order.target);
    log_info(call_.row.caller.call_id, "parked at {} of {}, nobody has come: calling {}", call_.row.orbit,
             call_.row.tenant, call_.target.number);
    service_.call_backs_.stop(id_);
    service_.legs_.call_target(id_, order.question, call_.target);
  }
  void operator()(const park::ClaimForTarget& order) {
    call_.row.retriever = service_.legs_.target_user(id_);
    ParkedCallRow row = call_.row;
    row.peer = service_.legs_.target_snapshot(id_);
    service_.store_.claim_for_target(std::move(row),
                                     [&service = service_, id = id_, order](Result<void, ClaimCallFailure> claimed) {
                                       service.tell(id, claimed ? park::Event(park::RecallClaimed{order.question})
                                                                : park::Event(park::RecallNotClaimed{order.question}));
                                     });
  }
  void operator()(const park::SetRecallDeadline& order) {
    call_.row.ladder = call_.state.ladder;
    call_.row.recall_deadline = wall_now() + recall_wait(order.wait);
  }

  void operator()(const park::OpenMedia& order) {
    std::optional<MediaSnapshot> again = std::exchange(call_.row.media, std::nullopt);
    const std::string session = again ? again->session : "park-" + random_token(16);
    call_.row.media = MediaSnapshot{.session = session, .local = {}, .ssrc = 0, .remote = {}};
    if (again) call_.row.media->remote = again->remote;
    service_.park_by_session_[session] = id_;
    service_.media_.open(
        session, Music{call_.row.music_class}, std::move(again),
        [&service = service_, id = id_, session, order](Result<MediaSnapshot, MediaUnavailable> opened) {
          service.on_media_opened(id, session, order.question, std::move(opened));
        });
  }
  void operator()(const park::CloseMedia&) {
    if (!call_.row.media) return;
    service_.park_by_session_.erase(call_.row.media->session);
    service_.media_.close(call_.row.media->session);
    call_.row.media.reset();
  }

  void operator()(const park::OfferMusic& order) {
    service_.legs_.offer_music(id_, order.question, call_.row.media->local);
  }
  void operator()(const park::OfferRetriever& order) {
    service_.legs_.offer_call(id_, order.question, call_.retrievers.at(order.retriever).call);
  }
  void operator()(const park::OfferPeer& order) { service_.legs_.offer_peer(id_, order.question); }
  void operator()(const park::EndCaller&) { service_.legs_.end(id_, PartyEnd::kCaller); }
  void operator()(const park::Bridge&) { service_.legs_.bridge(id_); }
  void operator()(const park::Unbridge&) { service_.legs_.unbridge(id_); }
  void operator()(const park::EndPeer&) { service_.legs_.end(id_, PartyEnd::kPeer); }

  void operator()(const park::AcceptRefer&) { service_.legs_.accept_refer(*call_.refer); }
  void operator()(const park::AcceptPark&) {
    call_.last_stay.reset();
    log_info(call_.row.caller.call_id, "parked at {} of {} by {}", call_.row.orbit, call_.row.tenant, call_.row.parker);
    if (call_.refer) {
      service_.legs_.conclude_refer(*std::exchange(call_.refer, std::nullopt), 200, "OK");
      return;
    }
    const CallId parker = *std::exchange(call_.parker_call, std::nullopt);
    call_.announced_call = parker;
    call_.orbit_was_spoken = true;
    service_.announcer_.say(parker, where_it_is_parked(), Legs::Answer::kFinal, service_.settings_.announcement_max,
                            [&service = service_, id = id_] { service.tell(id, park::AnnouncementPlayed{}); });
  }
  void operator()(const park::TellParker&) {
    const bool has_chosen_it = !call_.wish.orbits.empty();
    if (has_chosen_it || call_.orbit_was_spoken || !call_.facts.calls_back) return;
    ExtensionCall call{call_.row.tenant, call_.row.parker, "Call park", "park"};
    if (call_.facts.call_back_shows_orbit) {
      call.display = "Parked at " + call_.row.orbit;
      call.number = dialled_to_retrieve(call_.facts, call_.row.orbit);
    }
    Announcement announcement = where_it_is_parked();
    // Whoever picks up a receiver may miss the beginning.
    const auto once = announcement.list;
    announcement.list.insert(announcement.list.end(), once.begin(), once.end());
    service_.call_backs_.call(id_, std::move(call), std::move(announcement), service_.settings_.call_back_ring_max,
                              service_.settings_.announcement_max);
  }
  void operator()(const park::RefusePark& order) {
    go_back_to_last_stay();
    if (call_.refer) service_.refuse_refer(*std::exchange(call_.refer, std::nullopt), order.reason);
    if (!call_.parker_call) return;
    const CallId parker = *std::exchange(call_.parker_call, std::nullopt);
    service_.park_by_call_.erase(parker);
    // What has ended needs nobody in between; else parkd has asked the caller something, and his CSeq is parkd's.
    const bool stays =
        call_.state.caller == park::CallerLeg::kOurs ||
        (call_.state.caller == park::CallerLeg::kAsked && order.reason != park::RefusalReason::kCallerGone);
    if (stays) service_.legs_.settle_adoption(parker, Legs::Adoption::kKept);
    service_.refuse_call(parker, order.reason, call_.facts.language);
  }
  void operator()(const park::KeepAdoption&) {
    service_.legs_.settle_adoption(*call_.parker_call, Legs::Adoption::kKept);
  }
  void operator()(const park::EndParkerCall&) {
    if (!call_.announced_call) return;
    const CallId parker = *std::exchange(call_.announced_call, std::nullopt);
    service_.park_by_call_.erase(parker);
    service_.announcer_.stop(parker);
    service_.legs_.hang_up(parker);
  }

  void operator()(const park::AnswerRetriever& order) {
    service_.legs_.answer_retriever(call_.retrievers.at(order.retriever).call, id_);
  }
  void operator()(const park::RefuseRetriever& order) {
    const std::string language = call_.retrievers.at(order.retriever).language;
    service_.refuse_call(dismiss(order.retriever), order.reason, language);
  }
  void operator()(const park::EndRetriever& order) { service_.legs_.hang_up(dismiss(order.retriever)); }
  void operator()(const park::MakePeer& order) {
    forget_old_peer();
    call_.row.retriever = call_.retrievers.at(order.retriever).user;
    service_.legs_.make_peer(id_, dismiss(order.retriever));
  }

  void operator()(const park::CallTarget& order) { service_.legs_.call_target(id_, order.question, call_.target); }
  void operator()(const park::OfferTarget& order) { service_.legs_.offer_target(id_, order.question); }
  void operator()(const park::EndTarget&) { service_.legs_.end_target(id_); }
  void operator()(const park::MakeTargetPeer&) {
    forget_old_peer();
    call_.row.retriever = service_.legs_.target_user(id_);
    service_.legs_.make_target_peer(id_);
  }
  void operator()(const park::AcceptTransfer&) { conclude_transfer(200, "OK"); }
  void operator()(const park::RefuseTransfer&) { conclude_transfer(call_.target_status, ""); }

  void operator()(const park::StartTimer& order) {
    call_.timers[order.timer] = service_.loop_.after(
        duration_of(order.timer),
        [&service = service_, id = id_, timer = order.timer] { service.tell(id, park::TimerFired{timer}); });
  }
  void operator()(const park::StopTimer& order) { call_.timers.erase(order.timer); }
  // The call itself is forgotten by run(), when all orders are carried out.
  void operator()(const park::Dismiss&) { service_.legs_.forget(id_); }

 private:
  Announcement where_it_is_parked() const {
    return {
        call_.facts.language,
        {Announcement::Prompt{"call_parked"}, Announcement::Digits{dialled_to_retrieve(call_.facts, call_.row.orbit)}}};
  }
  // What was refused was no stay: what is told of the call from now on belongs to the one before.
  void go_back_to_last_stay() {
    if (const auto last = std::exchange(call_.last_stay, std::nullopt)) {
      call_.row.parker = last->parker;
      call_.row.parked_at = last->parked_at;
      call_.row.retriever = last->retriever;
    }
  }
  void forget_old_peer() {
    call_.looked_up.clear();
    call_.hung_up.erase(PartyEnd::kPeer);
  }
  void conclude_transfer(int status, const std::string& reason) {
    if (!call_.refer) return;
    service_.legs_.conclude_refer(*std::exchange(call_.refer, std::nullopt), status, reason);
  }
  CallId dismiss(park::Retriever retriever) {
    const auto node = call_.retrievers.extract(retriever);
    service_.park_by_call_.erase(node.mapped().call);
    return node.mapped().call;
  }
  void fill_dialogs() {
    call_.row.caller = service_.legs_.caller_snapshot(id_);
    call_.row.peer = service_.legs_.peer_snapshot(id_);
  }
  void write_without_orbit() {
    call_.row.state = RowState::kRetrieved;
    fill_dialogs();
    service_.store_.write_retrieved(call_.row);
    call_.row.orbit.clear();
  }
  Duration recall_wait(park::RecallWait wait) const {
    const RecallSettings& recall = call_.row.recall;
    if (wait == park::RecallWait::kNextAttempt) return std::chrono::seconds(recall.retry_seconds);
    // Whoever is not the parker is left to the routing of Kamailio, which ends by itself.
    if (call_.state.ladder.target != park::RecallTarget::kParker) return service_.settings_.handed_over_max;
    return std::chrono::seconds(recall.mode == park::RecallMode::kParkerThenRingGroup
                                    ? recall.alert_ring_group_wait_seconds
                                    : recall.ring_seconds);
  }
  Duration duration_of(park::Timer timer) const {
    switch (timer) {
      case park::Timer::kGiveUp:
        return std::max(Duration(0), Duration(call_.row.deadline - wall_now()));
      case park::Timer::kRecall:
        return std::max(Duration(0), Duration(call_.row.recall_deadline - wall_now()));
      case park::Timer::kParkerBye:
        return service_.settings_.parker_bye_timeout;
      case park::Timer::kMusicRetry:
        return service_.settings_.music_retry;
    }
    return Duration(0);
  }

  ParkService& service_;
  ParkedCall& call_;
  const ParkId id_;
};

ParkService::ParkService(EventLoop& loop, Store& store, Media& media, Legs& legs, Events& events, Messages& messages,
                         Metrics& metrics, ParkSettings settings)
    : loop_(loop),
      store_(store),
      media_(media),
      legs_(legs),
      events_(events),
      metrics_(metrics),
      settings_(std::move(settings)),
      announcer_(loop, media, legs),
      call_backs_(loop, media, legs),
      messenger_(store, messages) {
  media_.set_listener(this);
}

ParkService::~ParkService() {
  media_.set_listener(nullptr);
}

// ---- somebody dials ----

void ParkService::on_feature_call(FeatureCall call) {
  if (!call.takes_place_in.empty()) return take_place(call);
  open_calls_.emplace(call.call, call.sip_call_id);
  store_.look_up(call.tenant, call.user, call.dialled, [this, call](const LookedUp& facts) {
    if (open_calls_.count(call.call) != 0) on_looked_up(call, facts);
  });
}

// Who is sent by the peer of a talk needs no permission but the peer's; an extension of the same tenant he has to be.
void ParkService::take_place(const FeatureCall& call) {
  ParkedCall* parked = find(call.takes_place_in);
  const bool may = parked && parked->row.tenant == call.tenant && !call.user.empty();
  if (!may || !is_in<park::Talking>(parked->state)) return legs_.refuse(call.call, 603, "");
  // What he has on hold, the peer's call it may be, has nothing to do with it.
  if (call.held) legs_.settle_adoption(call.call, Legs::Adoption::kReleased);
  park_by_call_.emplace(call.call, call.takes_place_in);
  tell(call.takes_place_in, park::ReplacementAsked{parked->admit(call.call, call.user, parked->facts.language)});
}

void ParkService::on_looked_up(const FeatureCall& call, const LookedUp& facts) {
  if (!facts) return refuse_call(call.call, park::RefusalReason::kUnavailable, "");
  const auto command = interpret(*facts, call.user, Dialled::kAsCall);
  if (!command) return refuse_call(call.call, command.error(), facts->language);
  std::visit(overloaded{[&](const ParkCommand& park) { park_held(call, *facts, park); },
                        [&](const RetrieveCommand& wanted) { retrieve(call, *facts, wanted); }},
             *command);
}

void ParkService::park_held(const FeatureCall& call, const DialledFacts& facts, const ParkCommand& command) {
  const auto ours = legs_.call_held_by(call.tenant, call.user, call.device);
  if (ours && (!call.held || goes_before(ours->hold, call.held->hold, call.device))) {
    ParkedCall* held = find(ours->park_id);
    if (held && is_in<park::Talking>(held->state) && held->hung_up.empty()) {
      legs_.settle_adoption(call.call, Legs::Adoption::kReleased);
      make_asker_peer(*held, ours->holder, call.user);
      rewish(*held, call.user, call.recall_after_seconds, facts, command.wish);
      held->parker_call = call.call;
      park_by_call_.emplace(call.call, ours->park_id);
      open_calls_.erase(call.call);
      return tell(ours->park_id, park::ParkAsked{park::Request::kCall, held->row.recall.policy()});
    }
  }
  if (!call.held) return refuse_call(call.call, park::RefusalReason::kNoHeldCall, facts.language);
  ParkedCall& parked = start(call.tenant, call.user, call.recall_after_seconds, facts, command.wish);
  const ParkId id = parked.row.park_id;
  if (!legs_.adopt(id, *call.held)) {
    calls_.erase(id);
    return refuse_call(call.call, park::RefusalReason::kNoHeldCall, facts.language);
  }
  parked.parker_call = call.call;
  park_by_call_.emplace(call.call, id);
  open_calls_.erase(call.call);
  run(parked, park::begin(park::Request::kCall, parked.row.recall.policy()));
}

void ParkService::retrieve(const FeatureCall& call, const DialledFacts& facts, const RetrieveCommand& command) {
  const std::string retriever = call.user.empty() ? "trunk " + call.trunk : call.user;
  store_.claim_call(call.tenant, command.wish, retriever,
                    [this, id = call.call, language = facts.language](Result<ParkedCallRow, ClaimCallFailure> won) {
                      const bool waits = open_calls_.count(id) != 0;
                      if (!won) {
                        if (!waits) return;
                        switch (won.error()) {
                          case ClaimCallFailure::kNoneParked:
                            return refuse_call(id, park::RefusalReason::kNoCallParked, language);
                          case ClaimCallFailure::kAlreadyPickedUp:
                            return refuse_call(id, park::RefusalReason::kAlreadyPickedUp, language);
                          case ClaimCallFailure::kUnavailable:
                            return refuse_call(id, park::RefusalReason::kUnavailable, language);
                        }
                        return;
                      }
                      ParkedCall* parked = find(won->park_id);
                      if (!parked) parked = &take_over(*won, park::Found::kParked);
                      if (!waits)
                        return store_.unclaim_call(won->park_id);  // he cancelled while the database was asked
                      parked->row.state = RowState::kRetrieving;
                      parked->row.retriever = won->retriever;
                      open_calls_.erase(id);
                      park_by_call_.emplace(id, won->park_id);
                      tell(won->park_id, park::CallClaimed{parked->admit(id, won->retriever, language)});
                    });
}

// ---- somebody transfers ----

void ParkService::on_refer(Referral referral) {
  store_.look_up(referral.tenant, referral.user, referral.dialled, [this, referral](const LookedUp& facts) {
    if (!facts) return refuse_refer(referral.refer, park::RefusalReason::kUnavailable);
    const auto command = interpret(*facts, referral.user, Dialled::kAsTransfer);
    const auto* park = command ? std::get_if<ParkCommand>(&*command) : nullptr;
    if (park) return park_referred(referral, *facts, *park);
    // FEATURES S11: a transfer to a code that retrieves would join two callers; it is refused like junk.
    refuse_refer(referral.refer, command ? park::RefusalReason::kInvalidCode : command.error());
  });
}

void ParkService::park_referred(const Referral& referral, const DialledFacts& facts, const ParkCommand& command) {
  ParkedCall& parked = start(referral.tenant, referral.user, referral.recall_after_seconds, facts, command.wish);
  const ParkId id = parked.row.park_id;
  if (!legs_.adopt(id, referral.dialog)) {
    calls_.erase(id);
    return refuse_refer(referral.refer, park::RefusalReason::kCallerGone);
  }
  parked.refer = referral.refer;
  run(parked, park::begin(park::Request::kRefer, parked.row.recall.policy()));
}

void ParkService::on_refer_of_party(const ParkId& park_id, PartyEnd party, Referral referral) {
  if (ParkedCall* call = find(park_id)) call->looked_up.emplace(referral.refer, party);
  store_.look_up(referral.tenant, referral.user, referral.dialled, [this, park_id, referral](const LookedUp& facts) {
    ParkedCall* call = find(park_id);
    // With whom he talked then he talks still.
    const auto asked = call ? call->looked_up.extract(referral.refer) : decltype(call->looked_up)::node_type();
    if (asked) {
      repark_referred(*call, asked.mapped(), referral, facts);
    } else {
      refuse_refer(referral.refer, park::RefusalReason::kUnavailable);
    }
    tell_who_has_hung_up(park_id);
  });
}

// To the machine the caller is who is parked, and the peer who asks for it. Of two who talk either may ask: which of
// them was parked once makes no difference any more.
void ParkService::make_asker_peer(ParkedCall& parked, PartyEnd asker, const std::string& user) {
  if (asker == PartyEnd::kPeer) return;
  legs_.swap_parties(parked.row.park_id);
  parked.row.retriever = user;
  for (auto& [refer, party] : parked.looked_up) party = other_end(party);
  if (parked.hung_up.erase(PartyEnd::kCaller) != 0) parked.hung_up.insert(PartyEnd::kPeer);
}

// The database is asked what his transfer means.
bool ParkService::is_still_asked(const ParkedCall& call, PartyEnd party) {
  return is_in<park::Talking>(call.state) && std::any_of(call.looked_up.begin(), call.looked_up.end(),
                                                         [party](const auto& asked) { return asked.second == party; });
}

void ParkService::tell_who_has_hung_up(const ParkId& park_id) {
  for (const PartyEnd party : {PartyEnd::kPeer, PartyEnd::kCaller}) {
    ParkedCall* call = find(park_id);
    if (!call || call->hung_up.count(party) == 0 || is_still_asked(*call, party)) continue;
    call->hung_up.erase(party);
    on_party_gone(park_id, party);
  }
}

void ParkService::repark_referred(ParkedCall& parked, PartyEnd referrer, const Referral& referral,
                                  const LookedUp& facts) {
  if (!facts) return refuse_refer(referral.refer, park::RefusalReason::kUnavailable);
  // Nobody is there to be parked; what he has asked for before he left is still to come.
  if (parked.hung_up.count(other_end(referrer)) != 0) {
    return refuse_refer(referral.refer, park::RefusalReason::kCallerGone);
  }
  const ParkId id = parked.row.park_id;
  const auto command = interpret(*facts, referral.user, Dialled::kAsTransfer);
  const auto* park = command ? std::get_if<ParkCommand>(&*command) : nullptr;
  const bool talks = is_in<park::Talking>(parked.state);
  if (talks && !facts->code && !facts->range && !referral.dialled.empty()) {
    make_asker_peer(parked, referrer, referral.user);
    parked.refer = referral.refer;
    parked.target = {referral.tenant, referral.dialled, referral.replaces, "", referral.contact};
    parked.target_status = 480;
    legs_.accept_refer(referral.refer);
    return tell(id, park::TransferAsked{});
  }
  if (!park) {
    return refuse_refer(referral.refer, command ? park::RefusalReason::kInvalidCode : command.error());
  }
  if (talks) {
    make_asker_peer(parked, referrer, referral.user);
    rewish(parked, referral.user, referral.recall_after_seconds, *facts, park->wish);
    parked.refer = referral.refer;
    return tell(id, park::ParkAsked{park::Request::kRefer, parked.row.recall.policy()});
  }
  const bool is_announced = is_in<park::Parked>(parked.state) && parked.state.request == park::Request::kAnnouncing;
  if (referrer != PartyEnd::kPeer || !is_announced) {
    return refuse_refer(referral.refer, park::RefusalReason::kUnavailable);
  }
  // An attended transfer to the code: dialling it has parked the caller already.
  parked.refer = referral.refer;
  tell(id, park::ParkerReferred{});
}

// ---- calls and rows ----

ParkService::ParkedCall& ParkService::start(const std::string& tenant, const std::string& user,
                                            std::optional<int> recall_after, const DialledFacts& facts,
                                            OrbitWish wish) {
  auto parked = std::make_unique<ParkedCall>();
  ParkedCall& call = *parked;
  call.row.park_id = random_token(kParkIdLength);
  call.row.tenant = tenant;
  call.row.owner = settings_.node_name;
  rewish(call, user, recall_after, facts, std::move(wish));
  calls_.emplace(call.row.park_id, std::move(parked));
  return call;
}

void ParkService::rewish(ParkedCall& call, const std::string& user, std::optional<int> recall_after,
                         const DialledFacts& facts, OrbitWish wish) {
  if (call.was_parked) call.last_stay = {call.row.parker, call.row.parked_at, call.row.retriever};
  call.row.park_group = wish.park_group;
  call.wish = std::move(wish);
  call.facts = facts;
  call.orbit_was_spoken = false;
  call.row.state = RowState::kAdopting;
  call.row.parker = user;
  call.row.retriever.clear();
  call.row.music_class = facts.music_class;
  call.row.parked_at = wall_now();
  call.row.deadline = call.row.parked_at + std::chrono::seconds(facts.park_seconds_max);
  call.row.recall = facts.recall;
  if (recall_after && facts.may_set_recall) call.row.recall.after_seconds = *recall_after;
  call.row.ladder = {};
  call.row.recall_deadline = call.row.parked_at + std::chrono::seconds(call.row.recall.after_seconds);
}

TransferTarget ParkService::recall_target(const ParkedCall& call, park::RecallTarget target) {
  const ParkedCallRow& row = call.row;
  switch (target) {
    case park::RecallTarget::kRingGroup:
      return {row.tenant, row.recall.ring_group, "", row.orbit};
    case park::RecallTarget::kFallback:
      return {row.tenant, row.recall.fallback_destination, "", row.orbit};
    case park::RecallTarget::kParker:
    case park::RecallTarget::kNone:
      break;
  }
  return {row.tenant, row.parker, "", row.orbit};
}

ParkService::ParkedCall& ParkService::take_over(const ParkedCallRow& row, park::Found found) {
  auto parked = std::make_unique<ParkedCall>();
  ParkedCall& call = *parked;
  call.row = row;
  call.row.owner = settings_.node_name;
  // Of these the store has said so when it gave the rows away.
  call.waits = row.state == RowState::kParked || row.state == RowState::kRetrieving;
  call.was_parked = call.waits || row.state == RowState::kRetrieved;
  call.reported_caller = row.caller.remote_identity;
  call.reported_call_id = row.caller.call_id;
  calls_[row.park_id] = std::move(parked);
  legs_.take_over(row);
  // What the caller hears of a call that was being retrieved is not known: its music is opened again where it was.
  if (found == park::Found::kRetrieved) call.row.media.reset();
  run(call, park::resume(found, row.recall.policy(), row.ladder));
  return call;
}

void ParkService::recover(std::function<void()> done) {
  store_.load([this, done = std::move(done)](Result<std::vector<ParkedCallRow>, StoreUnavailable> rows) mutable {
    if (!rows) {
      recovery_retry_ = loop_.after(kRecoveryRetry, [this, done = std::move(done)] { recover(done); });
      return;
    }
    for (const ParkedCallRow& row : *rows) {
      if (find(row.park_id)) continue;
      switch (row.state) {
        case RowState::kParked:
          // Without a session the caller is not known to hear anything.
          take_over(row, row.media ? park::Found::kParked : park::Found::kUncertain);
          break;
        case RowState::kAdopting:
        case RowState::kRetrieving:
          take_over(row, park::Found::kUncertain);
          break;
        case RowState::kRetrieved:
          take_over(row, park::Found::kRetrieved);
          break;
      }
    }
    if (!rows->empty()) log_info("", "took over {} calls from the database", rows->size());
    done();
  });
}

std::size_t ParkService::parked_calls() const {
  return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(),
                                                [](const auto& entry) { return waits_in_orbit(entry.second->state); }));
}

void ParkService::refuse_call(CallId call, park::RefusalReason reason, const std::string& language) {
  const Refusal refusal = refusal_of(reason);
  metrics_
      .counter("callpark_refusals_total", "Feature calls and transfers refused",
               {{"reason", std::string(refusal.prompt)}})
      .increment();
  open_calls_.try_emplace(call);
  const Duration spoken_max = reason == park::RefusalReason::kAlreadyPickedUp ? settings_.already_picked_up_speech_max
                                                                              : settings_.refusal_speech_max;
  announcer_.say(call,
                 Announcement{language.empty() ? "en" : language, {Announcement::Prompt{std::string(refusal.prompt)}}},
                 Legs::Answer::kEarly, spoken_max, [this, call, refusal] {
                   open_calls_.erase(call);
                   legs_.refuse(call, refusal.status, std::string(refusal.phrase));
                 });
}

void ParkService::refuse_refer(ReferId refer, park::RefusalReason reason) {
  const Refusal refusal = refusal_of(reason);
  metrics_
      .counter("callpark_refusals_total", "Feature calls and transfers refused",
               {{"reason", std::string(refusal.prompt)}})
      .increment();
  legs_.conclude_refer(refer, refusal.status, std::string(refusal.phrase));
}

// ---- what the ports say ----

void ParkService::on_orbit_claimed(const ParkId& park_id, park::Question question,
                                   Result<OrbitGot, ClaimOrbitFailure> got) {
  ParkedCall* call = find(park_id);
  if (!call) return;
  if (got) {
    call->row.orbit = got->orbit;
    call->row.slot = got->slot;
    return tell(park_id, park::OrbitClaimed{question});
  }
  switch (got.error()) {
    case ClaimOrbitFailure::kTaken:
      return tell(park_id, park::OrbitRefused{question, park::RefusalReason::kOrbitTaken});
    case ClaimOrbitFailure::kTooManyParked:
      return tell(park_id, park::OrbitRefused{question, park::RefusalReason::kTooManyParked});
    case ClaimOrbitFailure::kUnavailable:
      return tell(park_id, park::OrbitRefused{question, park::RefusalReason::kUnavailable});
  }
}

void ParkService::on_media_opened(const ParkId& park_id, const std::string& session, park::Question question,
                                  Result<MediaSnapshot, MediaUnavailable> opened) {
  ParkedCall* call = find(park_id);
  if (!call || !call->row.media || call->row.media->session != session) return;  // closed meanwhile
  if (!opened) return tell(park_id, park::MediaFailed{question});
  const std::optional<MediaRemote> remote = call->row.media->remote;
  call->row.media = *opened;
  call->row.media->remote = remote;
  tell(park_id, park::MediaOpened{question});
}

void ParkService::on_offer_accepted(const ParkId& park_id, park::Question question,
                                    const std::optional<MediaRemote>& music) {
  if (music) on_caller_media_changed(park_id, *music);
  tell(park_id, park::CallerAccepted{question});
}

void ParkService::on_offer_refused(const ParkId& park_id, park::Question question, bool changed) {
  tell(park_id, park::CallerRefused{question, changed});
}

void ParkService::on_caller_media_changed(const ParkId& park_id, const MediaRemote& music) {
  ParkedCall* call = find(park_id);
  if (!call || !call->row.media) return;
  call->row.media->remote = music;
  media_.connect(call->row.media->session, music);
}

void ParkService::on_target_answered(const ParkId& park_id, park::Question question) {
  tell(park_id, park::TargetAnswered{question});
}

void ParkService::on_target_refused(const ParkId& park_id, park::Question question, int status) {
  if (ParkedCall* call = find(park_id)) call->target_status = status;
  tell(park_id, park::TargetRefused{question});
}

void ParkService::on_party_gone(const ParkId& park_id, PartyEnd party) {
  // Not every phone waits for the answer to its REFER. What he has asked for counts.
  if (ParkedCall* call = find(park_id); call && is_still_asked(*call, party)) {
    call->hung_up.insert(party);
    return;
  }
  tell(park_id, party == PartyEnd::kCaller ? park::Event(park::CallerGone{}) : park::Event(park::PeerGone{}));
}

void ParkService::on_call_confirmed(CallId call) {
  const auto found = park_by_call_.find(call);
  if (found == park_by_call_.end()) return;
  const ParkId id = found->second;
  if (const auto retriever = find(id)->retriever_of(call)) tell(id, park::RetrieverConfirmed{*retriever});
}

void ParkService::on_call_lost(CallId call) {
  const auto found = park_by_call_.find(call);
  if (found == park_by_call_.end()) return on_call_gone(call);
  const ParkId id = found->second;
  if (const auto retriever = find(id)->retriever_of(call)) return tell(id, park::RetrieverLost{*retriever});
  on_call_gone(call);
}

void ParkService::on_extension_answered(CallId call, const MediaRemote& remote) {
  call_backs_.on_answered(call, remote);
}

void ParkService::on_call_gone(CallId call) {
  if (call_backs_.on_gone(call)) return;
  announcer_.stop(call);
  open_calls_.erase(call);
  const auto found = park_by_call_.find(call);
  if (found == park_by_call_.end()) return;
  const ParkId id = found->second;
  park_by_call_.erase(found);
  ParkedCall& parked = *find(id);
  if (parked.parker_call == call) {
    tell(id, park::ParkerCallGone{});
    if (ParkedCall* still = find(id)) still->parker_call.reset();
    return;
  }
  if (parked.announced_call == call) {
    parked.announced_call.reset();
    return tell(id, park::ParkerCallGone{});
  }
  const auto retriever = parked.retriever_of(call);
  parked.retrievers.erase(*retriever);
  tell(id, park::RetrieverGone{*retriever});
}

void ParkService::on_media_played(const std::string& session) {
  if (!call_backs_.on_played(session)) announcer_.on_played(session);
}

void ParkService::on_media_moved(const std::string& session, const MediaSnapshot& now) {
  const auto found = park_by_session_.find(session);
  if (found == park_by_session_.end()) return;
  const ParkId id = found->second;
  ParkedCall& call = *find(id);
  call.row.media->local = now.local;
  call.row.media->ssrc = now.ssrc;
  tell(id, park::MediaMoved{call.state.media_question});
}

// ---- the machine ----

ParkService::ParkedCall* ParkService::find(const ParkId& park_id) {
  const auto found = calls_.find(park_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

void ParkService::tell(const ParkId& park_id, const park::Event& event) {
  ParkedCall* call = find(park_id);
  if (!call) return;
  if (call->deciding) {
    call->waiting.push_back(event);
    return;
  }
  run(*call, park::decide(call->state, event));
}

void ParkService::run(ParkedCall& call, park::Decision decision) {
  call.deciding = true;
  for (;;) {
    report(call, decision);
    // Before the actions: what they set off at once must see the state that ordered it.
    call.state = decision.next;
    for (const park::Action& action : decision.actions) std::visit(Performer(*this, call), action);
    if (call.waiting.empty()) break;
    decision = park::decide(call.state, call.waiting.front());
    call.waiting.pop_front();
  }
  call.deciding = false;
  if (!waits_in_orbit(call.state)) call_backs_.stop(call.row.park_id);
  if (!std::holds_alternative<park::Ended>(call.state.phase)) return;
  const ParkId id = call.row.park_id;
  if (call.row.media) park_by_session_.erase(call.row.media->session);
  calls_.erase(id);
}

// ---- what is told of it ----

void ParkService::report(ParkedCall& call, const park::Decision& decision) {
  const park::State& next = decision.next;
  if (!call.waits && (is_in<park::Parked>(next) || is_in<park::Joining>(next))) {
    call.waits = call.was_parked = true;
    happened(call, ParkEventKind::kParked);
  }
  if (call.waits && is_in<park::Talking>(next)) {
    const bool was_recalled = is_in<park::Recalling>(call.state);
    happened(call, was_recalled ? ParkEventKind::kRecalled : ParkEventKind::kRetrieved,
             was_recalled ? word_for(call.state.ladder.target) : "");
    call.waits = false;
  }
  for (const park::Action& action : decision.actions) {
    const auto* removed = std::get_if<park::RemoveRow>(&action);
    if (!removed || !call.was_parked) continue;
    if (call.waits && removed->reason == park::EndReason::kGaveUp) {
      happened(call, ParkEventKind::kGaveUp);
    } else {
      happened(call, ParkEventKind::kEnded, removed->reason == park::EndReason::kTimedOut ? "timed_out" : "hung_up");
    }
  }
}

void ParkService::happened(ParkedCall& call, ParkEventKind kind, std::string how) {
  const ParkedCallRow& row = call.row;
  const bool has_somebody = kind == ParkEventKind::kRetrieved || kind == ParkEventKind::kRecalled;
  if (kind == ParkEventKind::kParked) {
    call.reported_caller = row.caller.remote_identity;
    call.reported_call_id = row.caller.call_id;
  }
  const ParkEvent event{.kind = kind,
                        .park_id = row.park_id,
                        .parked_at = row.parked_at,
                        .at = wall_now(),
                        .tenant = row.tenant,
                        .orbit = row.orbit,
                        .park_group = row.park_group,
                        .parker = row.parker,
                        .caller = call.reported_caller,
                        .sip_call_id = call.reported_call_id,
                        .by = has_somebody ? row.retriever : "",
                        .how = std::move(how)};
  metrics_
      .counter("callpark_park_events_total", "What happened to parked calls", {{"event", std::string(name_of(kind))}})
      .increment();
  events_.append(event);
  // After a take-over, and where no code retrieves, there is nothing to dial.
  const bool can_be_dialled = call.facts.range || (call.facts.code && !call.facts.code->retrieve_code.empty());
  messenger_.tell(event, can_be_dialled ? dialled_to_retrieve(call.facts, row.orbit) : "");
}

}  // namespace callpark
