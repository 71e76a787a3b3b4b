#include "parkd/service/park_service.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/match.h"

namespace callpark {
namespace {

constexpr const char* kNoOrbit = "-";         // no call is ever parked there
constexpr Duration kParkPatience{4000};       // of a retriever
constexpr int kTemporarilyUnavailable = 480;  // of a transfer that ends before its target answers or refuses

park::RefusalReason reason_of(ClaimCallFailure failure) {
  switch (failure) {
    case ClaimCallFailure::kNoneParked:
      return park::RefusalReason::kNoCallParked;
    case ClaimCallFailure::kAlreadyPickedUp:
      return park::RefusalReason::kAlreadyPickedUp;
    case ClaimCallFailure::kUnavailable:
      break;
  }
  return park::RefusalReason::kUnavailable;
}

park::ParkAsked park_asked(park::Request request, const ParkTerms& terms) {
  return {request, terms.recall.policy(), terms.learns_orbit};
}

}  // namespace

ParkService::ParkService(const ServicePorts& ports, Announcer& announcer, Refusals& refusals,
                         const ParkSettings& settings)
    : ports_(ports),
      refusals_(refusals),
      settings_(settings),
      loop_(ports, calls_, announcer, refusals, settings),
      retrieves_limited_(ports.metrics.counter("callpark_retrieves_limited_total",
                                               "Retrieves after too many empty orbits within a minute")) {
  loop_.set_on_decided([this] { claim_what_is_parked(); });
}

// ---- commands ----

void ParkService::execute(const GrantedCommand& command) {
  std::visit([this](const auto& granted) { perform(granted); }, command);
}

void ParkService::perform(const ParkHeld& command) {
  // RFC 3264 8: an offer in a session that is not known has the wrong lines.
  if (command.dialog.is_too_long) {
    return refusals_.refuse(command.call, park::RefusalReason::kTooLong, command.terms.language);
  }
  const auto conversation = ports_.conversations.adopt(command.dialog);
  if (!conversation) {
    return refusals_.refuse(command.call, park::RefusalReason::kNoHeldCall, command.terms.language);
  }
  LiveCall& call = add(command.park_id, *conversation, command.dialog.caller, command.terms);
  wait_for_answer(call, command.call);
  loop_.begin(call, park::Request::kCall);
}

void ParkService::perform(const ParkReferred& command) {
  if (command.dialog.is_too_long) return refusals_.refuse(command.referral, park::RefusalReason::kTooLong);
  const auto conversation = ports_.conversations.adopt(command.dialog);
  if (!conversation) return refusals_.refuse(command.referral, park::RefusalReason::kCallerGone);
  LiveCall& call = add(command.park_id, *conversation, command.dialog.caller, command.terms);
  call.referral = command.referral;
  loop_.begin(call, park::Request::kRefer);
}

void ParkService::perform(const ParkAgain& command) {
  LiveCall& call = *calls_.find(command.conversation);
  make_asker_peer(call, command.asker, command.terms.parker);
  const DialogSnapshot caller = ports_.conversations.snapshot(call.conversation).caller;
  call.stays.propose({propose_stay(command.terms, caller, wall_now()), command.terms});
  call.segments.permit_park(command.terms.permission);
  const ParkId id = call.values.park_id;
  std::visit(overloaded{[&](CallId parker) {
                          wait_for_answer(call, parker);
                          loop_.feed(id, park_asked(park::Request::kCall, command.terms));
                        },
                        [&](ReferralId referral) {
                          call.referral = referral;
                          loop_.feed(id, park_asked(park::Request::kRefer, command.terms));
                        }},
             command.request);
}

void ParkService::perform(const Transfer& command) {
  LiveCall& call = *calls_.find(command.conversation);
  make_asker_peer(call, command.asker, command.referrer);
  call.referral = command.referral;
  call.transfer = {command.number, command.replaces, command.contact};
  call.target_status = kTemporarilyUnavailable;
  ports_.referrals.accept(command.referral);
  loop_.feed(ParkId(call.values.park_id), park::TransferAsked{});
}

void ParkService::perform(const EndConsultation& command) {
  LiveCall& call = *calls_.find(command.conversation);
  call.referral = command.referral;
  loop_.feed(ParkId(call.values.park_id), park::ParkerReferred{});
}

void ParkService::perform(const Retrieve& command) {
  claiming_.insert(command.call);
  const bool is_limited = command.request.misses_max != 0;
  const bool is_admitted = !is_limited || may_still_miss(command);
  // The database is asked all the same: neither the answer nor its time shows whether a call is parked there.
  RetrieveRequest request = is_admitted ? command.request : RetrieveRequest{{kNoOrbit}, "", 0};
  claim({command, std::move(request), is_limited && is_admitted});
}

void ParkService::claim(const Claim& claim) {
  const bool was_being_parked = calls_.is_being_parked(claim.retrieve.tenant, claim.request);
  ports_.store.claim_call(
      claim.retrieve.tenant, claim.request, claim.retrieve.retriever,
      [this, claim, was_being_parked](const Result<ParkedCallRow, ClaimCallFailure>& won) {
        if (won) {
          on_claimed(claim, *won);
        } else if (won.error() == ClaimCallFailure::kUnavailable || !waits_for_park(claim, was_being_parked)) {
          on_not_claimed(claim, won.error());
        }
      });
}

void ParkService::on_not_claimed(const Claim& claim, ClaimCallFailure why) {
  if (claim.counts && why != ClaimCallFailure::kNoneParked) misses_.forgive(*extension_in(claim.retrieve.retriever));
  if (claiming_.erase(claim.retrieve.call) == 0) return;
  refusals_.refuse(claim.retrieve.call, reason_of(why), claim.retrieve.language);
}

// A retriever may know the number before the caller has accepted the music. A caller that is slow to accept it is no
// reason to leave the retriever without an answer.
bool ParkService::waits_for_park(const Claim& claim, bool was_being_parked) {
  const CallId retriever = claim.retrieve.call;
  if (!claiming_.contains(retriever)) return false;
  if (calls_.is_being_parked(claim.retrieve.tenant, claim.request)) {
    waiting_.push_back({claim, ports_.loop.after(kParkPatience, [this, retriever] { refuse_waiting(retriever); })});
    return true;
  }
  if (was_being_parked) this->claim(claim);
  return was_being_parked;
}

void ParkService::claim_what_is_parked() {
  if (waiting_.empty()) return;
  const auto settled = std::stable_partition(waiting_.begin(), waiting_.end(), [this](const Waiting& waiting) {
    return calls_.is_being_parked(waiting.claim.retrieve.tenant, waiting.claim.request);
  });
  std::vector<Waiting> ready(std::make_move_iterator(settled), std::make_move_iterator(waiting_.end()));
  waiting_.erase(settled, waiting_.end());
  for (const Waiting& each : ready) {
    if (claiming_.contains(each.claim.retrieve.call)) claim(each.claim);
  }
}

void ParkService::refuse_waiting(CallId retriever) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [retriever](const Waiting& waiting) {
    return waiting.claim.retrieve.call == retriever;
  });
  const Claim claim = std::move(found->claim);
  waiting_.erase(found);
  on_not_claimed(claim, ClaimCallFailure::kNoneParked);
}

