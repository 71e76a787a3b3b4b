// The end of the caller's dialog and of the peer's, and of the parker's request after the park.
#include <utility>

#include "parkd/park/step.h"

namespace callpark::park {

// The caller's dialog is over.
void Step::end_without_caller() {
  if (state_.caller != CallerLeg::kOurs) return refuse_park(RefusalReason::kCallerGone);
  if (auto* joining = in<Joining>()) {
    emit(RefuseRetriever{joining->retriever, RefusalReason::kNoCallParked});
  } else if (auto* confirming = in<Confirming>()) {
    emit(EndRetriever{confirming->retriever});
  } else if (auto* replacing = in<Replacing>()) {
    emit(RefuseRetriever{replacing->retriever, RefusalReason::kCallerGone});
  } else if (in<Transferring>() || in<Connecting>()) {
    emit(RefuseTransfer{}, EndTarget{});
  } else if (in<Recalling>()) {
    emit(EndTarget{});
  }
  stop_recall();
  const bool waited = in<Parked>() || in<Joining>() || in<Recalling>() || in<Recording>();
  end_call(waited ? EndReason::kGaveUp : EndReason::kHungUp);
}

// The caller has no other party.
void Step::end_without_peer() {
  emit(EndCaller{});
  end_call(EndReason::kHungUp);
}

void Step::end_call(EndReason reason) {
  withdraw_stay();
  refuse_parker(RefusalReason::kCallerGone);
  if (std::exchange(state_.request, Request::kNone) == Request::kAnnouncing) emit(EndAnnouncement{});
  end_peer();
  close_media();
  emit(RemoveRow{reason});
  state_.orbit = Orbit::kFree;
  state_.phase = Ended{};
  emit(Dismiss{});
}

void Step::end_peer() {
  if (state_.peer == PeerLeg::kGone) return;
  state_.peer = PeerLeg::kGone;
  emit(EndPeer{});
}

void Step::stop_recall() {
  if (in<Parked>()) apply(recall::stop(recall_state()));
}

// A retriever comes: what is left of the parker's side ends now, for the place of the peer is about to be another's.
// An announcement that is still being played may be heard to its end.
void Step::release_parker() {
  if (state_.request == Request::kReferDone) {
    state_.request = Request::kNone;
    emit(StopTimer{Timer::kParkerBye});
  }
  end_peer();
}

// The parker's feature call is over: what is left of the call that it parked ends too. While the caller talks, the peer
// is another party, the retriever.
void Step::release_announced_parker() {
  state_.request = Request::kNone;
  const bool talks = in<Talking>() || in<Transferring>() || in<Connecting>() || in<Replacing>() || in<Restoring>();
  if (!talks) end_peer();
}

void Step::end_announcement() {
  if (state_.request != Request::kAnnouncing) return;
  emit(EndAnnouncement{});
  release_announced_parker();
}

void Step::conclude_attended_transfer() {
  if (state_.request != Request::kAnnouncing) return;
  emit(EndAnnouncement{}, ConcludeReferral{}, StartTimer{Timer::kParkerBye});
  state_.request = Request::kReferDone;
}

void Step::end_missing_parker_bye() {
  if (state_.request != Request::kReferDone) return;
  end_peer();
  call_parker_back();
}

// The parker's transfer is over, and its phone is free.
void Step::call_parker_back() {
  state_.request = Request::kNone;
  if (!in<Parked>() || state_.learns_orbit == ParkerLearnsOrbit::kItself) return;
  state_.learns_orbit = ParkerLearnsOrbit::kItself;
  emit(CallParkerBack{});
}

}  // namespace callpark::park
