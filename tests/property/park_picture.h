// The picture of the park machine: the transitions that the explorer has seen, as one diagram a region.
#pragma once

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tests/property/park_explorer.h"

namespace callpark::park {

class Picture {
 public:
  explicit Picture(const Transitions& transitions) : transitions_(transitions) { name_states(); }

  std::string text() {
    text_ << R"(# The park machine

One call from the parker's first request until the caller's dialog ends, as `decide` in parkd/park has it. The explorer
(tests/property/park_explorer_test.cc) has seen these transitions and prints them; this file is not edited by hand.
Events that leave a call in its state are left out. The ends are in the last diagram. docs/glossary.md has the roles.
)";
    region("Adoption", "From the parker's request to the written row, or back.",
           {"Gathering", "Adopting", "Recording", "Returning"}, begin(Request::kRefer, {}, {}));
    region("Stay", "The caller waits, until a retriever or the target of a recall has it.",
           {"Parked", "Joining", "Confirming", "Recalling"}, resume(Found::kParked, {}, {}));
    recall_region();
    region("Conversation", "The caller and the peer talk.",
           {"Talking", "Transferring", "Connecting", "Replacing", "Restoring"}, resume(Found::kRetrieved, {}, {}));
    endings_region();
    return text_.str();
  }

 private:
  using Edges = std::vector<std::pair<std::pair<std::string, std::string>, std::set<std::string_view>>>;

  void name_states() {
    names_.resize(Transitions::kStates);
    const auto add = [this](const State& state) { names_[Transitions::number_of(state)] = name_of(state); };
    State state;
    const auto add_phase = [&](const Phase& phase) {
      state.phase = phase;
      add(state);
    };
    each_alternative<Phase>(add_phase);
    each_alternative<recall::Phase>([&](const recall::Phase& phase) { add_phase(Parked{{}, phase}); });
    each_alternative<Event>([this](const Event& event) { events_.push_back(name_of(event)); });
  }
  template <class V, class F, std::size_t... I>
  static void each_alternative(F use, std::index_sequence<I...>) {
    (use(V(std::in_place_index<I>, std::variant_alternative_t<I, V>{})), ...);
  }
  template <class V, class F>
  static void each_alternative(F use) {
    each_alternative<V>(use, std::make_index_sequence<std::variant_size_v<V>>());
  }

  static std::string phase_of(const std::string& state) { return state.substr(0, state.find(',')); }

  /// The transitions between two different states, in the order of the types; `named` names a state for the diagram, or
  /// leaves it out with "".
  template <class From, class To>
  Edges edges(From from_named, To to_named) const {
    Edges edges;
    for (std::size_t from = 0; from < Transitions::kStates; ++from) {
      for (std::size_t to = 0; to < Transitions::kStates; ++to) {
        const std::pair ends{from_named(names_[from]), to_named(names_[to])};
        if (ends.first == ends.second || ends.first.empty() || ends.second.empty()) continue;
        for (std::size_t event = 0; event < Transitions::kEvents; ++event) {
          if (!transitions_.has(from, event, to)) continue;
          auto edge = std::find_if(edges.begin(), edges.end(), [&ends](const auto& one) { return one.first == ends; });
          if (edge == edges.end()) edge = edges.insert(edges.end(), {ends, {}});
          edge->second.insert(events_[event]);
        }
      }
    }
    return edges;
  }

  static std::string_view meaning_of(const Phase& phase) {
    static constexpr std::string_view kMeanings[] = {
        "parkd claims the orbit and opens a session for the music. The caller is not asked anything yet.",
        "parkd offers the music to the caller, by a re-INVITE.",
        "The caller hears music. parkd completes the row, and reports the park to the parker after that.",
        "The caller waits in the orbit. Music that was lost is offered again.",
        "A retriever has won the call. parkd offers the retriever's media to the caller.",
        "The retriever, or the replacement of the peer, has its 200. parkd waits for the ACK.",
        "The caller talks to the peer. parkd passes on what each of them requests.",
        "The peer transfers the caller. parkd calls the target; caller and peer still talk.",
        "The target has answered. parkd offers the target's media to the caller.",
        "An attended transfer replaces the peer. parkd offers the replacement's media to the caller.",
        "The replacement has failed. parkd offers the peer's media to the caller again.",
        "The target of a recall has answered and has won the call. parkd offers the target's media to the caller.",
        "The park has failed, but the caller hears music. parkd offers the parker's media to the caller again.",
        "Nothing is left to do."};
    static_assert(std::size(kMeanings) == std::variant_size_v<Phase>);
    return kMeanings[phase.index()];
  }
  static std::string_view meaning_of(const recall::Phase& phase) {
    static constexpr std::string_view kMeanings[] = {
        "No recall is set.", "A timer runs until the next step.",
        "The next step is being written to the row; its target is called after that.", "parkd calls the target.",
        "The target has answered. parkd claims the row for it; a retriever may have been first."};
    static_assert(std::size(kMeanings) == std::variant_size_v<recall::Phase>);
    return kMeanings[phase.index()];
  }

