#include "parkd/park/recall.h"

#include <utility>

namespace callpark::park::recall {
namespace {

RecallTarget fallback_or_end(const RecallPolicy& policy, const RecallProgress& progress) {
  return policy.has_fallback && progress.target != RecallTarget::kFallback ? RecallTarget::kFallback
                                                                           : RecallTarget::kNone;
}

// The state as it becomes, the actions as they come up. Each step is written to the row before its target is called.
class Step {
 public:
  explicit Step(const State& state) : decision_{state, {}, Outcome::kGoesOn} {}

  template <class P, class E>
  void on(const P&, const E&) {}
  void on(const Waiting& waiting, const TimerFired& event);
  void on(const Writing& writing, const RowWritten& event);
  void on(const Writing& writing, const RowNotWritten& event);
  void on(const Calling& calling, const TargetAnswered& event);
  void on(const Calling& calling, const TargetRefused& event);
  void on(const Calling& calling, const TimerFired& event);
  void on(const Claiming& claiming, const RecallClaimed& event);
  void on(const Claiming& claiming, const RecallNotClaimed& event);

  void wait();
  void repeat();
  void call();
  void advance();
  void stop();
  Decision done() && { return std::move(decision_); }

 private:
  void wait_for_next_attempt();
  void write_next();
  void write_step();

  template <class... A>
  void emit(A... actions) {
    (decision_.actions.emplace_back(actions), ...);
  }
  Question ask() { return ++state().last_question; }
  State& state() { return decision_.next; }

  Decision decision_;
};

void Step::on(const Waiting&, const TimerFired& event) {
  if (event.timer != Timer::kRecall) return;
  if (state().progress.is_calling) return write_step();
  write_next();
}

void Step::on(const Writing& writing, const RowWritten& event) {
  if (writing.write == event.question) call();
}

void Step::on(const Writing& writing, const RowNotWritten& event) {
  // The target's answer could not win the row. No target was called, so the step does not count: else a database that
  // is away for seconds hangs up on a caller at the last step. The call's deadline ends a recall that is never written.
  if (writing.write == event.question) repeat();
}

void Step::on(const Calling& calling, const TargetAnswered& event) {
  if (calling.call != event.question) return;
  // A retriever may be first: the database decides.
  const Question claim = ask();
  state().phase = Claiming{claim};
  emit(ClaimForTarget{claim});
}

void Step::on(const Calling& calling, const TargetRefused& event) {
  if (calling.call == event.question) advance();
}

void Step::on(const Calling&, const TimerFired& event) {
  if (event.timer != Timer::kRecall) return;
  emit(EndTarget{});
  advance();
}

void Step::on(const Claiming& claiming, const RecallClaimed& event) {
  if (claiming.claim == event.question) decision_.outcome = Outcome::kClaimed;
}

void Step::on(const Claiming& claiming, const RecallNotClaimed& event) {
  if (claiming.claim != event.question) return;
  emit(EndTarget{});
  wait_for_next_attempt();
}

// For what is left of the time that was set.
void Step::wait() {
  state().progress.is_calling = false;
  state().phase = Waiting{};
  emit(StartTimer{Timer::kRecall});
}

void Step::wait_for_next_attempt() {
  emit(SetRecallDeadline{RecallWait::kNextAttempt});
  wait();
}

// The call of this step was cut short by a retrieve that was undone or by the death of a parkd, or was not made for
// want of the database: no target has declined it, so it is made once more. It does not wait for the rest of its time,
// which for a ring group or a fallback is hours.
void Step::repeat() {
  state().phase = Waiting{};
  emit(SetRecallDeadline{RecallWait::kNextAttempt}, StartTimer{Timer::kRecall});
}

void Step::write_next() {
  const RecallTarget next = next_target(state().policy, state().progress);
  if (next == RecallTarget::kNone) {
    state().phase = Waiting{};
    decision_.outcome = Outcome::kNoTargetLeft;
    return;
  }
  state().progress = advanced(state().policy, state().progress, next);
  write_step();
}

void Step::write_step() {
  const Question write = ask();
  state().phase = Writing{write};
  emit(StopTimer{Timer::kRecall}, SetRecallDeadline{RecallWait::kAnswer}, WriteParked{write});
}

void Step::call() {
  const Question call = ask();
  state().phase = Calling{call};
  emit(CallRecallTarget{call, state().progress.target}, StartTimer{Timer::kRecall});
}

// The target did not answer. The parker is given a moment before the next call to it; any other target is called at
// once.
void Step::advance() {
  RecallProgress& progress = state().progress;
  progress.is_calling = false;
  const bool was_parker = progress.target == RecallTarget::kParker;
  if (!was_parker || next_target(state().policy, progress) != RecallTarget::kParker) return write_next();
  wait_for_next_attempt();
  emit(WriteParked{ask()});
}

void Step::stop() {
  const Phase& phase = state().phase;
  if (std::holds_alternative<Off>(phase)) return;
  if (std::holds_alternative<Calling>(phase) || std::holds_alternative<Claiming>(phase)) emit(EndTarget{});
  state().phase = Off{};
  emit(StopTimer{Timer::kRecall});
}

}  // namespace

Decision begin(const State& state) {
  Step step{state};
  if (state.policy.mode != RecallMode::kOff) step.wait();
  return std::move(step).done();
}

Decision repeat(const State& state) {
  if (!state.progress.is_calling) return begin(state);
  Step step{state};
  step.repeat();
  return std::move(step).done();
}

Decision resume(const State& state) {
  if (!state.progress.is_calling) return begin(state);
  Step step{state};
  // Kamailio ends the call of the parkd before, if that still rings, when it sees this one.
  step.call();
  return std::move(step).done();
}

Decision advance(const State& state) {
  Step step{state};
  step.advance();
  return std::move(step).done();
}

Decision stop(const State& state) {
  Step step{state};
  step.stop();
  return std::move(step).done();
}

Decision decide(const State& state, const Event& event) {
  Step step{state};
  std::visit([&step](const auto& phase, const auto& fact) { step.on(phase, fact); }, state.phase, event);
  return std::move(step).done();
}

RecallTarget next_target(const RecallPolicy& policy, const RecallProgress& progress) {
  const bool is_first = progress.target == RecallTarget::kNone;
  const bool parker_was_last = is_first || progress.target == RecallTarget::kParker;
  switch (policy.mode) {
    case RecallMode::kOff:
      break;
    case RecallMode::kParkerOnly:
      if (parker_was_last && (policy.attempts_max == 0 || progress.attempts < policy.attempts_max))
        return RecallTarget::kParker;
      break;
    case RecallMode::kParkerThenRingGroup:
      if (is_first) return RecallTarget::kParker;
      if (parker_was_last) return RecallTarget::kRingGroup;
      break;
    case RecallMode::kRingGroupOnly:
      if (is_first) return RecallTarget::kRingGroup;
      break;
  }
  return fallback_or_end(policy, progress);
}

RecallProgress advanced(const RecallPolicy& policy, RecallProgress progress, RecallTarget target) {
  progress.target = target;
  progress.is_calling = true;
  if (target == RecallTarget::kParker && policy.attempts_max != 0) ++progress.attempts;
  return progress;
}

}  // namespace callpark::park::recall
