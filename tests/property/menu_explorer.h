// Walks through every state that the machine of a caller in a menu and the world around it can reach.
#pragma once

#include <algorithm>
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

#include "tests/property/menu_events.h"

namespace callpark::menu {

struct Machine {
  std::function<Decision()> begin = [] { return menu::begin(); };
  std::function<Decision(const Found&)> resume = [](const Found& found) { return menu::resume(found); };
  std::function<Decision(const State&, const Event&)> decide = [](const State& state, const Event& event) {
    return menu::decide(state, event);
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
        if constexpr (std::is_same_v<P, Returning> || std::is_same_v<P, Joining>) return &p.offer;
        if constexpr (std::is_same_v<P, Greeting> || std::is_same_v<P, Speaking> || std::is_same_v<P, Parting>) {
          return &p.play;
        }
        if constexpr (std::is_same_v<P, Resolving>) return &p.resolve;
        if constexpr (std::is_same_v<P, Claiming>) return &p.claim;
        return nullptr;
      },
      phase);
}

inline std::vector<std::optional<Question>*> questions_of(World& w) {
  return {&w.look_up, &w.answer, &w.resolve, &w.call, &w.claim, &w.offer_target, &w.offer_media, &w.play, &w.old_play};
}

/// Questions are only ever compared, so worlds that differ in nothing but their numbers are one.
inline void canonical(World& w) {
  std::vector<Question*> live;
  if (Question* question = question_of(w.machine.phase)) live.push_back(question);
  if (w.machine.target != 0) live.push_back(&w.machine.target);
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
inline std::string key_of(World& w) {
  if (in<Ended>(w)) return {};
  std::string key;
  const auto put = [&key](auto value) { key.push_back(static_cast<char>(value)); };
  State& m = w.machine;
  put(m.phase.index());
  const Question* question = question_of(m.phase);
  put(question ? *question : 0);
  const auto* returning = std::get_if<Returning>(&m.phase);
  put(returning ? static_cast<int>(returning->then) : -1);
  const auto* resolving = std::get_if<Resolving>(&m.phase);
  put(resolving && resolving->is_entered);
  for (const std::optional<Question>* one : questions_of(w)) put(*one ? **one : 0);
  for (const bool flag : {m.is_last, m.is_answered, m.has_media, m.is_moved, m.has_row, m.has_peer, w.media_open,
                          w.has_row, w.row_has_target, w.has_peer, w.earlier_media, w.is_collecting, w.is_entered,
                          w.is_last, w.is_moved_again, w.is_time_over}) {
    put(flag);
  }
  // Of a place that is not known, nothing counts.
  const bool is_known = w.place >= 0;
  for (const int value : {w.place, m.depth, w.depth, is_known ? m.tries : 0, is_known ? w.tries : 0,
                          is_known ? m.times_played : 0, is_known ? w.times_played : 0, w.moves_left, w.places_left,
                          static_cast<int>(m.target), static_cast<int>(w.play ? w.sound : Sound{}),
                          w.owed ? static_cast<int>(*w.owed) : -1, static_cast<int>(w.caller),
                          static_cast<int>(w.hears), static_cast<int>(w.target), static_cast<int>(w.timers)}) {
    put(value);
  }
  return key + m.entry + '/' + w.typed;
}

inline World after(World world, Decision decision) {
  world.machine = std::move(decision.next);
  for (const Action& action : decision.actions) std::visit(Perform(world), action);
  check(world);
  world.due = Due();
  world.is_hung_up = false;
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
  return {PlaceFound{old, places().front()},
          PlaceMissing{old},
          DestinationRings{old},
          DestinationHangsUp{old},
          StoreFailed{old},
          CallAnswered{old},
          MediaFailed{old, RefusalReason::kNoMedia},
          SoundPlayed{old},
          TargetAnswered{old},
          TargetRefused{old},
          Claimed{old},
          NotClaimed{old},
          CallerAccepted{old},
          CallerRefused{old, true}};
}

/// A new call, and calls that another parkd has left: in a menu below another, or with a target, which the caller may
/// hear, and many places above.
inline std::vector<World> beginnings(const Machine& machine) {
  std::vector<World> worlds;
  World fresh;
  fresh.due.start_call_timer = fresh.due.look_up = true;
  worlds.push_back(after(fresh, machine.begin()));
  for (const Found& found : {Found{1, false}, Found{kDepthMax, true}}) {
    World left = fresh;
    left.depth = found.depth;
    left.caller = Call::kAnswered;
    left.hears = found.has_peer ? Hears::kOther : Hears::kSession;
    left.has_row = left.earlier_media = true;
    left.has_peer = left.row_has_target = found.has_peer;
    left.moves_left = left.places_left = 1;
    worlds.push_back(after(left, machine.resume(found)));
  }
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

using Edges = std::vector<std::vector<std::size_t>>;

/// Whether from each world one that has ended can be reached.
inline bool each_can_end(const Edges& predecessors, std::vector<bool> can_end) {
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

/// Events that are no key, no time, and no end of a sound: a circle of those would never be heard.
inline bool is_silent(const Event& event) {
  return !std::holds_alternative<KeyPressed>(event) && !std::holds_alternative<SoundPlayed>(event) &&
         !std::holds_alternative<TimerFired>(event) && !std::holds_alternative<MediaMoved>(event);
}

inline bool has_circle(const Edges& successors) {
  std::vector<std::size_t> entries(successors.size());
  for (const auto& all : successors) {
    for (const std::size_t to : all) ++entries[to];
  }
  std::deque<std::size_t> free;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] == 0) free.push_back(i);
  }
  std::size_t removed = 0;
  for (; !free.empty(); free.pop_front(), ++removed) {
    for (const std::size_t to : successors[free.front()]) {
      if (--entries[to] == 0) free.push_back(to);
    }
  }
  return removed != successors.size();
}

inline Exploration explore(const Machine& machine) {
  Exploration result;
  std::unordered_map<std::string, std::size_t> seen;
  std::deque<World> queue;
  Edges predecessors;
  Edges silent;
  std::vector<bool> can_end;
  std::vector<Passage> passages;
  const auto visit = [&](World world, const Passage& passage) {
    const auto [place, is_new] = seen.try_emplace(key_of(world), seen.size());
    if (is_new) {
      predecessors.emplace_back();
      silent.emplace_back();
      can_end.push_back(in<Ended>(world));
      queue.push_back(std::move(world));
      passages.push_back(passage);
    }
    if (!passage.event.empty()) predecessors[place->second].push_back(passage.from);
    return place->second;
  };
  try {
    for (World& world : beginnings(machine)) visit(std::move(world), {});
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
          Decision decision = machine.decide(next.before.machine, next.event);
          if (decision.next.phase.index() != world.machine.phase.index()) {
            result.transitions.emplace(world.machine.phase.index(), next.event.index(), decision.next.phase.index());
          }
          const std::size_t to = visit(after(next.before, std::move(decision)), passage);
          if (to != number && is_silent(next.event)) silent[number].push_back(to);
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
  if (has_circle(silent)) result.violation = "a circle without a key, a sound or a timer";
  return result;
}

}  // namespace callpark::menu