  void region(std::string_view title, std::string_view sentence, const std::set<std::string>& states,
              const Decision& entry) {
    open(title, sentence);
    explain(states);
    begin_diagram();
    const bool is_begin = std::holds_alternative<Gathering>(entry.next.phase);
    text_ << "  [*] --> " << name_of(entry.next.phase) << " : " << (is_begin ? "begin" : "resume") << "\n";
    draw(edges([&states](const std::string& name) { return states.count(phase_of(name)) ? phase_of(name) : ""; },
               [](const std::string& name) { return name == "Ended" ? "" : phase_of(name); }));
    close();
  }

  void recall_region() {
    open("Recall",
         "A machine within Parked; there is none without a recall. The log shows its state behind that of the call.");
    each_alternative<recall::Phase>([this](const recall::Phase& phase) {
      if (std::holds_alternative<recall::Off>(phase)) return;
      State waiting;
      waiting.phase = Parked{{}, phase};
      text_ << "* **" << name_of(waiting) << "**: " << meaning_of(phase) << "\n";
    });
    begin_diagram();
    const auto named = [](const std::string& name) {
      return name == "Recalling" || name.find(',') != std::string::npos ? name : "";
    };
    const Edges all = edges(named, named);
    std::set<std::string> states;
    for (const auto& [ends, events] : all) states.insert({ends.first, ends.second});
    for (const std::string& state : states) {
      if (id_of(state) != state) text_ << "  state \"" << state << "\" as " << id_of(state) << "\n";
    }
    State parked;
    const auto enter = [&](const recall::Decision& entry, std::string_view how) {
      parked.phase = Parked{{}, entry.next.phase};
      text_ << "  [*] --> " << id_of(name_of(parked)) << " : " << how << "\n";
    };
    const RecallPolicy policy{RecallMode::kParkerOnly, 1, false};
    const RecallProgress calling{RecallTarget::kParker, 1, true};
    enter(recall::begin({{}, policy, {}}), "begin");
    enter(recall::repeat({{}, policy, calling}), "repeat");
    enter(recall::resume({{}, policy, calling}), "resume");
    draw(all);
    close();
  }

  void endings_region() {
    open("Endings", "What ends a call in which state.");
    explain({"Ended"});
    begin_diagram();
    draw(edges([](const std::string& name) { return phase_of(name); },
               [](const std::string& name) { return name == "Ended" ? name : ""; }));
    close();
  }

  static std::string id_of(const std::string& state) {
    const auto recall = state.rfind(' ');
    return recall == std::string::npos ? state : state.substr(recall + 1);
  }

  void open(std::string_view title, std::string_view sentence) {
    text_ << "\n## " << title << "\n\n" << sentence << "\n\n";
  }
  /// What each of `states` means, in the order of the types.
  void explain(const std::set<std::string>& states) {
    each_alternative<Phase>([&](const Phase& phase) {
      const std::string name(name_of(phase));
      if (states.count(name)) text_ << "* **" << name << "**: " << meaning_of(phase) << "\n";
    });
  }
  void begin_diagram() { text_ << "\n```mermaid\nstateDiagram-v2\n"; }
  void draw(const Edges& edges) {
    for (const auto& [ends, events] : edges) {
      text_ << "  " << id_of(ends.first) << " --> " << id_of(ends.second) << " : ";
      std::string_view separator;
      for (const std::string_view event : events) {
        text_ << separator << event;
        separator = ", ";
      }
      text_ << "\n";
    }
  }
  void close() { text_ << "```\n"; }

  const Transitions& transitions_;
  std::vector<std::string> names_;
  std::vector<std::string_view> events_;
  std::ostringstream text_;
};

/// A walk through few worlds that sees every transition.
inline Exploration explore_few() {
  return explore(real_machine(), [](const Machine& machine) {
    std::vector<World> worlds;
    begin_with({}, {.retrieves = 1, .transfers = 1, .reparks = 1, .replacements = 1}, machine, worlds);
    begin_with({RecallMode::kParkerOnly, 2, true}, {.retrieves = 1, .transfers = 0, .reparks = 0, .replacements = 0},
               machine, worlds);
    return worlds;
  });
}

}  // namespace callpark::park
