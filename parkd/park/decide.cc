#include "parkd/park/decide.h"

#include <utility>
#include <variant>

#include "parkd/park/step.h"

namespace callpark::park {

void Step::decide(const Event& event) {
  // A copy: the transition replaces the phase.
  const Phase phase = state_.phase;
  std::visit(
      [this](const auto& now, const auto& fact) {
        if (note(fact) == Timeliness::kCurrent) on(now, fact);
      },
      phase, event);
}

void Step::resume(Found found) {
  state_.caller = CallerLeg::kOurs;
  if (found == Found::kRetrieved) {
    state_.phase = Talking{};
    emit(Bridge{});
    return;
  }
  state_.orbit = Orbit::kHeld;
  end_peer();  // the parker's half, should the parker's phone still have it
  if (found == Found::kUncertain) {
    emit(UnclaimCall{});
    wait_with_music();
    return;
  }
  // mediad plays on by itself: claiming the session again is enough, and the caller notices nothing.
  state_.phase = Parked{};
  emit(StartTimer{Timer::kGiveUp});
  open_media();
  apply(recall::resume(recall_state()));
}

Step::Timeliness Step::note(const MediaOpened& event) {
  if (state_.media != Media::kOpening || state_.media_question != event.question) return Timeliness::kLate;
  state_.media = Media::kOpen;
  return Timeliness::kCurrent;
}

Step::Timeliness Step::note(const MediaFailed& event) {
  if (state_.media != Media::kOpening || state_.media_question != event.question) return Timeliness::kLate;
  state_.media = Media::kClosed;
  return Timeliness::kCurrent;
}

Step::Timeliness Step::note(const MediaMoved& event) {
  const bool is_current = state_.media == Media::kOpen && state_.media_question == event.question;
  return is_current ? Timeliness::kCurrent : Timeliness::kLate;
}

Step::Timeliness Step::note(const PeerGone&) {
  if (in<Ended>() || state_.peer == PeerLeg::kGone) return Timeliness::kLate;
  state_.peer = PeerLeg::kGone;
  if (state_.request == Request::kReferDone) {
    emit(StopTimer{Timer::kParkerBye});
    call_parker_back();
  }
  return Timeliness::kCurrent;
}

void Step::open_media() {
  state_.media = Media::kOpening;
  state_.media_question = ask();
  emit(OpenMedia{state_.media_question});
}

void Step::close_media() {
  if (state_.media == Media::kClosed) return;
  state_.media = Media::kClosed;
  emit(CloseMedia{});
}

Decision begin(Request request, const RecallPolicy& policy, ParkerLearnsOrbit learns_orbit) {
  State state;
  state.policy = policy;
  state.proposal = Proposal::kFirstStay;
  Step step{state};
  step.begin(request, learns_orbit);
  return std::move(step).done();
}

Decision resume(Found found, const RecallPolicy& policy, const RecallProgress& progress) {
  State state;
  state.policy = policy;
  state.recall_progress = progress;
  Step step{state};
  step.resume(found);
  return std::move(step).done();
}

Decision decide(const State& state, const Event& event) {
  Step step{state};
  step.decide(event);
  return std::move(step).done();
}

}  // namespace callpark::park