bool ParkService::may_still_miss(const Retrieve& command) {
  const Extension* extension = extension_in(command.retriever);
  if (!extension) return true;
  const auto verdict = misses_.admit(*extension, command.request.misses_max, monotonic_now());
  if (verdict == MissLimit::Verdict::kAdmitted) return true;
  if (verdict == MissLimit::Verdict::kBegins) {
    log_warning("", "{} has dialled {} empty orbits within a minute, and finds no call for now", aor_of(*extension),
                command.request.misses_max);
  }
  retrieves_limited_.increment();
  return false;
}

void ParkService::on_claimed(const Claim& claim, const ParkedCallRow& won) {
  const Retrieve& command = claim.retrieve;
  if (claim.counts) misses_.forgive(*extension_in(command.retriever));
  LiveCall* found = calls_.find(won.park_id);
  LiveCall& call = found ? *found : restore(won, park::Found::kParked);
  // The retriever has cancelled while the database was claiming the row.
  if (claiming_.erase(command.call) == 0) return ports_.store.unclaim_call(won.park_id);
  call.stays.now().stay.retriever = won.retriever;
  call.segments.permit_retrieve(command.permission);
  calls_.assign(command.call, won.park_id);
  loop_.feed(won.park_id, park::CallClaimed{call.admit(command.call, command.retriever, command.language)});
}

void ParkService::perform(const TakePlace& command) {
  LiveCall& call = *calls_.find(command.conversation);
  calls_.assign(command.call, call.values.park_id);
  const park::Retriever retriever = call.admit(command.call, command.retriever, call.stays.now().terms.language);
  loop_.feed(ParkId(call.values.park_id), park::ReplacementAsked{retriever});
}

LiveCall& ParkService::add(const ParkId& park_id, ConversationId conversation, const DialogSnapshot& caller,
                           const ParkTerms& terms) {
  CallValues values;
  values.park_id = park_id;
  values.tenant = terms.parker.tenant;
  values.owner = settings_.node_name;
  LiveCall& call = calls_.add(std::make_unique<LiveCall>(std::move(values), conversation,
                                                         GrantedStay{propose_stay(terms, caller, wall_now()), terms}));
  call.segments.permit_park(terms.permission);
  return call;
}

void ParkService::wait_for_answer(LiveCall& call, CallId parker) {
  call.parker_call = LiveCall::ParkerCall{parker, call.stays.now().terms.language};
  calls_.assign(parker, call.values.park_id);
}

