// How a park machine with one fault is made.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tests/property/park_explorer.h"

namespace callpark::park {

struct Mutant {
  std::string name;
  Machine machine;
};

using Mistake = std::function<void(const State& before, const Event& event, Decision& decision)>;
using RecordMistake = std::function<void(Recorded recorded, const State& before, const Decision& decision, History&)>;

inline Mutant decides(std::string name, Mistake mistake) {
  return {std::move(name),
          {[mistake = std::move(mistake)](const State& state, const Event& event) {
             Decision decision = decide(state, event);
             mistake(state, event, decision);
             return decision;
           },
           record, next_change}};
}

inline Mutant records(std::string name, RecordMistake mistake) {
  Machine machine = real_machine();
  machine.record = [mistake = std::move(mistake)](Recorded recorded, const State& before, const Decision& decision) {
    History history = record(recorded, before, decision);
    mistake(recorded, before, decision, history);
    return history;
  };
  return {std::move(name), std::move(machine)};
}

using SegmentMistake = std::function<void(const OpenSegment& open, Recorded recorded, const State& before,
                                          const Decision& decision, std::optional<SegmentChange>& change)>;

inline Mutant bills(std::string name, SegmentMistake mistake) {
  Machine machine = real_machine();
  machine.next_change = [mistake = std::move(mistake)](const OpenSegment& open, Recorded recorded, const State& before,
                                                       const Decision& decision) {
    auto change = next_change(open, recorded, before, decision);
    mistake(open, recorded, before, decision, change);
    return change;
  };
  return {std::move(name), std::move(machine)};
}

/// Reads another event, or another state, than there is.
inline Mutant reads(std::string name, std::function<void(State& state, Event& event)> misreading) {
  return {std::move(name),
          {[misreading = std::move(misreading)](const State& state, const Event& event) {
             State misread_state = state;
             Event misread_event = event;
             misreading(misread_state, misread_event);
             return decide(misread_state, misread_event);
           },
           record, next_change}};
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

}  // namespace callpark::park
