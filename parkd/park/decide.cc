#include "parkd/park/decide.h"

#include <utility>

#include "parkd/park/recall.h"

namespace callpark::park {
namespace {

// One step of the machine: the state as it becomes, and the actions as they come up.
class Step {
 public:
  explicit Step(const State& state) : state_(state) {}

  void on(const ParkAsked& event);
  void on(const ParkerReferred& event);
  void on(const TransferAsked& event);
  void on(const TargetAnswered& event);
  void on(const TargetRefused& event);
  void on(const RecallClaimed& event);
  void on(const RecallNotClaimed& event);
  void on(const ReplacementAsked& event);
  void on(const OrbitClaimed& event);
  void on(const OrbitRefused& event);
  void on(const RowWritten& event);
  void on(const RowNotWritten& event);
  void on(const MediaOpened& event);
  void on(const MediaFailed& event);
  void on(const MediaMoved& event);
  void on(const CallerAccepted& event);
  void on(const CallerRefused& event);
  void on(const CallerGone& event);
  void on(const PeerGone& event);
  void on(const ParkerCallGone& event);
  void on(const AnnouncementPlayed& event);
  void on(const CallClaimed& event);
  void on(const RetrieverConfirmed& event);
  void on(const RetrieverGone& event);
  void on(const RetrieverLost& event);
  void on(const TimerFired& event);

  void gather(Request request);
  void take_over(Found found);
  Decision done() && { return {state_, std::move(actions_)}; }

 private:
  template <class P>
  P* in() {
    return std::get_if<P>(&state_.phase);
  }
  template <class... A>
  void order(A... actions) {
    (actions_.emplace_back(actions), ...);
  }
  /// The peer is whom the caller talks to, and not the parker of long ago.
  bool talks() { return in<Talking>() || in<Transferring>() || in<Connecting>() || in<Replacing>() || in<Restoring>(); }
  Question ask() { return ++state_.last_question; }

  void adopt_when_gathered();
  void offer_music_again();
  void refuse_park(RefusalReason reason);
  void stay_between();
  void return_to_peer(RefusalReason reason);
  void release_parker();
  void tell_parker();
  void end_peer();
  void end_announcement();
  void wait_with_music();
  void open_media();
  void close_media();
  void tell_refusal(RefusalReason reason);
  void end_call(EndReason reason);
  void give_up_transfer();
  void restore_peer();
  void leave_caller();
  void start_recall(RecallWait wait);
  void wait_for_recall();
  void climb_to(RecallTarget target);
  void repeat_step();
  void write_step();
  void call_target_of_recall();
  void climb_from_waiting();
  void climb_on();
  void stop_recall();
  void give_up();

