#include "parkd/service/action_runner.h"

#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/service/call_times.h"

namespace callpark {
namespace {

park::RefusalReason reason_of(ClaimOrbitFailure failure) {
  switch (failure) {
    case ClaimOrbitFailure::kTaken:
      return park::RefusalReason::kOrbitTaken;
    case ClaimOrbitFailure::kTooManyParked:
      return park::RefusalReason::kTooManyParked;
    case ClaimOrbitFailure::kTooManyOfParker:
      return park::RefusalReason::kTooManyOfParker;
    case ClaimOrbitFailure::kUnavailable:
      break;
  }
  return park::RefusalReason::kUnavailable;
}

Announcement orbit_announcement(const GrantedStay& granted) {
  return {granted.terms.language,
          {Announcement::Prompt{"call_parked"},
           Announcement::Digits{granted.terms.retrieve_code.value_or("") + granted.stay.orbit}}};
}

// A parker that picks up a receiver may miss the beginning.
Announcement twice(Announcement announcement) {
  const auto once = announcement.list;
  announcement.list.insert(announcement.list.end(), once.begin(), once.end());
  return announcement;
}

CallBack call_back_of(const LiveCall& call, const ParkSettings& settings) {
  const GrantedStay& granted = call.stays.now();
  CallBack call_back{{call.values.tenant, granted.stay.parker},
                     "Call park",
                     "park",
                     twice(orbit_announcement(granted)),
                     settings.call_back_ring_max,
                     settings.announcement_max};
  if (granted.terms.call_back_shows_orbit) {
    call_back.display = "Parked at " + granted.stay.orbit;
    call_back.number = granted.terms.retrieve_code.value_or("") + granted.stay.orbit;
  }
  return call_back;
}

}  // namespace

ActionRunner::ActionRunner(const ServicePorts& ports, CallTable& calls, Announcer& announcer, CallBacks& call_backs,
                           Refusals& refusals, const ParkSettings& settings, FeedEvent feed)
    : ports_(ports),
      calls_(calls),
      announcer_(announcer),
      call_backs_(call_backs),
      refusals_(refusals),
      settings_(settings),
      feed_(std::move(feed)) {}

void ActionRunner::run(LiveCall& call, const park::Action& action) {
  std::visit([&](const auto& one) { perform(call, one); }, action);
}

// ---- the database ----

void ActionRunner::perform(LiveCall& call, const park::ClaimOrbit& action) {
  ports_.store.claim_orbit(
      row(call, RowState::kAdopting), call.stays.now().terms.orbit,
      [this, id = call.values.park_id, question = action.question](Result<ClaimedOrbit, ClaimOrbitFailure> claimed) {
        on_orbit_claimed(id, question, std::move(claimed));
      });
}

void ActionRunner::on_orbit_claimed(const ParkId& park_id, park::Question question,
                                    Result<ClaimedOrbit, ClaimOrbitFailure> claimed) {
  LiveCall* call = calls_.find(park_id);
  if (!call) return;
  if (!claimed) return feed_(park_id, park::OrbitRefused{question, reason_of(claimed.error())});
  Stay& stay = call->stays.now().stay;
  stay.orbit = claimed->orbit;
  stay.slot = claimed->slot;
  feed_(park_id, park::OrbitClaimed{question});
}

void ActionRunner::perform(LiveCall& call, const park::WriteParked& action) {
  ports_.store.write(
      row(call, RowState::kParked), [this, id = call.values.park_id, question = action.question,
                                     last_ended = call.segments.last_ended()](Result<void, StoreUnavailable> written) {
        LiveCall* const live = calls_.find(id);
        if (live && written) live->segments.forget(last_ended);
        feed_(id, written ? park::Event(park::RowWritten{question}) : park::Event(park::RowNotWritten{question}));
      });
}

void ActionRunner::perform(LiveCall& call, const park::UnclaimCall&) {
  call.stays.now().stay.retriever.reset();
  ports_.store.unclaim_call(call.values.park_id);
}

void ActionRunner::write_without_orbit(LiveCall& call) {
  ports_.store.write_retrieved(row(call, RowState::kRetrieved));
  call.segments.forget(call.segments.last_ended());  // the store repeats the write until it is done
  call.stays.now().stay.orbit.clear();
}

void ActionRunner::perform(LiveCall& call, const park::RemoveRow& action) {
  ports_.store.remove(call.values.park_id, action.reason, call.segments.ended());
}

void ActionRunner::perform(LiveCall& call, const park::ClaimForTarget& action) {
  call.stays.now().stay.retriever = ports_.calls.party(call.target->call);
  ParkedCallRow won = row(call, RowState::kParked);
  won.peer = ports_.calls.snapshot(call.target->call);
  ports_.store.claim_for_target(std::move(won), [this, id = call.values.park_id,
                                                 question = action.question](Result<void, ClaimCallFailure> claimed) {
    feed_(id, claimed ? park::Event(park::RecallClaimed{question}) : park::Event(park::RecallNotClaimed{question}));
  });
}

ParkedCallRow ActionRunner::row(const LiveCall& call, RowState state) const {
  ParkedCallRow row = row_of(call.values, state, call.stays.now().stay, call.state.recall_progress,
                             ports_.conversations.snapshot(call.conversation));
  row.segment = call.segments.open();
  row.ended_segments = call.segments.ended();
  return row;
}

// ---- music ----

void ActionRunner::perform(LiveCall& call, const park::OpenMedia& action) {
  const std::optional<MediaSnapshot> again = std::move(call.values.media);
  const std::string session = again ? again->session : "park-" + random_token(16);
  call.values.media =
      MediaSnapshot{.session = session, .local = {}, .ssrc = 0, .remote = again ? again->remote : std::nullopt};
  calls_.assign_session(session, call.values.park_id);
  ports_.media.open(session, Music{call.stays.now().stay.music_class}, again,
                    [this, id = call.values.park_id, session,
                     question = action.question](Result<MediaSnapshot, MediaUnavailable> opened) {
                      on_media_opened(id, session, question, std::move(opened));
                    });
}

void ActionRunner::on_media_opened(const ParkId& park_id, const std::string& session, park::Question question,
                                   Result<MediaSnapshot, MediaUnavailable> opened) {
  LiveCall* call = calls_.find(park_id);
  if (!call || !call->values.media || call->values.media->session != session) return;  // closed meanwhile
  if (!opened) return feed_(park_id, park::MediaFailed{question});
  const std::optional<MediaRemote> remote = call->values.media->remote;
  call->values.media = *opened;
  call->values.media->remote = remote;
  feed_(park_id, park::MediaOpened{question});
}

void ActionRunner::perform(LiveCall& call, const park::CloseMedia&) {
  const auto media = std::exchange(call.values.media, std::nullopt);
  if (!media) return;
  calls_.release_session(media->session);
  ports_.media.close(media->session);
}

// ---- the conversation ----

void ActionRunner::perform(LiveCall& call, const park::OfferMusic& action) {
  ports_.conversations.offer_to_caller(call.conversation, action.question,
                                       callpark::OfferMusic{call.values.media->local});
}

void ActionRunner::perform(LiveCall& call, const park::OfferRetriever& action) {
  ports_.conversations.offer_to_caller(call.conversation, action.question,
                                       OfferCall{call.retrievers.at(action.retriever).call});
}

void ActionRunner::perform(LiveCall& call, const park::OfferPeer& action) {
  ports_.conversations.offer_to_caller(call.conversation, action.question, callpark::OfferPeer{});
}

void ActionRunner::perform(LiveCall& call, const park::OfferTarget& action) {
  ports_.conversations.offer_to_caller(call.conversation, action.question, OfferCall{call.target->call});
}

void ActionRunner::perform(LiveCall& call, const park::EndCaller&) {
  ports_.conversations.end(call.conversation, PartyEnd::kCaller);
}

void ActionRunner::perform(LiveCall& call, const park::EndPeer&) {
  ports_.conversations.end(call.conversation, PartyEnd::kPeer);
}

void ActionRunner::perform(LiveCall& call, const park::Bridge&) {
  ports_.conversations.set_bridged(call.conversation, true);
}

void ActionRunner::perform(LiveCall& call, const park::Unbridge&) {
  ports_.conversations.set_bridged(call.conversation, false);
}

// The call itself is removed by ParkLoop after the last action.
void ActionRunner::perform(LiveCall& call, const park::Dismiss&) {
  ports_.conversations.forget(call.conversation);
}

// ---- the parker's request ----

void ActionRunner::perform(LiveCall& call, const park::AcceptReferral&) {
  ports_.referrals.accept(*call.referral);
}

void ActionRunner::perform(LiveCall& call, const park::RefuseReferral& action) {
  refusals_.refuse(*std::exchange(call.referral, std::nullopt), action.reason);
}

void ActionRunner::conclude(LiveCall& call, int status, const std::string& reason) {
  const auto referral = std::exchange(call.referral, std::nullopt);
  if (referral) ports_.referrals.conclude(*referral, status, reason);
}

void ActionRunner::perform(LiveCall& call, const park::AnnounceOrbit&) {
  call.announced_call = std::exchange(call.parker_call, std::nullopt)->call;
  announcer_.announce(*call.announced_call, orbit_announcement(call.stays.now()), Calls::Answer::kFinal,
                      settings_.announcement_max,
                      [this, id = call.values.park_id] { feed_(id, park::AnnouncementPlayed{}); });
}

void ActionRunner::perform(LiveCall& call, const park::RefuseParkerCall& action) {
  const LiveCall::ParkerCall parker = *std::exchange(call.parker_call, std::nullopt);
  calls_.release(parker.call);
  refusals_.refuse(parker.call, action.reason, parker.language);
}

void ActionRunner::perform(LiveCall& call, const park::EndAnnouncement&) {
  const auto announced = std::exchange(call.announced_call, std::nullopt);
  if (!announced) return;
  calls_.release(*announced);
  announcer_.stop(*announced);
  ports_.calls.hang_up(*announced);
}

void ActionRunner::perform(LiveCall& call, const park::KeepAdoption&) {
  ports_.calls.settle_adoption(call.parker_call->call, Calls::Adoption::kKept);
}

void ActionRunner::perform(LiveCall& call, const park::CallParkerBack&) {
  call_backs_.start(call.values.park_id, call_back_of(call, settings_));
}

// ---- retrievers ----

void ActionRunner::perform(LiveCall& call, const park::AnswerRetriever& action) {
  ports_.calls.answer_with_caller(call.retrievers.at(action.retriever).call, call.conversation);
}

void ActionRunner::perform(LiveCall& call, const park::RefuseRetriever& action) {
  const LiveCall::Retriever refused = dismiss(call, action.retriever);
  refusals_.refuse(refused.call, action.reason, refused.language);
}

void ActionRunner::perform(LiveCall& call, const park::EndRetriever& action) {
  ports_.calls.hang_up(dismiss(call, action.retriever).call);
}

void ActionRunner::perform(LiveCall& call, const park::MakePeer& action) {
  const LiveCall::Retriever peer = dismiss(call, action.retriever);
  set_peer(call, peer.call, peer.party);
}

LiveCall::Retriever ActionRunner::dismiss(LiveCall& call, park::Retriever retriever) {
  const auto node = call.retrievers.extract(retriever);
  calls_.release(node.mapped().call);
  return node.mapped();
}

void ActionRunner::set_peer(LiveCall& call, CallId peer, const Party& party) {
  ++call.pairing;
  call.stays.now().stay.retriever = party;
  ports_.conversations.make_peer(call.conversation, peer);
}

// ---- targets ----

void ActionRunner::perform(LiveCall& call, const park::CallTarget& action) {
  start_target(
      call, action.question, call.transfer.number,
      {.conversation = call.conversation, .replaces = call.transfer.replaces, .contact = call.transfer.contact});
}

void ActionRunner::perform(LiveCall& call, const park::CallRecallTarget& action) {
  const Stay& stay = call.stays.now().stay;
  const std::string number = number_of(action.target, stay);
  log_info(call.sip_call_id(), "parked at {} of {} and not retrieved: calling {}", stay.orbit, call.values.tenant,
           number);
  call_backs_.stop(call.values.park_id);
  start_target(call, action.question, number,
               {.conversation = call.conversation,
                .recall = OutgoingCall::InNameOfCaller::Recall{call.values.park_id, stay.orbit, stay.shown_name}});
}

void ActionRunner::start_target(LiveCall& call, park::Question question, const std::string& number,
                                OutgoingCall::InNameOfCaller from) {
  const CallId started = ports_.calls.start({.tenant = call.values.tenant, .number = number, .from = std::move(from)});
  call.target = LiveCall::Target{started, question};
  calls_.assign(started, call.values.park_id);
}

void ActionRunner::perform(LiveCall& call, const park::EndTarget&) {
  const auto target = std::exchange(call.target, std::nullopt);
  if (!target) return;
  calls_.release(target->call);
  ports_.calls.hang_up(target->call);
}

void ActionRunner::perform(LiveCall& call, const park::MakeTargetPeer&) {
  const LiveCall::Target target = *std::exchange(call.target, std::nullopt);
  calls_.release(target.call);
  set_peer(call, target.call, ports_.calls.party(target.call));
}

// ---- time ----

void ActionRunner::perform(LiveCall& call, const park::SetRecallDeadline& action) {
  Stay& stay = call.stays.now().stay;
  stay.recall_deadline =
      wall_now() + recall_wait(action.wait, call.state.recall_progress.target, stay.recall, settings_);
}

void ActionRunner::perform(LiveCall& call, const park::StartTimer& action) {
  const Duration duration = duration_of(action.timer, call.stays.now().stay, settings_, wall_now());
  call.timers[action.timer] = ports_.loop.after(
      duration, [this, id = call.values.park_id, timer = action.timer] { feed_(id, park::TimerFired{timer}); });
}

}  // namespace callpark
