// From the parker's request to the written row: the orbit and the music are gathered, the caller is re-INVITEd to the
// music, the row is completed. Or back: refused, or returned to the parker.
#include "parkd/park/step.h"

namespace callpark::park {

void Step::begin(Request request, ParkerLearnsOrbit learns_orbit) {
  if (state_.request == Request::kAnnouncing) emit(EndAnnouncement{});
  state_.request = request;
  state_.learns_orbit = learns_orbit;
  state_.recall_progress = {};
  state_.orbit = Orbit::kClaiming;
  const Question claim = ask();
  state_.phase = Gathering{claim};
  emit(ClaimOrbit{claim});
  open_media();
}

void Step::on(const Gathering& gathering, const OrbitClaimed& event) {
  if (gathering.claim != event.question) return;
  state_.orbit = Orbit::kHeld;
  adopt_when_gathered();
}

void Step::on(const Gathering& gathering, const OrbitRefused& event) {
  if (gathering.claim != event.question) return;
  state_.orbit = Orbit::kFree;
  refuse_park(event.reason);
}

void Step::on(const Gathering&, const MediaOpened&) {
  adopt_when_gathered();
}

void Step::on(const Gathering&, const MediaFailed&) {
  refuse_park(RefusalReason::kUnavailable);
}

void Step::on(const Gathering&, const ParkerCallGone&) {
  if (state_.request != Request::kCall) return;
  // The parker has not heard that the call is parked, and finds it where it was.
  state_.request = Request::kNone;
  refuse_park(RefusalReason::kGivenUp);
}

void Step::adopt_when_gathered() {
  if (state_.orbit != Orbit::kHeld || state_.media != Media::kOpen) return;
  if (state_.caller == CallerLeg::kOurs) {
    emit(Unbridge{});
  } else {
    state_.caller = CallerLeg::kAsked;
  }
  // A refusal until now is the answer to the REFER, and the dialog is as it was.
  if (state_.request == Request::kRefer) emit(AcceptReferral{});
  const Question offer = ask();
  state_.phase = Adopting{offer};
  emit(OfferMusic{offer});
}

void Step::on(const Adopting&, const MediaMoved&) {
  const Question offer = ask();
  state_.phase = Adopting{offer};
  emit(OfferMusic{offer});
}

void Step::on(const Adopting& adopting, const CallerAccepted& event) {
  // Also by an answer to an earlier offer: the dialog is parkd's as soon as the caller has accepted any.
  state_.caller = CallerLeg::kOurs;
  if (adopting.offer != event.question) return;
  if (state_.request == Request::kNone) return return_to_peer(RefusalReason::kGivenUp);
  const Question write = ask();
  state_.phase = Recording{write};
  emit(WriteParked{write});
}

void Step::on(const Adopting& adopting, const CallerRefused& event) {
  if (event.changed) state_.caller = CallerLeg::kOurs;
  if (adopting.offer != event.question) return;
  if (state_.caller == CallerLeg::kAsked) return keep_between(event.reason);
  return_to_peer(event.reason);
}

void Step::on(const Adopting&, const ParkerCallGone&) {
  if (state_.request != Request::kCall) return;
  // The caller is being asked already; its answer decides how the call goes back.
  state_.request = Request::kNone;
  emit(KeepAdoption{});
}

void Step::on(const Adopting&, const CallClaimed& event) {
  emit(RefuseRetriever{event.retriever, RefusalReason::kNoCallParked}, UnclaimCall{});
}

void Step::on(const Recording&, const MediaMoved&) {
  const Question offer = ask();
  state_.phase = Adopting{offer};
  emit(OfferMusic{offer});
}

void Step::on(const Recording& recording, const RowWritten& event) {
  if (recording.write != event.question) return;
  state_.phase = Parked{};
  commit_stay();
  emit(StartTimer{Timer::kGiveUp});
  apply(recall::begin(recall_state()));
  if (state_.request == Request::kRefer) {
    emit(ConcludeReferral{});
    if (state_.peer == PeerLeg::kGone) return call_parker_back();
    emit(StartTimer{Timer::kParkerBye});
    state_.request = Request::kReferDone;
  } else if (state_.request == Request::kCall) {
    emit(AnnounceOrbit{});
    state_.learns_orbit = ParkerLearnsOrbit::kItself;
    state_.request = Request::kAnnouncing;
  } else {
    end_peer();
  }
}

void Step::on(const Recording& recording, const RowNotWritten& event) {
  if (recording.write == event.question) return_to_peer(RefusalReason::kUnavailable);
}

void Step::on(const Recording&, const ParkerCallGone&) {
  if (state_.request != Request::kCall) return;
  state_.request = Request::kNone;
  emit(KeepAdoption{});
  return_to_peer(RefusalReason::kGivenUp);
}

void Step::on(const Recording& recording, const CallClaimed& event) {
  // The row could be won, so it is written, even if the answer to that is still on its way.
  on(recording, RowWritten{recording.write});
  on(Parked{}, event);
}

void Step::on(const Returning& returning, const CallerAccepted& event) {
  if (returning.offer != event.question) return;
  close_media();
  withdraw_stay();
  emit(FreeOrbit{}, Bridge{});
  state_.orbit = Orbit::kFree;
  state_.phase = Talking{};
}

void Step::on(const Returning& returning, const CallerRefused& event) {
  if (returning.offer != event.question) return;
  commit_stay();
  emit(UnclaimCall{});
  wait_with_music();
}

void Step::on(const Returning&, const PeerGone&) {
  commit_stay();
  emit(UnclaimCall{});
  wait_with_music();
}

// The parker's request is refused, and the call is what it was before.
void Step::refuse_park(RefusalReason reason) {
  withdraw_stay();
  refuse_parker(reason);
  close_media();
  if (state_.caller == CallerLeg::kOurs) {
    if (state_.peer == PeerLeg::kGone) return end_without_peer();
    if (state_.orbit != Orbit::kFree) emit(FreeOrbit{});
    state_.orbit = Orbit::kFree;
    state_.phase = Talking{};
    return;
  }
  if (state_.orbit != Orbit::kFree) emit(RemoveRow{EndReason::kRefused});
  state_.orbit = Orbit::kFree;
  if (reason == RefusalReason::kCallerGone) {
    // parkd has asked the caller, and with a REFER has sent NOTIFYs to the parker in the caller's name: the parker
    // refuses the caller's own BYE, which has a lower CSeq (RFC 3261 12.2.2), or there is none.
    if (state_.caller == CallerLeg::kAsked) end_peer();
  } else if (state_.peer == PeerLeg::kGone) {
    // The parker has hung up before the refusal: its BYE, which parkd kept back, means the end of the call.
    emit(EndCaller{});
  }
  state_.phase = Ended{};
  emit(Dismiss{});
}

// The caller has refused the music, so that its session is what it was. But the CSeq of parkd's has passed the
// parker's: the parker's phone could not go on in the dialog by itself, and parkd stays between the two.
void Step::keep_between(RefusalReason reason) {
  withdraw_stay();
  refuse_parker(reason);
  close_media();
  if (state_.peer == PeerLeg::kGone) return end_without_peer();
  emit(FreeOrbit{}, Bridge{});
  state_.caller = CallerLeg::kOurs;
  state_.orbit = Orbit::kFree;
  state_.phase = Talking{};
}

// The caller is parkd's and hears music, but the park has failed: the caller goes back to the parker. If the parker is
// gone, the caller is parked after all, for want of anything better.
void Step::return_to_peer(RefusalReason reason) {
  if (state_.peer == PeerLeg::kGone) commit_stay();
  refuse_parker(reason);
  if (state_.peer == PeerLeg::kGone) {
    emit(UnclaimCall{});  // repeated until the database is back
    return wait_with_music();
  }
  const Question offer = ask();
  state_.phase = Returning{offer};
  emit(OfferPeer{offer});
}

void Step::refuse_parker(RefusalReason reason) {
  if (state_.request == Request::kRefer) {
    emit(RefuseReferral{reason});
  } else if (state_.request == Request::kCall) {
    // If parkd has asked the caller, the dialog needs parkd between the two, unless it ends.
    const bool stays_between = state_.caller == CallerLeg::kOurs ||
                               (state_.caller == CallerLeg::kAsked && reason != RefusalReason::kCallerGone);
    if (stays_between) emit(KeepAdoption{});
    emit(RefuseParkerCall{reason});
  } else {
    return;
  }
  state_.request = Request::kNone;
}

void Step::commit_stay() {
  if (state_.proposal == Proposal::kNone) return;
  state_.proposal = Proposal::kNone;
  actions_.emplace(actions_.begin(), CommitStay{});
}

void Step::withdraw_stay() {
  if (state_.proposal == Proposal::kNextStay) emit(WithdrawStay{});
  state_.proposal = Proposal::kNone;
}

}  // namespace callpark::park