  State state_;
  std::vector<Action> actions_;
};

void Step::open_media() {
  state_.media = Media::kOpening;
  state_.media_question = ask();
  order(OpenMedia{state_.media_question});
}

void Step::close_media() {
  if (state_.media == Media::kClosed) return;
  state_.media = Media::kClosed;
  order(CloseMedia{});
}

void Step::gather(Request request) {
  if (state_.request == Request::kAnnouncing) order(EndParkerCall{});
  state_.request = request;
  state_.ladder = {};
  state_.orbit = Orbit::kClaiming;
  const Question claim = ask();
  state_.phase = Gathering{claim};
  order(ClaimOrbit{claim});
  open_media();
}

void Step::take_over(Found found) {
  state_.caller = CallerLeg::kOurs;
  if (found == Found::kRetrieved) {
    state_.phase = Talking{};
    order(Bridge{});
    return;
  }
  state_.orbit = Orbit::kHeld;
  end_peer();  // the parker's half, should his phone still have it
  if (found == Found::kUncertain) {
    order(UnclaimCall{});
    wait_with_music();
    return;
  }
  // mediad plays on by itself: claiming the session again is enough, and the caller notices nothing.
  state_.phase = Parked{};
  order(StartTimer{Timer::kGiveUp});
  open_media();
  // Kamailio ends the call that rings there still when it sees this one.
  if (state_.ladder.is_calling) return call_target_of_recall();
  wait_for_recall();
}

// The caller is to hear music, and at present it is not certain that he does.
void Step::wait_with_music() {
  state_.phase = Parked{};
  order(StartTimer{Timer::kGiveUp});
  if (state_.ladder.is_calling) {
    repeat_step();
  } else {
    wait_for_recall();
  }
  if (state_.media == Media::kOpen) return offer_music_again();
  if (state_.media == Media::kClosed) open_media();
  in<Parked>()->offer = state_.media_question;  // MediaOpened answers it, and goes on with the offer
}

void Step::offer_music_again() {
  const Question offer = ask();
  in<Parked>()->offer = offer;
  order(OfferMusic{offer});
}

// ---- recall: the ladder is climbed while the caller is parked, and each step is written before it is taken

void Step::start_recall(RecallWait wait) {
  if (state_.policy.mode == RecallMode::kOff) return;
  order(SetRecallDeadline{wait});
  wait_for_recall();
}

// For what is left of the time that was set.
void Step::wait_for_recall() {
  state_.ladder.is_calling = false;
  if (state_.policy.mode == RecallMode::kOff) return;
  in<Parked>()->recall = Parked::Recall::kWaiting;
  order(StartTimer{Timer::kRecall});
}

// A retrieve that was undone, or the death of a parkd, has cut the call of this step short, or it was not made for want
// of the database: nobody has declined it, so it is made once more. What was left of its time is not waited for: a ring
// group or a fallback has hours.
void Step::repeat_step() {
  in<Parked>()->recall = Parked::Recall::kWaiting;
  order(SetRecallDeadline{RecallWait::kNextAttempt}, StartTimer{Timer::kRecall});
}

void Step::climb_from_waiting() {
  if (state_.ladder.is_calling) return write_step();
  const RecallTarget next = next_target(state_.policy, state_.ladder);
  if (next == RecallTarget::kNone) return give_up();
  climb_to(next);
}

void Step::climb_to(RecallTarget target) {
  state_.ladder = climb(state_.policy, state_.ladder, target);
  write_step();
}

void Step::write_step() {
  Parked& parked = *in<Parked>();
  parked.recall = Parked::Recall::kWriting;
  parked.recall_question = ask();
  order(StopTimer{Timer::kRecall}, SetRecallDeadline{RecallWait::kAnswer}, WriteParked{parked.recall_question});
}

void Step::call_target_of_recall() {
  Parked& parked = *in<Parked>();
  parked.recall = Parked::Recall::kCalling;
  parked.recall_question = ask();
  order(CallRecallTarget{parked.recall_question, state_.ladder.target}, StartTimer{Timer::kRecall});
}

// Nobody answered there. The parker is given a moment before he is called again; anybody else is called at once.
void Step::climb_on() {
  state_.ladder.is_calling = false;
  const bool was_parker = state_.ladder.target == RecallTarget::kParker;
  if (!was_parker || next_target(state_.policy, state_.ladder) != RecallTarget::kParker) return climb_from_waiting();
  start_recall(RecallWait::kNextAttempt);
  order(WriteParked{ask()});
}

// The call leaves the orbit, or ends: nobody is to be called any more.
void Step::stop_recall() {
  auto* parked = in<Parked>();
  if (!parked || parked->recall == Parked::Recall::kNone) return;
  if (parked->recall == Parked::Recall::kCalling || parked->recall == Parked::Recall::kClaiming) order(EndTarget{});
  parked->recall = Parked::Recall::kNone;
  order(StopTimer{Timer::kRecall});
}

void Step::give_up() {
  stop_recall();
  order(EndCaller{});
  end_call(EndReason::kTimedOut);
}

void Step::adopt_when_gathered() {
  if (state_.orbit != Orbit::kHeld || state_.media != Media::kOpen) return;
  if (state_.caller == CallerLeg::kOurs) {
    order(Unbridge{});
  } else {
    state_.caller = CallerLeg::kAsked;
  }
  // What is refused until now is refused by the answer to the REFER, and the dialog is as it was.
  if (state_.request == Request::kRefer) order(AcceptRefer{});
  const Question offer = ask();
  state_.phase = Adopting{offer};
  order(OfferMusic{offer});
}

void Step::tell_refusal(RefusalReason reason) {
  if (state_.request != Request::kRefer && state_.request != Request::kCall) return;
  order(RefusePark{reason});
  state_.request = Request::kNone;
}

void Step::end_peer() {
  if (state_.peer == PeerLeg::kGone) return;
  state_.peer = PeerLeg::kGone;
  order(EndPeer{});
}

// The parker is told no, and the call is what it was before he asked.
void Step::refuse_park(RefusalReason reason) {
  tell_refusal(reason);
  close_media();
  if (state_.caller != CallerLeg::kOurs) {
    if (state_.orbit != Orbit::kFree) order(RemoveRow{EndReason::kRefused});
    state_.orbit = Orbit::kFree;
    // He has hung up before he was told: his BYE, which parkd kept back, means the end of the call.
    if (state_.peer == PeerLeg::kGone && reason != RefusalReason::kCallerGone) order(EndCaller{});
    state_.phase = Ended{};
    order(Dismiss{});
    return;
  }
  if (state_.peer == PeerLeg::kGone) {
    order(EndCaller{});
    return end_call(EndReason::kHungUp);
  }
  if (state_.orbit != Orbit::kFree) order(FreeOrbit{});
  state_.orbit = Orbit::kFree;
  state_.phase = Talking{};
}

// The caller has refused the music, so that his session is what it was. But the CSeq of parkd's has passed the
// parker's, who could not go on in the dialog by himself: parkd stays between the two.
void Step::stay_between() {
  tell_refusal(RefusalReason::kNotAcceptable);
  close_media();
  if (state_.peer == PeerLeg::kGone) {
    order(EndCaller{});
    return end_call(EndReason::kHungUp);
  }
  order(FreeOrbit{}, Bridge{});
  state_.caller = CallerLeg::kOurs;
  state_.orbit = Orbit::kFree;
  state_.phase = Talking{};
}

// The caller is ours and hears music, but the park cannot be: he goes back to the one who parked him. When that one is
// gone, waiting with music is the least evil.
void Step::return_to_peer(RefusalReason reason) {
  tell_refusal(reason);
  if (state_.peer == PeerLeg::kGone) {
    order(UnclaimCall{});  // tried again until the database is back
    return wait_with_music();
  }
  const Question offer = ask();
  state_.phase = Returning{offer};
  order(OfferPeer{offer});
}

// A retriever comes: what is left of the parker's side ends now, for the place of the peer is about to be another's.
// An announcement that is still being spoken may be heard to its end.
void Step::release_parker() {
  if (state_.request == Request::kReferDone) {
    state_.request = Request::kNone;
    order(StopTimer{Timer::kParkerBye});
  }
  end_peer();
}

// The last of his transfer is over, and his phone is free.
void Step::tell_parker() {
  state_.request = Request::kNone;
  if (in<Parked>()) order(TellParker{});
}

void Step::end_call(EndReason reason) {
  tell_refusal(RefusalReason::kCallerGone);
  if (std::exchange(state_.request, Request::kNone) == Request::kAnnouncing) order(EndParkerCall{});
  end_peer();
  close_media();
  order(RemoveRow{reason});
  state_.orbit = Orbit::kFree;
  state_.phase = Ended{};
  order(Dismiss{});
}

void Step::on(const ParkAsked& event) {
  if (!in<Talking>()) return;
  state_.policy = event.policy;
  gather(event.request);
}

void Step::on(const ParkerReferred&) {
  if (state_.request != Request::kAnnouncing) return;
  order(EndParkerCall{}, AcceptPark{}, StartTimer{Timer::kParkerBye});
  state_.request = Request::kReferDone;
}

void Step::on(const TransferAsked&) {
  if (!in<Talking>()) return order(RefuseTransfer{});
  const Question call = ask();
  state_.phase = Transferring{call};
  order(CallTarget{call});
}

void Step::on(const TargetAnswered& event) {
  if (auto* parked = in<Parked>();
      parked && parked->recall == Parked::Recall::kCalling && parked->recall_question == event.question) {
    // A retriever may be first: the database decides.
    parked->recall = Parked::Recall::kClaiming;
    parked->recall_question = ask();
    return order(ClaimForTarget{parked->recall_question});
  }
  const auto* transferring = in<Transferring>();
  if (!transferring || transferring->call != event.question) return;
  const Question offer = ask();
  state_.phase = Connecting{offer};
  order(Unbridge{}, OfferTarget{offer});
}

void Step::on(const TargetRefused& event) {
  if (auto* parked = in<Parked>();
      parked && parked->recall == Parked::Recall::kCalling && parked->recall_question == event.question) {
    parked->recall = Parked::Recall::kWaiting;
    return climb_on();
  }
  const auto* transferring = in<Transferring>();
  if (!transferring || transferring->call != event.question) return;
  order(RefuseTransfer{});
  give_up_transfer();
}

void Step::on(const RecallClaimed& event) {
  const auto* parked = in<Parked>();
  const bool waits = parked && parked->recall == Parked::Recall::kClaiming && parked->recall_question == event.question;
  if (!waits) return;
  release_parker();
  const Question offer = ask();
  state_.phase = Recalling{offer};
  order(StopTimer{Timer::kGiveUp}, StopTimer{Timer::kRecall}, OfferTarget{offer});
}

void Step::on(const RecallNotClaimed& event) {
  auto* parked = in<Parked>();
  if (!parked || parked->recall != Parked::Recall::kClaiming || parked->recall_question != event.question) return;
  order(EndTarget{});
  start_recall(RecallWait::kNextAttempt);
}

void Step::on(const ReplacementAsked& event) {
  if (!in<Talking>()) return order(RefuseRetriever{event.retriever, RefusalReason::kUnavailable});
  const Question offer = ask();
  state_.phase = Replacing{event.retriever, offer};
  order(Unbridge{}, OfferRetriever{offer, event.retriever});
}

// The two go on talking, or, when the one who transferred has hung up already, nobody is left for the caller.
void Step::give_up_transfer() {
  state_.phase = Talking{};
  if (state_.peer == PeerLeg::kUp) return;
  order(Unbridge{});
  leave_caller();
}

// Nobody takes the peer's place, but the caller may have taken other media than the peer's.
void Step::restore_peer() {
  if (state_.peer == PeerLeg::kGone) return leave_caller();
  const Question offer = ask();
  state_.phase = Restoring{offer};
  order(OfferPeer{offer});
}

// Nobody is left to talk to him.
void Step::leave_caller() {
  order(EndCaller{});
  end_call(EndReason::kHungUp);
}

void Step::on(const OrbitClaimed& event) {
  const auto* gathering = in<Gathering>();
  if (!gathering || gathering->claim != event.question) return;
  state_.orbit = Orbit::kHeld;
  adopt_when_gathered();
}

void Step::on(const OrbitRefused& event) {
  const auto* gathering = in<Gathering>();
  if (!gathering || gathering->claim != event.question) return;
  state_.orbit = Orbit::kFree;
  refuse_park(event.reason);
}

void Step::on(const RowWritten& event) {
  if (auto* parked = in<Parked>();
      parked && parked->recall == Parked::Recall::kWriting && parked->recall_question == event.question) {
    return call_target_of_recall();
  }
  const auto* recording = in<Recording>();
  if (!recording || recording->write != event.question) return;
  state_.phase = Parked{};
  order(StartTimer{Timer::kGiveUp});
  wait_for_recall();
  if (state_.request == Request::kRefer) {
    order(AcceptPark{});
    if (state_.peer == PeerLeg::kGone) return tell_parker();
    order(StartTimer{Timer::kParkerBye});
    state_.request = Request::kReferDone;
  } else if (state_.request == Request::kCall) {
    order(AcceptPark{});
    state_.request = Request::kAnnouncing;
  } else {
    end_peer();
  }
}

void Step::on(const RowNotWritten& event) {
  if (auto* parked = in<Parked>();
      parked && parked->recall == Parked::Recall::kWriting && parked->recall_question == event.question) {
    // Who would answer could not be given the call. Nobody was called, so the step does not count: else a database that
    // is away for seconds hangs up on a caller at his last one. What ends a ladder that is never written is the
    // deadline.
    return repeat_step();
  }
  const auto* recording = in<Recording>();
  if (recording && recording->write == event.question) return_to_peer(RefusalReason::kUnavailable);
}

void Step::on(const MediaOpened& event) {
  if (state_.media != Media::kOpening || state_.media_question != event.question) return;
  state_.media = Media::kOpen;
  if (in<Gathering>()) return adopt_when_gathered();
  if (auto* parked = in<Parked>(); parked && parked->offer == event.question) offer_music_again();
}

void Step::on(const MediaFailed& event) {
  if (state_.media != Media::kOpening || state_.media_question != event.question) return;
  state_.media = Media::kClosed;
  if (in<Gathering>()) return refuse_park(RefusalReason::kUnavailable);
  if (auto* parked = in<Parked>()) {
    parked->offer.reset();
    order(StartTimer{Timer::kMusicRetry});
  }
}

void Step::on(const MediaMoved& event) {
  if (state_.media != Media::kOpen || state_.media_question != event.question) return;
  if (in<Parked>()) return offer_music_again();
  if (auto* adopting = in<Adopting>()) {
    adopting->offer = ask();
    order(OfferMusic{adopting->offer});
  } else if (in<Recording>()) {
    const Question offer = ask();
    state_.phase = Adopting{offer};
    order(OfferMusic{offer});
  }
}

void Step::on(const CallerAccepted& event) {
  // Also by an answer that has been overtaken: the dialog is ours as soon as the caller has accepted anything.
  if (in<Adopting>()) state_.caller = CallerLeg::kOurs;
  if (auto* adopting = in<Adopting>(); adopting && adopting->offer == event.question) {
    if (state_.request == Request::kNone) return return_to_peer(RefusalReason::kGivenUp);
    const Question write = ask();
    state_.phase = Recording{write};
    order(WriteParked{write});
  } else if (auto* parked = in<Parked>(); parked && parked->offer == event.question) {
    parked->offer.reset();
    // The row may not know of this session, nor, after an UnclaimCall, of any. A step of the recall writes it anyway.
    if (parked->recall != Parked::Recall::kWriting) order(WriteParked{ask()});
  } else if (auto* joining = in<Joining>(); joining && joining->offer == event.question) {
    const Retriever retriever = joining->retriever;
    state_.phase = Confirming{retriever};
    order(AnswerRetriever{retriever});
    close_media();
  } else if (auto* connecting = in<Connecting>(); connecting && connecting->offer == event.question) {
    order(AcceptTransfer{});
    end_peer();
    state_.peer = PeerLeg::kUp;
    state_.phase = Talking{};
    order(MakeTargetPeer{}, WriteRetrieved{}, Bridge{});
  } else if (auto* replacing = in<Replacing>(); replacing && replacing->offer == event.question) {
    const Retriever retriever = replacing->retriever;
    state_.phase = Confirming{retriever};
    order(AnswerRetriever{retriever});
    // RFC 3891 3: the dialog that is replaced ends with the 2xx, and not later.
    end_peer();
  } else if (auto* restoring = in<Restoring>(); restoring && restoring->offer == event.question) {
    state_.phase = Talking{};
    order(Bridge{});
  } else if (auto* recalling = in<Recalling>(); recalling && recalling->offer == event.question) {
    close_media();
    state_.peer = PeerLeg::kUp;
    state_.orbit = Orbit::kFree;
    state_.phase = Talking{};
    order(MakeTargetPeer{}, WriteRetrieved{}, Bridge{});
  } else if (auto* returning = in<Returning>(); returning && returning->offer == event.question) {
    close_media();
    order(FreeOrbit{}, Bridge{});
    state_.orbit = Orbit::kFree;
    state_.phase = Talking{};
  }
}

void Step::on(const CallerRefused& event) {
  if (in<Adopting>() && event.changed) state_.caller = CallerLeg::kOurs;
  if (auto* adopting = in<Adopting>(); adopting && adopting->offer == event.question) {
    if (state_.caller == CallerLeg::kAsked) return stay_between();
    return_to_peer(RefusalReason::kNotAcceptable);
  } else if (auto* parked = in<Parked>(); parked && parked->offer == event.question) {
    parked->offer.reset();
    order(StartTimer{Timer::kMusicRetry});
  } else if (auto* joining = in<Joining>(); joining && joining->offer == event.question) {
    // RFC 3261 14.1: a refused re-INVITE leaves the session as it was.
    // Whether that was the music is not certain, for an offer of it may have been under way: so it is offered again.
    order(RefuseRetriever{joining->retriever, RefusalReason::kNotAcceptable}, UnclaimCall{});
    wait_with_music();
  } else if (auto* connecting = in<Connecting>(); connecting && connecting->offer == event.question) {
    order(RefuseTransfer{}, EndTarget{}, Bridge{});
    give_up_transfer();
  } else if (auto* replacing = in<Replacing>(); replacing && replacing->offer == event.question) {
    order(RefuseRetriever{replacing->retriever, RefusalReason::kNotAcceptable});
    if (event.changed) return restore_peer();
    order(Bridge{});
    give_up_transfer();
  } else if (auto* restoring = in<Restoring>(); restoring && restoring->offer == event.question) {
    // Whether he has taken the media of the one who gave up is not known, and there is no music to fall back on.
    leave_caller();
  } else if (auto* recalling = in<Recalling>(); recalling && recalling->offer == event.question) {
    order(EndTarget{}, UnclaimCall{});
    state_.ladder.is_calling = false;
    wait_with_music();
    climb_on();
  } else if (auto* returning = in<Returning>(); returning && returning->offer == event.question) {
    order(UnclaimCall{});
    wait_with_music();
  }
}

void Step::on(const CallerGone&) {
  if (in<Ended>()) return;
  if (state_.caller != CallerLeg::kOurs) return refuse_park(RefusalReason::kCallerGone);
  if (auto* joining = in<Joining>()) {
    order(RefuseRetriever{joining->retriever, RefusalReason::kNoCallParked});
  } else if (auto* confirming = in<Confirming>()) {
    order(EndRetriever{confirming->retriever});
  } else if (auto* replacing = in<Replacing>()) {
    order(RefuseRetriever{replacing->retriever, RefusalReason::kCallerGone});
  } else if (in<Transferring>() || in<Connecting>()) {
    order(RefuseTransfer{}, EndTarget{});
  } else if (in<Recalling>()) {
    order(EndTarget{});
  }
  stop_recall();
  const bool waited = in<Parked>() || in<Joining>() || in<Recalling>() || in<Recording>();
  end_call(waited ? EndReason::kGaveUp : EndReason::kHungUp);
}

void Step::on(const PeerGone&) {
  if (in<Ended>() || state_.peer == PeerLeg::kGone) return;
  state_.peer = PeerLeg::kGone;
  if (state_.request == Request::kReferDone) {
    order(StopTimer{Timer::kParkerBye});
    tell_parker();
  }
  if (in<Talking>() || in<Restoring>()) {
    leave_caller();
  } else if (in<Returning>()) {
    order(UnclaimCall{});
    wait_with_music();
  }
}

// His feature call is over: what is left of the call that he parked ends with it. While the caller talks, the peer is
// another one, the retriever.
void Step::end_announcement() {
  state_.request = Request::kNone;
  if (!talks()) end_peer();
}

void Step::on(const ParkerCallGone&) {
  if (state_.request == Request::kAnnouncing) return end_announcement();
  if (state_.request != Request::kCall) return;
  // He has not heard that his call is parked, and is to find it where it was.
  state_.request = Request::kNone;
  if (in<Gathering>()) return refuse_park(RefusalReason::kGivenUp);
  order(KeepAdoption{});
  if (in<Recording>()) return_to_peer(RefusalReason::kGivenUp);
}

void Step::on(const AnnouncementPlayed&) {
  if (state_.request != Request::kAnnouncing) return;
  order(EndParkerCall{});
  end_announcement();
}

void Step::on(const CallClaimed& event) {
  // That the row could be won says that it was written, even when the answer to that is still on its way.
  if (const auto* recording = in<Recording>()) on(RowWritten{recording->write});
  if (!in<Parked>()) {
    order(RefuseRetriever{event.retriever, RefusalReason::kNoCallParked});
    if (in<Adopting>()) order(UnclaimCall{});
    return;
  }
  release_parker();
  stop_recall();
  const Question offer = ask();
  state_.phase = Joining{event.retriever, offer};
  order(StopTimer{Timer::kGiveUp}, OfferRetriever{offer, event.retriever});
}

void Step::on(const RetrieverConfirmed& event) {
  const auto* confirming = in<Confirming>();
  if (!confirming || confirming->retriever != event.retriever) return;
  state_.phase = Talking{};
  state_.peer = PeerLeg::kUp;
  state_.orbit = Orbit::kFree;
  order(MakePeer{event.retriever}, WriteRetrieved{}, Bridge{});
}

void Step::on(const RetrieverGone& event) {
  if (auto* joining = in<Joining>(); joining && joining->retriever == event.retriever) {
    order(UnclaimCall{});
    wait_with_music();
  } else if (auto* replacing = in<Replacing>(); replacing && replacing->retriever == event.retriever) {
    restore_peer();
  } else if (auto* confirming = in<Confirming>(); confirming && confirming->retriever == event.retriever) {
    leave_caller();
  }
}

void Step::on(const RetrieverLost& event) {
  const auto* confirming = in<Confirming>();
  if (!confirming || confirming->retriever != event.retriever) return;
  order(EndRetriever{event.retriever});
  // Whose place he was to take has left.
  if (state_.orbit != Orbit::kHeld) return leave_caller();
  order(UnclaimCall{});
  wait_with_music();
}

void Step::on(const TimerFired& event) {
  auto* parked = in<Parked>();
  switch (event.timer) {
    case Timer::kGiveUp:
      if (!parked) return;
      return give_up();
    case Timer::kRecall:
      if (!parked) return;
      if (parked->recall == Parked::Recall::kCalling) {
        order(EndTarget{});
        parked->recall = Parked::Recall::kWaiting;
        return climb_on();
      }
      if (parked->recall == Parked::Recall::kWaiting) return climb_from_waiting();
      return;
    case Timer::kParkerBye:
      if (state_.request != Request::kReferDone) return;
      end_peer();
      return tell_parker();
    case Timer::kMusicRetry:
      if (!parked || parked->offer) return;
      if (state_.media == Media::kOpen) return offer_music_again();
      if (state_.media == Media::kClosed) open_media();
      parked->offer = state_.media_question;
      return;
  }
}

}  // namespace

Decision begin(Request request, const RecallPolicy& policy) {
  State state;
  state.policy = policy;
  Step step{state};
  step.gather(request);
  return std::move(step).done();
}

Decision resume(Found found, const RecallPolicy& policy, const Ladder& ladder) {
  State state;
  state.policy = policy;
  state.ladder = ladder;
  Step step{state};
  step.take_over(found);
  return std::move(step).done();
}

Decision decide(const State& state, const Event& event) {
  Step step{state};
  std::visit([&step](const auto& fact) { step.on(fact); }, event);
  return std::move(step).done();
}

}  // namespace callpark::park
