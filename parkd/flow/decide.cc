#include "parkd/flow/decide.h"

#include <utility>

namespace callpark::flow {
namespace {

// The state as it becomes, and the actions as they come up.
class Step {
 public:
  explicit Step(const State& state) : state_(state) {}

  void begin();
  void decide(const Event& event);
  Decision done() && { return {std::move(state_), std::move(actions_)}; }

 private:
  // A transition that is not listed changes nothing: its event is late.
  template <class P, class E>
  void on(const P&, const E&) {}
  void on(const LookingUp& phase, const FlowFound& event);
  void on(const LookingUp& phase, const FlowMissing& event);
  void on(const LookingUp& phase, const StoreFailed& event);
  void on(const Answering& phase, const CallAnswered& event);
  void on(const Answering& phase, const MediaFailed& event);
  void on(const Asking& phase, const PromptPlayed& event);
  void on(const Asking& phase, const KeyPressed& event);
  void on(const Collecting& phase, const KeyPressed& event);
  void on(const Counting& phase, const TryCounted& event);
  void on(const Counting& phase, const TryDenied& event);
  void on(const Counting& phase, const StoreFailed& event);
  void on(const Checking& phase, const PinRight& event);
  void on(const Checking& phase, const PinWrong& event);
  void on(const Toggling& phase, const Toggled& event);
  void on(const Toggling& phase, const NotToggled& event);
  void on(const Toggling& phase, const StoreFailed& event);
  void on(const Parting& phase, const PromptPlayed& event);

  void on(const Collecting&, const TimerFired& event) {
    if (event.timer == Timer::kCall) return hang_up();
    if (event.timer == Timer::kFirstKey && state_.entry.empty()) return note_silence();
    if (event.timer == Timer::kNextKey && !state_.entry.empty()) count_try();
  }
  template <class P>
  void on(const P&, const TimerFired& event) {
    if (event.timer == Timer::kCall) hang_up();
  }
  void on(const LookingUp&, const TimerFired& event) {
    if (event.timer == Timer::kCall) refuse(RefusalReason::kUnavailable);
  }
  void on(const Answering&, const TimerFired& event) {
    if (event.timer == Timer::kCall) refuse(RefusalReason::kUnavailable);
  }
  void on(const Ended&, const TimerFired&) {}

  template <class P>
  void on(const P&, const MediaLost&) {
    hang_up();
  }
  void on(const LookingUp&, const MediaLost&) {}
  void on(const Answering&, const MediaLost&) {}
  void on(const Ended&, const MediaLost&) {}

  template <class P>
  void on(const P&, const CallerGone&) {
    end();
  }
  void on(const Ended&, const CallerGone&) {}

  void ask(Prompt prompt);
  void take(char key);
  void wait_for_key();
  void stop_key_timer();
  void note_silence();
  void count_try();
  void turn_away();
  void toggle();
  void part(Prompt prompt);
  void refuse(RefusalReason reason);
  void hang_up();
  void end();

  template <class P>
  bool in() const {
    return std::holds_alternative<P>(state_.phase);
  }
  template <class... A>
  void emit(const A&... actions) {
    (actions_.emplace_back(actions), ...);
  }
  Question next_question() { return ++state_.last_question; }