// To the machine the caller is the party that is parked, and the peer the party that asks. In a talk either may ask:
// which of the two was parked once makes no difference any more.
void ParkService::make_asker_peer(LiveCall& call, PartyEnd asker, const Extension& extension) {
  if (asker == PartyEnd::kPeer) return;
  ports_.conversations.swap_parties(call.conversation);
  call.segments.swap_parties();
  call.stays.now().stay.retriever = extension;
}

std::optional<BilledCall> ParkService::call_to_retrieve(const std::string& tenant, const RetrieveRequest& request,
                                                        const Party& retriever) const {
  const Extension* extension = extension_in(retriever);
  const bool is_limited = request.misses_max != 0 && extension;
  if (is_limited && misses_.is_reached(*extension, request.misses_max, monotonic_now())) return std::nullopt;
  const LiveCall* call = calls_.find_parked(tenant, request);
  if (!call) return std::nullopt;
  return parked_call(call->values.park_id, ports_.conversations.snapshot(call->conversation).caller,
                     call->stays.now().stay);
}

// ---- reports about conversations ----

void ParkService::on_offer_accepted(ConversationId conversation, park::Question question,
                                    const std::optional<MediaRemote>& music) {
  LiveCall* call = calls_.find(conversation);
  if (!call) return;
  if (music) on_caller_media_changed(conversation, *music);
  loop_.feed(ParkId(call->values.park_id), park::CallerAccepted{question});
}

void ParkService::on_offer_refused(ConversationId conversation, park::Question question, park::RefusalReason reason,
                                   bool changed) {
  LiveCall* call = calls_.find(conversation);
  if (call) loop_.feed(ParkId(call->values.park_id), park::CallerRefused{question, changed, reason});
}

void ParkService::on_caller_media_changed(ConversationId conversation, const MediaRemote& music) {
  LiveCall* call = calls_.find(conversation);
  if (!call || !call->values.media) return;
  call->values.media->remote = music;
  ports_.media.connect(call->values.media->session, music);
}

void ParkService::on_party_gone(ConversationId conversation, PartyEnd party) {
  LiveCall* call = calls_.find(conversation);
  if (!call) return;
  loop_.feed(ParkId(call->values.park_id),
             party == PartyEnd::kCaller ? park::Event(park::CallerGone{}) : park::Event(park::PeerGone{}));
}

void ParkService::on_media_moved(const std::string& session, const MediaSnapshot& now) {
  LiveCall* call = calls_.find_session(session);
  if (!call) return;
  call->values.media->local = now.local;
  call->values.media->ssrc = now.ssrc;
  loop_.feed(ParkId(call->values.park_id), park::MediaMoved{call->state.media_question});
}

// ---- reports about calls ----

void ParkService::on_call_answered(CallId id, const std::optional<MediaRemote>& remote) {
  if (loop_.call_backs().on_answered(id, remote)) return;
  LiveCall* call = calls_.find(id);
  if (call && call->target) loop_.feed(ParkId(call->values.park_id), park::TargetAnswered{call->target->question});
}

void ParkService::on_call_refused(CallId id, int status) {
  if (loop_.call_backs().on_gone(id)) return;
  LiveCall* call = calls_.find(id);
  if (!call || !call->target) return;
  calls_.release(id);
  const park::Question question = std::exchange(call->target, std::nullopt)->question;
  call->target_status = status;
  loop_.feed(ParkId(call->values.park_id), park::TargetRefused{question});
}

void ParkService::on_call_confirmed(CallId id) {
  LiveCall* call = calls_.find(id);
  const auto retriever = call ? call->retriever_of(id) : std::nullopt;
  if (retriever) loop_.feed(ParkId(call->values.park_id), park::RetrieverConfirmed{*retriever});
}

void ParkService::on_call_lost(CallId id) {
  LiveCall* call = calls_.find(id);
  const auto retriever = call ? call->retriever_of(id) : std::nullopt;
  if (!retriever) return on_call_gone(id);
  loop_.feed(ParkId(call->values.park_id), park::RetrieverLost{*retriever});
}

void ParkService::on_call_gone(CallId id) {
  if (loop_.call_backs().on_gone(id)) return;
  claiming_.erase(id);
  LiveCall* call = calls_.find(id);
  if (!call) return;
  const ParkId park_id = call->values.park_id;
  if (const auto retriever = call->retriever_of(id)) {
    calls_.release(id);
    call->retrievers.erase(*retriever);
    return loop_.feed(park_id, park::RetrieverGone{*retriever});
  }
  if (call->announced_call == id) {
    calls_.release(id);
    call->announced_call.reset();
    return loop_.feed(park_id, park::ParkerCallGone{});
  }
  if (!call->parker_call || call->parker_call->call != id) return;
  calls_.release(id);
  loop_.feed(park_id, park::ParkerCallGone{});  // the machine may keep the adoption that came with the call
  if (LiveCall* still = calls_.find(park_id)) still->parker_call.reset();
}

}  // namespace callpark
