// Machines of a call to a call flow's code with one fault each. The explorer must find every fault.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/property/flow_explorer.h"

namespace callpark::flow {

struct Mutant {
  std::string name;
  Machine machine;
};

/// Changes a decision.
inline Mutant decides(std::string name,
                      std::function<void(const State& before, const Event& event, Decision& decision)> mistake) {
  Mutant mutant{std::move(name), {}};
  mutant.machine.decide = [mistake = std::move(mistake)](const State& state, const Event& event) {
    Decision decision = decide(state, event);
    mistake(state, event, decision);
    return decision;
  };
  return mutant;
}

/// Reads another event, or another state, than there is.
inline Mutant reads(std::string name, std::function<void(State& state, Event& event)> misreading) {
  Mutant mutant{std::move(name), {}};
  mutant.machine.decide = [misreading = std::move(misreading)](const State& state, const Event& event) {
    State misread_state = state;
    Event misread_event = event;
    misreading(misread_state, misread_event);
    return decide(misread_state, misread_event);
  };
  return mutant;
}

template <class P>
bool is_in(const State& state) {
  return std::holds_alternative<P>(state.phase);
}

template <class A>
void remove(Decision& decision) {
  auto& actions = decision.actions;
  actions.erase(std::remove_if(actions.begin(), actions.end(),
                               [](const Action& action) { return std::holds_alternative<A>(action); }),
                actions.end());
}

/// Drops the action from every decision.
template <class A>
Mutant forgets(const std::string& name) {
  return decides("forgets " + name, [](const State&, const Event&, Decision& decision) { remove<A>(decision); });
}

/// Returns the state unchanged.
template <class E>
Mutant ignores(const std::string& name) {
  return decides("ignores " + name, [](const State& before, const Event& event, Decision& decision) {
    if (std::holds_alternative<E>(event)) decision = {before, {}};
  });
}

/// Reads a late answer as the one that is awaited.
template <class E>
Mutant trusts(const std::string& name) {
  return reads("trusts a late " + name, [](State& state, Event& event) {
    Phase phase = state.phase;
    auto* answer = std::get_if<E>(&event);
    const Question* question = question_of(phase);
    if (answer && question) answer->question = *question;
  });
}

inline std::vector<Mutant> forgetful_mutants() {
  return {forgets<CountTry>("CountTry"),
          forgets<ForgetFailures>("ForgetFailures"),
          forgets<RecordWrongPin>("RecordWrongPin"),
          forgets<RecordLocked>("RecordLocked"),
          forgets<Toggle>("Toggle"),
          forgets<Answer>("Answer"),
          forgets<Refuse>("Refuse"),
          forgets<HangUp>("HangUp"),
          forgets<Play>("Play"),
          forgets<StopPrompt>("StopPrompt"),
          forgets<CloseMedia>("CloseMedia"),
          forgets<CheckPin>("CheckPin"),
          forgets<StartTimer>("StartTimer"),
          forgets<StopTimer>("StopTimer")};
}

inline std::vector<Mutant> deaf_mutants() {
  return {
      ignores<FlowFound>("FlowFound"),       ignores<FlowMissing>("FlowMissing"), ignores<StoreFailed>("StoreFailed"),
      ignores<CallAnswered>("CallAnswered"), ignores<MediaFailed>("MediaFailed"), ignores<MediaLost>("MediaLost"),
      ignores<PromptPlayed>("PromptPlayed"), ignores<KeyPressed>("KeyPressed"),   ignores<TryCounted>("TryCounted"),
      ignores<TryDenied>("TryDenied"),       ignores<PinRight>("PinRight"),       ignores<PinWrong>("PinWrong"),
      ignores<Toggled>("Toggled"),           ignores<NotToggled>("NotToggled"),   ignores<CallerGone>("CallerGone"),
      ignores<TimerFired>("TimerFired")};
}

inline std::vector<Mutant> credulous_mutants() {
  return {
      trusts<FlowFound>("FlowFound"),       trusts<FlowMissing>("FlowMissing"), trusts<StoreFailed>("StoreFailed"),
      trusts<CallAnswered>("CallAnswered"), trusts<MediaFailed>("MediaFailed"), trusts<PromptPlayed>("PromptPlayed"),
      trusts<TryCounted>("TryCounted"),     trusts<TryDenied>("TryDenied"),     trusts<PinRight>("PinRight"),
      trusts<PinWrong>("PinWrong"),         trusts<Toggled>("Toggled"),         trusts<NotToggled>("NotToggled")};
}

inline std::vector<Mutant> mistaken_mutants() {
  return {
      reads("reads a wrong PIN as the right one",
            [](State&, Event& event) {
              if (const auto* wrong = std::get_if<PinWrong>(&event)) event = PinRight{wrong->question};
            }),
      reads("compares the PIN of a locked extension",
            [](State&, Event& event) {
              if (const auto* denied = std::get_if<TryDenied>(&event)) event = TryCounted{denied->question, false};
            }),
      reads("loses the lock",
            [](State&, Event& event) {
              if (auto* counted = std::get_if<TryCounted>(&event)) counted->locks = false;
            }),
      reads("asks a locked extension", [](State& state, Event&) { state.facts.is_locked = false; }),
      reads("does not ask for the PIN", [](State& state, Event&) { state.facts.has_pin = false; }),
      reads("does not know the length of a PIN", [](State& state, Event&) { state.facts.plain_pin_length = 0; }),
      reads("does not clear at a star",
            [](State&, Event& event) {
              auto* key = std::get_if<KeyPressed>(&event);
              if (key && key->key == '*') key->key = '9';
            }),
      reads("does not end at a hash",
            [](State&, Event& event) {
              auto* key = std::get_if<KeyPressed>(&event);
              if (key && key->key == '#') key->key = '9';
            }),
      reads("counts no wrong PINs", [](State& state, Event&) { state.wrong_pins = 0; }),
      reads("counts no silences", [](State& state, Event&) { state.silences = 0; }),
      decides("counts silences that are not in a row",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<KeyPressed>(event)) decision.next.silences = before.silences;
              }),
      decides("reads a star as the end of a silence",
              [](const State&, const Event& event, Decision& decision) {
                const auto* key = std::get_if<KeyPressed>(&event);
                if (key && key->key == '*') decision.next.silences = 0;
              }),
      reads("reads a silence after a key as a try of nothing",
            [](State& state, Event& event) {
              auto* fired = std::get_if<TimerFired>(&event);
              if (fired && fired->timer == Timer::kNextKey) state.entry.wipe();
            }),
      decides("cuts a long entry off",
              [](const State& before, const Event&, Decision& decision) {
                if (before.entry.size() == kPinDigitsMax && decision.next.entry.is_too_long()) {
                  decision.next.entry = before.entry;
                }
              }),
      decides("keeps the entry after the comparison",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<TryCounted>(event)) decision.next.entry = before.entry;
              }),
      decides("keeps the entry after the call",
              [](const State& before, const Event&, Decision& decision) {
                if (is_in<Ended>(decision.next)) decision.next.entry = before.entry;
              }),
      decides("compares before it counts",
              [](const State&, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  if (const auto* count = std::get_if<CountTry>(&action)) {
                    const Question question = count->question;
                    action = CheckPin{question, decision.next.entry};
                    decision.next.phase = Checking{question, false};
                    decision.next.entry.wipe();
                  }
                }
              }),
      decides("toggles back",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<Toggled>(event) && is_in<Toggling>(before)) {
                  decision.actions.insert(decision.actions.begin(), Toggle{decision.next.last_question});
                }
              }),
      decides("toggles again when it is not known to be done",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<StoreFailed>(event) && is_in<Toggling>(before)) {
                  const Question again = before.last_question + 1;
                  decision = {before, {Toggle{again}}};
                  decision.next.phase = Toggling{again};
                  decision.next.last_question = again;
                }
              }),
      decides("plays the sound of the other mode",
              [](const State&, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  auto* play = std::get_if<Play>(&action);
                  if (play && play->prompt == Prompt::kModeOn) play->prompt = Prompt::kModeOff;
                }
              }),
      decides("plays the sound of a mode after a failed toggle",
              [](const State& before, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  auto* play = std::get_if<Play>(&action);
                  if (play && is_in<Toggling>(before)) play->prompt = Prompt::kModeOn;
                }
              }),
      decides("records a wrong PIN twice",
              [](const State&, const Event&, Decision& decision) {
                for (const Action& action : decision.actions) {
                  if (const auto* wrong = std::get_if<RecordWrongPin>(&action)) {
                    decision.actions.emplace_back(RecordWrongPin{wrong->locks});
                    return;
                  }
                }
              }),
      decides("hangs up on a caller that is gone",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<CallerGone>(event) && !is_in<Ended>(before)) {
                  decision.actions.insert(decision.actions.begin(), HangUp{});
                }
              }),
      decides("goes on without a prompt after a wrong PIN",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<PinWrong>(event) && is_in<Asking>(decision.next) &&
                    is_in<Checking>(before)) {
                  remove<Play>(decision);
                  decision.next.phase = Collecting{};
                }
              }),
  };
}

inline std::vector<Mutant> mutants() {
  std::vector<Mutant> all;
  for (const auto& some : {forgetful_mutants(), deaf_mutants(), credulous_mutants(), mistaken_mutants()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace callpark::flow
