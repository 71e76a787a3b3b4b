// The part of the machine that looks a destination up, calls it, and lets the caller talk to it.
#include <algorithm>
#include <utility>

#include "parkd/menu/step.h"

namespace callpark::menu {

// ---- destinations ----

void Step::resolve(const std::string& destination, bool is_entered) {
  const Question resolve = next_question();
  state_.phase = Resolving{resolve, is_entered};
  emit(Resolve{resolve, destination, is_entered});
}

void Step::on(const Resolving& phase, const PlaceFound& event) {
  if (phase.resolve != event.question) return;
  state_.depth = std::min(state_.depth + 1, kDepthMax);
  emit(Enter{});
  arrive(event.place);
}

void Step::on(const Resolving& phase, const PlaceMissing& event) {
  if (phase.resolve != event.question) return;
  if (phase.is_entered) return count_try(Sound::kInvalid, state_.place.invalid_destination);
  hear(Sound::kNotReached);
}

void Step::on(const Resolving& phase, const DestinationRings& event) {
  if (phase.resolve != event.question) return;
  play(Sound::kRingback);
  state_.target = next_question();
  state_.phase = Calling{};
  emit(CallTarget{state_.target});
}

void Step::on(const Resolving& phase, const DestinationHangsUp& event) {
  if (phase.resolve == event.question) part();
}

void Step::on(const Resolving& phase, const StoreFailed& event) {
  if (phase.resolve == event.question) hear(Sound::kNotAvailable);
}

// ---- the target ----

void Step::on(const Calling&, const TargetAnswered& event) {
  if (state_.target != event.question) return;
  const Question claim = next_question();
  state_.phase = Claiming{claim};
  emit(Claim{claim});
}

void Step::on(const Calling&, const TargetRefused& event) {
  if (state_.target != event.question) return;
  lose_target();
  hear(Sound::kNotReached);
}

void Step::on(const Claiming& phase, const Claimed& event) {
  if (phase.claim != event.question) return;
  const Question offer = next_question();
  state_.phase = Joining{offer};
  emit(OfferTarget{offer});
}

// Another parkd talks to the caller, and the row is of that one.
void Step::on(const Claiming& phase, const NotClaimed& event) {
  if (phase.claim != event.question) return;
  state_.has_row = false;
  end(EndedBy::kParkd);
}

// The row may have been written all the same.
void Step::on(const Claiming& phase, const StoreFailed& event) {
  if (phase.claim != event.question) return;
  end_target();
  hear(Sound::kNotAvailable);
}

void Step::on(const Claiming&, const TargetRefused& event) {
  if (state_.target != event.question) return;
  lose_target();
  hear(Sound::kNotReached);
}

void Step::on(const Joining& phase, const CallerAccepted& event) {
  if (phase.offer != event.question) return;
  if (std::exchange(state_.target, 0) != 0) {
    state_.has_row = false;
    emit(HandOver{});
    return end(EndedBy::kParkd);
  }
  // It has accepted the media of a target that is gone.
  state_.is_moved = true;
  hear(Sound::kNotReached);
}

void Step::on(const Joining& phase, const CallerRefused& event) {
  if (phase.offer != event.question) return;
  state_.is_moved |= event.changed;
  const bool is_lost = state_.target == 0;
  end_target();
  hear(is_lost ? Sound::kNotReached : Sound::kNotAvailable);
}

// The caller's answer is awaited all the same: of two re-INVITEs at once, a phone refuses one (RFC 3261 14.2).
void Step::on(const Joining&, const TargetRefused& event) {
  if (state_.target != 0 && state_.target == event.question) lose_target();
}

// A caller that is about to talk is not cut off; if it does not come to that, it has as much time again.
void Step::on(const Joining&, const TimerFired& event) {
  if (event.timer == Timer::kCall) emit(StartTimer{Timer::kCall});
}

void Step::lose_target() {
  state_.target = 0;
  if (in<Claiming>() || in<Joining>()) emit(Unclaim{});
}

void Step::end_target() {
  if (state_.target == 0) return;
  emit(EndTarget{});
  lose_target();
}

}  // namespace callpark::menu