  State state_;
  std::vector<Action> actions_;
};

void Step::begin() {
  const Question look_up = next_question();
  state_.phase = LookingUp{look_up};
  emit(StartTimer{Timer::kCall}, LookUp{look_up});
}

void Step::decide(const Event& event) {
  // A copy: the transition replaces the phase.
  const Phase phase = state_.phase;
  std::visit([this](const auto& now, const auto& fact) { on(now, fact); }, phase, event);
}

// ---- until the call is answered ----

void Step::on(const LookingUp& phase, const FlowFound& event) {
  if (phase.look_up != event.question) return;
  state_.facts = event.facts;
  const Question answer = next_question();
  state_.phase = Answering{answer};
  state_.has_media = true;
  emit(Answer{answer});
}

void Step::on(const LookingUp& phase, const FlowMissing& event) {
  if (phase.look_up == event.question) refuse(RefusalReason::kNotFound);
}

void Step::on(const LookingUp& phase, const StoreFailed& event) {
  if (phase.look_up == event.question) refuse(RefusalReason::kUnavailable);
}

void Step::on(const Answering& phase, const CallAnswered& event) {
  if (phase.answer != event.question) return;
  if (state_.facts.is_locked) return turn_away();
  if (!state_.facts.has_pin) return toggle();
  ask(Prompt::kEnterPin);
}

void Step::on(const Answering& phase, const MediaFailed& event) {
  if (phase.answer == event.question) refuse(state_.facts.is_locked ? RefusalReason::kLocked : event.reason);
}

// ---- the PIN is entered ----

void Step::ask(Prompt prompt) {
  const Question play = next_question();
  state_.phase = Asking{play};
  emit(Play{play, prompt});
}

void Step::on(const Asking& phase, const PromptPlayed& event) {
  if (phase.play != event.question) return;
  state_.phase = Collecting{};
  wait_for_key();
}

void Step::on(const Asking&, const KeyPressed& event) {
  // A caller may press '#' behind an entry that was complete without it.
  if (event.key == '#') return;
  state_.phase = Collecting{};
  emit(StopPrompt{});
  take(event.key);
}

void Step::on(const Collecting&, const KeyPressed& event) {
  if (event.key == '#' && state_.entry.empty()) return;
  stop_key_timer();
  take(event.key);
}

// No timer of a key runs.
void Step::take(char key) {
  if (key == '#') return count_try();
  if (key == '*') {
    state_.entry.wipe();
  } else {
    state_.silences = 0;
    state_.entry.add(key);
  }
  const std::size_t complete = state_.facts.plain_pin_length;
  if (complete != 0 && state_.entry.size() == complete) return count_try();
  wait_for_key();
}

void Step::wait_for_key() {
  emit(StartTimer{state_.entry.empty() ? Timer::kFirstKey : Timer::kNextKey});
}

void Step::stop_key_timer() {
  emit(StopTimer{state_.entry.empty() ? Timer::kFirstKey : Timer::kNextKey});
}

void Step::note_silence() {
  if (++state_.silences == kSilencesMax) return hang_up();
  ask(Prompt::kEnterPin);
}

void Step::count_try() {
  const Question count = next_question();
  state_.phase = Counting{count};
  emit(CountTry{count});
}

// ---- the PIN is compared ----

void Step::on(const Counting& phase, const TryCounted& event) {
  if (phase.count != event.question) return;
  const Question check = next_question();
  state_.phase = Checking{check, event.locks};
  emit(CheckPin{check, state_.entry});
  state_.entry.wipe();
}

void Step::on(const Counting& phase, const TryDenied& event) {
  if (phase.count == event.question) turn_away();
}

void Step::on(const Counting& phase, const StoreFailed& event) {
  if (phase.count == event.question) part(Prompt::kNotAvailable);
}

void Step::on(const Checking& phase, const PinRight& event) {
  if (phase.check != event.question) return;
  emit(ForgetFailures{});
  toggle();
}

void Step::on(const Checking& phase, const PinWrong& event) {
  if (phase.check != event.question) return;
  emit(RecordWrongPin{phase.locks});
  ++state_.wrong_pins;
  if (phase.locks) return part(Prompt::kLocked);
  // The lock is for each third failure in a row, whichever calls they were of; a call ends with its third, even if an
  // operator has ended the lock meanwhile.
  if (state_.wrong_pins == kTriesMax) return part(Prompt::kWrongPin);
  ask(Prompt::kWrongPin);
}

void Step::turn_away() {
  emit(RecordLocked{});
  part(Prompt::kLocked);
}

// ---- the status is toggled ----

void Step::toggle() {
  const Question toggle = next_question();
  state_.phase = Toggling{toggle};
  emit(Toggle{toggle});
}

void Step::on(const Toggling& phase, const Toggled& event) {
  if (phase.toggle == event.question) part(event.status == Status::kOn ? Prompt::kModeOn : Prompt::kModeOff);
}

void Step::on(const Toggling& phase, const NotToggled& event) {
  if (phase.toggle == event.question) part(Prompt::kNotAvailable);
}

void Step::on(const Toggling& phase, const StoreFailed& event) {
  if (phase.toggle == event.question) part(Prompt::kNotAvailable);
}

// ---- the end ----

void Step::part(Prompt prompt) {
  state_.entry.wipe();
  const Question play = next_question();
  state_.phase = Parting{play};
  emit(Play{play, prompt});
}

void Step::on(const Parting& phase, const PromptPlayed& event) {
  if (phase.play == event.question) hang_up();
}

void Step::refuse(RefusalReason reason) {
  emit(Refuse{reason});
  end();
}

void Step::hang_up() {
  emit(HangUp{});
  end();
}

void Step::end() {
  if (in<Collecting>()) stop_key_timer();
  if (std::exchange(state_.has_media, false)) emit(CloseMedia{});
  emit(StopTimer{Timer::kCall});
  state_.entry.wipe();
  state_.phase = Ended{};
}

}  // namespace

Decision begin() {
  Step step{State{}};
  step.begin();
  return std::move(step).done();
}

Decision decide(const State& state, const Event& event) {
  Step step{state};
  step.decide(event);
  return std::move(step).done();
}

}  // namespace callpark::flow
