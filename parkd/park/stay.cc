// The caller waits in the orbit, until a retriever or the target of a recall has it. The recall itself is a machine of
// its own, recall.h.
#include <iterator>

#include "parkd/park/step.h"

namespace callpark::park {

// The caller is to hear music, and at present that is not certain.
void Step::wait_with_music() {
  state_.phase = Parked{};
  emit(StartTimer{Timer::kGiveUp});
  apply(recall::repeat(recall_state()));
  if (state_.media == Media::kOpen) return offer_music_again();
  if (state_.media == Media::kClosed) open_media();
  in<Parked>()->offer = state_.media_question;  // MediaOpened answers it, and the offer follows
}

void Step::offer_music_again() {
  const Question offer = ask();
  in<Parked>()->offer = offer;
  emit(OfferMusic{offer});
}

void Step::on(const Parked& parked, const MediaOpened& event) {
  if (parked.offer == event.question) offer_music_again();
}

void Step::on(const Parked&, const MediaFailed&) {
  in<Parked>()->offer.reset();
  emit(StartTimer{Timer::kMusicRetry});
}

void Step::on(const Parked&, const MediaMoved&) {
  offer_music_again();
}

void Step::on(const Parked& parked, const CallerAccepted& event) {
  if (parked.offer != event.question) return;
  in<Parked>()->offer.reset();
  // The row may not know of this session, nor, after an UnclaimCall, of any. A step of the recall writes it anyway.
  if (!std::holds_alternative<recall::Writing>(parked.recall)) emit(WriteParked{ask()});
}

void Step::on(const Parked& parked, const CallerRefused& event) {
  if (parked.offer != event.question) return;
  in<Parked>()->offer.reset();
  emit(StartTimer{Timer::kMusicRetry});
}

void Step::on(const Parked&, const CallClaimed& event) {
  release_parker();
  stop_recall();
  const Question offer = ask();
  state_.phase = Joining{event.retriever, offer};
  emit(StopTimer{Timer::kGiveUp}, OfferRetriever{offer, event.retriever});
}

void Step::on(const Parked& parked, const TimerFired& event) {
  switch (event.timer) {
    case Timer::kGiveUp:
      return give_up();
    case Timer::kRecall:
      return apply(recall::decide(recall_state(), event));
    case Timer::kParkerBye:
      return end_missing_parker_bye();
    case Timer::kMusicRetry:
      if (parked.offer) return;
      if (state_.media == Media::kOpen) return offer_music_again();
      if (state_.media == Media::kClosed) open_media();
      in<Parked>()->offer = state_.media_question;
      return;
  }
}

void Step::give_up() {
  stop_recall();
  emit(EndCaller{});
  end_call(EndReason::kTimedOut);
}

recall::State Step::recall_state() const {
  return {std::get<Parked>(state_.phase).recall, state_.policy, state_.recall_progress, state_.last_question};
}

void Step::apply(recall::Decision decision) {
  in<Parked>()->recall = decision.next.phase;
  state_.recall_progress = decision.next.progress;
  state_.last_question = decision.next.last_question;
  actions_.insert(actions_.end(), decision.actions.begin(), decision.actions.end());
  switch (decision.outcome) {
    case recall::Outcome::kGoesOn:
      return;
    case recall::Outcome::kClaimed:
      return offer_recall_target();
    case recall::Outcome::kNoTargetLeft:
      return give_up();
  }
}

void Step::offer_recall_target() {
  release_parker();
  const Question offer = ask();
  state_.phase = Recalling{offer};
  emit(StopTimer{Timer::kGiveUp}, StopTimer{Timer::kRecall}, OfferTarget{offer});
}

void Step::on(const Recalling& recalling, const CallerAccepted& event) {
  if (recalling.offer != event.question) return;
  close_media();
  state_.peer = PeerLeg::kUp;
  state_.orbit = Orbit::kFree;
  state_.phase = Talking{};
  emit(MakeTargetPeer{}, WriteRetrieved{}, Bridge{});
}

void Step::on(const Recalling& recalling, const CallerRefused& event) {
  if (recalling.offer != event.question) return;
  emit(EndTarget{}, UnclaimCall{});
  state_.recall_progress.is_calling = false;  // this step is over, and is not repeated
  wait_with_music();
  apply(recall::advance(recall_state()));
}

void Step::on(const Joining& joining, const CallerAccepted& event) {
  if (joining.offer != event.question) return;
  state_.phase = Confirming{joining.retriever};
  emit(AnswerRetriever{joining.retriever});
  close_media();
}

void Step::on(const Joining& joining, const CallerRefused& event) {
  if (joining.offer != event.question) return;
  // RFC 3261 14.1: a refused re-INVITE leaves the session as it was. Whether that was the music is not certain, for an
  // offer of it may have been under way: so it is offered again.
  emit(RefuseRetriever{joining.retriever, event.reason}, UnclaimCall{});
  wait_with_music();
}

void Step::on(const Joining& joining, const RetrieverGone& event) {
  if (joining.retriever != event.retriever) return;
  emit(UnclaimCall{});
  wait_with_music();
}

void Step::on(const Confirming& confirming, const RetrieverConfirmed& event) {
  if (confirming.retriever != event.retriever) return;
  state_.phase = Talking{};
  state_.peer = PeerLeg::kUp;
  state_.orbit = Orbit::kFree;
  emit(MakePeer{event.retriever}, WriteRetrieved{}, Bridge{});
}

void Step::on(const Confirming& confirming, const RetrieverGone& event) {
  if (confirming.retriever == event.retriever) wait_for_another_retriever();
}

void Step::on(const Confirming& confirming, const RetrieverLost& event) {
  if (confirming.retriever != event.retriever) return;
  emit(EndRetriever{event.retriever});
  wait_for_another_retriever();
}

// The retriever has its 200 and does not talk to the caller.
void Step::wait_for_another_retriever() {
  // Without an orbit it was a replacement, and the peer that it was to replace has left.
  if (state_.orbit != Orbit::kHeld) return end_without_peer();
  emit(UnclaimCall{});
  wait_with_music();
}

}  // namespace callpark::park
