// Walks through every state that the machine of a call to a call flow's code and the world around it can reach.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "tests/property/flow_world.h"

namespace callpark::flow {

struct Machine {
  std::function<Decision()> begin = [] { return flow::begin(); };
  std::function<Decision(const State&, const Event&)> decide = [](const State& state, const Event& event) {
    return flow::decide(state, event);
  };
};

/// Each change of state that was seen: from which, by which event, to which.
using Transitions = std::set<std::tuple<std::size_t, std::size_t, std::size_t>>;

struct Exploration {
  std::size_t worlds = 0;
  std::optional<std::string> violation;
  Transitions transitions;
};

inline Question* question_of(Phase& phase) {
  return std::visit(
      [](auto& p) -> Question* {
        using P = std::decay_t<decltype(p)>;
        if constexpr (std::is_same_v<P, LookingUp>) return &p.look_up;
        if constexpr (std::is_same_v<P, Answering>) return &p.answer;
        if constexpr (std::is_same_v<P, Asking> || std::is_same_v<P, Parting>) return &p.play;
        if constexpr (std::is_same_v<P, Counting>) return &p.count;
        if constexpr (std::is_same_v<P, Checking>) return &p.check;
        if constexpr (std::is_same_v<P, Toggling>) return &p.toggle;
        return nullptr;
      },
      phase);
}

inline std::vector<std::optional<Question>*> questions_of(World& w) {
  return {&w.look_up, &w.answer, &w.count, &w.check, &w.toggle, &w.play, &w.stopped_play};
}

/// Questions are only ever compared, so worlds that differ in nothing but their numbers are one.
inline void canonical(World& w) {
  std::vector<Question*> live;
  if (Question* question = question_of(w.machine.phase)) live.push_back(question);
  for (std::optional<Question>* question : questions_of(w)) {
    if (*question) live.push_back(&**question);
  }
  std::vector<Question> numbers;
  for (const Question* question : live) numbers.push_back(*question);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (Question* question : live) {
    *question =
        static_cast<Question>(std::lower_bound(numbers.begin(), numbers.end(), *question) - numbers.begin()) + 1;
  }
  w.machine.last_question = static_cast<Question>(numbers.size());
}

/// Everything that distinguishes two canonical worlds.
inline std::string key_of(const World& w) {
  std::string key;
  const auto put = [&key](auto value) { key.push_back(static_cast<char>(value)); };
  World copy = w;
  const State& m = w.machine;
  put(m.phase.index());
  const Question* question = question_of(copy.machine.phase);
  put(question ? *question : 0);
  const auto* checking = std::get_if<Checking>(&m.phase);
  put(checking && checking->locks);
  for (const std::optional<Question>* one : questions_of(copy)) put(*one ? **one : 0);
  for (const bool flag : {m.facts.has_pin, m.facts.is_locked, m.has_media, w.media_open, w.may_lose_media, w.is_locked,
                          w.is_counted, w.count_locks, w.was_right, w.was_toggled}) {
    put(flag);
  }
  for (const auto value :
       {static_cast<int>(m.facts.plain_pin_length), m.wrong_pins, m.silences, static_cast<int>(w.call),
        static_cast<int>(w.timers), w.tries, w.silences, static_cast<int>(w.status)}) {
    put(value);
  }
  return key + w.pin + '/' + w.typed + '/' + std::string(m.entry.keys()) + (m.entry.is_too_long() ? "+" : "");
}

inline World after(World world, const Decision& decision) {
  world.machine = decision.next;
  for (const Action& action : decision.actions) std::visit(Perform(world), action);
  check(world);
  world.due = Due();
  if (in<Ended>(world)) {
    // What is still to come is late.
    for (std::optional<Question>* question : questions_of(world)) question->reset();
  }
  canonical(world);
  return world;
}

/// Answers to questions that the machine does not ask.
inline std::vector<Event> late_events(const State& state) {
  const Question old = state.last_question + 100;
  return {FlowFound{old, {}},
          FlowMissing{old},
          StoreFailed{old},
          CallAnswered{old},
          MediaFailed{old, RefusalReason::kNoMedia},
          PromptPlayed{old},
          TryCounted{old, false},
          TryDenied{old},
          PinRight{old},
          PinWrong{old},
          Toggled{old, Status::kOff},
          NotToggled{old}};
}

/// Without a PIN, with a PIN of two digits, and with its hash.
inline std::vector<World> beginnings() {
  std::vector<World> worlds(3);
  worlds[1].digits = worlds[1].pin = "12";
  worlds[2].digits = "12";
  // printf saltsalt12 | sha256sum
  worlds[2].pin = "sha256:saltsalt:c8ec995bda5aca9c0507228fde471c43a8fd0559a77fb6e8bbf547c8ba8fe7a7";
  return worlds;
}

/// How a world was first come to: from which other, and what happened there.
struct Passage {
  std::size_t from = 0;
  std::string_view phase;
  std::string_view event;
};

inline std::string way_to(const std::vector<Passage>& passages, Passage last) {
  std::string way;
  for (; !last.event.empty(); last = passages[last.from]) {
    way = std::string(last.phase) + ": " + std::string(last.event) + "\n" + way;
  }
  return way;
}

/// Whether from each world one that has ended can be reached.
inline bool each_can_end(const std::vector<std::vector<std::size_t>>& predecessors, std::vector<bool> can_end) {
  std::deque<std::size_t> ends;
  for (std::size_t i = 0; i < can_end.size(); ++i) {
    if (can_end[i]) ends.push_back(i);
  }
  while (!ends.empty()) {
    const std::size_t end = ends.front();
    ends.pop_front();
    for (const std::size_t before : predecessors[end]) {
      if (can_end[before]) continue;
      can_end[before] = true;
      ends.push_back(before);
    }
  }
  return std::find(can_end.begin(), can_end.end(), false) == can_end.end();
}

inline Exploration explore(const Machine& machine) {
  Exploration result;
  std::unordered_map<std::string, std::size_t> seen;
  std::deque<World> queue;
  std::vector<std::vector<std::size_t>> predecessors;
  std::vector<bool> can_end;
  std::vector<Passage> passages;
  const auto visit = [&](const World& world, const Passage& passage) {
    const auto [place, is_new] = seen.try_emplace(key_of(world), seen.size());
    if (is_new) {
      predecessors.emplace_back();
      can_end.push_back(in<Ended>(world));
      queue.push_back(world);
      passages.push_back(passage);
    }
    if (!passage.event.empty()) predecessors[place->second].push_back(passage.from);
  };
  try {
    for (const World& world : beginnings()) visit(after(world, machine.begin()), {});
    for (std::size_t number = 0; !queue.empty(); ++number) {
      const World world = std::move(queue.front());
      queue.pop_front();
      for (const Event& event : late_events(world.machine)) {
        const Decision decision = machine.decide(world.machine, event);
        require(decision.next == world.machine && decision.actions.empty(), world, "a late answer changes something");
      }
      if (in<Ended>(world)) continue;
      for (const Next& next : NextEvents(world).all()) {
        const Passage passage{number, name_of(world.machine.phase), name_of(next.event)};
        try {
          const Decision decision = machine.decide(next.before.machine, next.event);
          if (decision.next.phase.index() != world.machine.phase.index()) {
            result.transitions.emplace(world.machine.phase.index(), next.event.index(), decision.next.phase.index());
          }
          visit(after(next.before, decision), passage);
        } catch (Violation& violation) {
          violation.what += " after\n" + way_to(passages, passage);
          throw;
        }
      }
    }
  } catch (const Violation& violation) {
    result.violation = violation.what;
    return result;
  }
  result.worlds = seen.size();
  if (!each_can_end(predecessors, std::move(can_end))) result.violation = "a call that can never end";
  return result;
}

}  // namespace callpark::flow
