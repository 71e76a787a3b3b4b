#include "parkd/menu/decide.h"

#include <utility>

#include "parkd/menu/choice.h"
#include "parkd/menu/step.h"

namespace callpark::menu {

void Step::begin() {
  emit(StartTimer{Timer::kCall});
  look_up();
}

void Step::resume(const Found& found) {
  state_.depth = found.depth;
  state_.has_peer = found.has_peer;
  state_.is_answered = state_.has_row = true;
  // The caller may hear the target.
  state_.is_moved = found.has_peer;
  begin();
}

void Step::decide(const Event& event) {
  // A copy: the transition replaces the phase.
  const Phase phase = state_.phase;
  std::visit([this](const auto& now, const auto& fact) { on(now, fact); }, phase, event);
}

// ---- places ----

void Step::look_up() {
  const Question look_up = next_question();
  state_.phase = LookingUp{look_up};
  emit(LookUp{look_up});
}

void Step::on(const LookingUp& phase, const PlaceFound& event) {
  if (phase.look_up != event.question) return;
  if (state_.has_media) {
    // The menu above is meant; an announcement between the two would only lead back.
    if (event.place.kind == Place::Kind::kAnnouncement && state_.depth > 0) return go_back();
    return arrive(event.place);
  }
  state_.place = event.place;
  const Question answer = next_question();
  state_.phase = Answering{answer};
  state_.has_media = true;
  emit(Answer{answer});
}

void Step::on(const LookingUp& phase, const PlaceMissing& event) {
  if (phase.look_up != event.question) return;
  if (!state_.has_media) return leave(RefusalReason::kNotFound);
  if (state_.depth > 0) return go_back();
  state_.is_last = true;
  hear(Sound::kNotAvailable);
}

void Step::on(const LookingUp& phase, const StoreFailed& event) {
  if (phase.look_up != event.question) return;
  if (!state_.has_media) return leave(RefusalReason::kUnavailable);
  state_.is_last = true;
  hear(Sound::kNotAvailable);
}

void Step::on(const LookingUp&, const TimerFired& event) {
  if (event.timer != Timer::kCall) return;
  if (!state_.has_media) return leave(RefusalReason::kUnavailable);
  hear(Sound::kGoodbye);
}

void Step::arrive(const Place& place) {
  state_.place = place;
  state_.tries = state_.times_played = 0;
  emit(WriteRow{});
  hear(Sound::kGreeting);
}

void Step::go_back() {
  --state_.depth;
  emit(GoBack{});
  look_up();
}

// ---- the media session ----

void Step::on(const Answering& phase, const CallAnswered& event) {
  if (phase.answer != event.question) return;
  state_.is_answered = state_.has_row = true;
  if (std::exchange(state_.has_peer, false)) emit(EndPeer{});
  emit(WriteRow{});
  hear(Sound::kGreeting);
}

void Step::on(const Answering& phase, const MediaFailed& event) {
  if (phase.answer == event.question) leave(event.reason);
}

void Step::on(const Answering&, const TimerFired& event) {
  if (event.timer == Timer::kCall) leave(RefusalReason::kUnavailable);
}

// Whatever the caller is to hear begins here.
void Step::hear(Sound sound) {
  if (std::exchange(state_.is_moved, false)) {
    const Question offer = next_question();
    state_.phase = Returning{offer, sound};
    return emit(OfferMedia{offer});
  }
  if (sound == Sound::kGreeting) return greet();
  if (sound == Sound::kGoodbye) return part();
  state_.phase = Speaking{play(sound)};
}

void Step::on(const Returning& phase, const CallerAccepted& event) {
  if (phase.offer == event.question) hear(phase.then);
}

void Step::on(const Returning& phase, const CallerRefused& event) {
  if (phase.offer == event.question) hang_up();
}

void Step::on(const Returning& phase, const TimerFired& event) {
  if (event.timer == Timer::kCall) state_.phase = Returning{phase.offer, Sound::kGoodbye};
}

void Step::go_back_to_media(Sound then) {
  interrupt();
  state_.is_moved = true;
  hear(then);
}

// Ends what the caller hears, enters and waits for. A ringback tone goes on until something else is played.
void Step::interrupt() {
  if (in<Collecting>()) stop_entry();
  if (in<Greeting>() || in<Speaking>()) emit(StopSound{});
  end_target();
}

Question Step::play(Sound sound) {
  const Question play = next_question();
  emit(Play{play, sound});
  return play;
}

// ---- the greeting, and sentences ----

void Step::greet() {
  state_.is_last = false;
  state_.phase = Greeting{play(Sound::kGreeting)};
}

void Step::on(const Greeting& phase, const SoundPlayed& event) {
  if (phase.play != event.question) return;
  if (is_menu()) {
    state_.phase = Collecting{};
    return emit(StartTimer{Timer::kFirstKey});
  }
  if (state_.place.times == 0) return greet();
  if (++state_.times_played < state_.place.times) return greet();
  conclude(state_.place.destination);
}

// Keys are not heard here: the rest of a wrong entry would be the next wrong one.
void Step::on(const Speaking& phase, const SoundPlayed& event) {
  if (phase.play != event.question) return;
  if (state_.is_last) return part();
  greet();
}

// ---- keys ----

void Step::on(const Greeting&, const KeyPressed& event) {
  // A caller may press '#' behind an entry that was complete without it.
  if (!hears_keys() || event.key == '#') return;
  state_.phase = Collecting{};
  emit(StopSound{});
  take(event.key);
}

void Step::on(const Collecting&, const KeyPressed& event) {
  if (!hears_keys() || (event.key == '#' && state_.entry.empty())) return;
  emit(StopTimer{key_timer()});
  take(event.key);
}

void Step::on(const Collecting&, const TimerFired& event) {
  if (event.timer == Timer::kCall) {
    interrupt();
    return hear(Sound::kGoodbye);
  }
  if (event.timer != key_timer()) return;
  if (!state_.entry.empty()) return choose(true);
  count_try(Sound::kGreeting, state_.place.timeout_destination);
}

// No timer of a key runs.
void Step::take(char key) {
  if (key == '#') return choose(true);
  state_.entry += key;
  choose(false);
}

void Step::choose(bool is_complete) {
  const Choice choice = choice_of(state_.place, state_.entry, is_complete);
  if (std::holds_alternative<MoreKeys>(choice)) return emit(StartTimer{Timer::kNextKey});
  const std::string entry = std::exchange(state_.entry, {});
  if (std::holds_alternative<ChosenExtension>(choice)) return resolve(entry, true);
  const auto* option = std::get_if<ChosenOption>(&choice);
  if (!option) return count_try(Sound::kInvalid, state_.place.invalid_destination);
  if (option->destination == "back" && state_.depth > 0) return go_back();
  if (option->destination == "back" || option->destination == "repeat") return greet();
  resolve(option->destination);
}

void Step::stop_entry() {
  emit(StopTimer{key_timer()});
  state_.entry.clear();
}

void Step::count_try(Sound sound, const std::string& last_destination) {
  if (++state_.tries < state_.place.tries_max) return hear(sound);
  conclude(last_destination);
}

// Without a choice of the caller.
void Step::conclude(const std::string& last_destination) {
  if (last_destination.empty()) return is_menu() ? part() : hang_up();
  state_.is_last = true;
  resolve(last_destination);
}

// ---- the end ----

void Step::part() {
  state_.phase = Parting{play(Sound::kGoodbye)};
}

void Step::on(const Parting& phase, const SoundPlayed& event) {
  if (phase.play == event.question) hang_up();
}

void Step::on(const Parting&, const TimerFired& event) {
  if (event.timer == Timer::kCall) hang_up();
}

void Step::leave(RefusalReason reason) {
  if (state_.is_answered) return hang_up();
  emit(Refuse{reason});
  end(EndedBy::kParkd);
}

void Step::hang_up() {
  emit(HangUp{});
  end(EndedBy::kParkd);
}

void Step::end(EndedBy by) {
  if (in<Collecting>()) stop_entry();
  if (std::exchange(state_.target, 0) != 0) emit(EndTarget{});
  if (std::exchange(state_.has_peer, false)) emit(EndPeer{});
  // With a row and no session of this machine's there is still the one of the parkd before.
  if (std::exchange(state_.has_media, false) || state_.has_row) emit(CloseMedia{});
  if (std::exchange(state_.has_row, false)) emit(RemoveRow{by});
  emit(StopTimer{Timer::kCall});
  state_.phase = Ended{};
}

Decision begin() {
  Step step{State{}};
  step.begin();
  return std::move(step).done();
}

Decision resume(const Found& found) {
  Step step{State{}};
  step.resume(found);
  return std::move(step).done();
}

Decision decide(const State& state, const Event& event) {
  Step step{state};
  step.decide(event);
  return std::move(step).done();
}

}  // namespace callpark::menu
