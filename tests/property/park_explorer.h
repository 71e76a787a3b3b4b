// Walks through every state that the park machine and the world around it can reach.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/match.h"
#include "tests/property/park_events.h"
#include "tests/property/park_invariants.h"
#include "tests/property/park_segments.h"
#include "tests/property/park_world.h"

namespace callpark::park {

struct Machine {
  std::function<Decision(const State&, const Event&)> decide;
  std::function<History(Recorded, const State&, const Decision&)> record;
  NextChange next_change;
};

/// The machine as it is.
inline Machine real_machine() {
  return {[](const State& state, const Event& event) { return decide(state, event); }, record, next_change};
}

/// Each change of state that was seen, by the numbers of the two states and of the event.
class Transitions {
 public:
  static constexpr std::size_t kStates = std::variant_size_v<Phase> + std::variant_size_v<recall::Phase> - 1;
  static constexpr std::size_t kEvents = std::variant_size_v<Event>;

  void add(const State& from, const Event& event, const State& to) {
    if (number_of(from) == number_of(to)) return;
    seen_[(number_of(from) * kEvents + event.index()) * kStates + number_of(to)] = true;
  }
  bool has(std::size_t from, std::size_t event, std::size_t to) const {
    return seen_[(from * kEvents + event) * kStates + to];
  }
  friend bool operator==(const Transitions&, const Transitions&) = default;

  /// In the order of the types. States differ by their phase, and while parked by that of the recall.
  static std::size_t number_of(const State& state) {
    static const std::size_t kParked = Phase(Parked{}).index();
    const std::size_t phase = state.phase.index();
    if (const auto* parked = std::get_if<Parked>(&state.phase)) return phase + parked->recall.index();
    return phase < kParked ? phase : phase + std::variant_size_v<recall::Phase> - 1;
  }

 private:
  std::array<bool, kStates * kEvents * kStates> seen_{};
};

struct Exploration {
  std::size_t worlds = 0;
  std::optional<std::string> violation;
  Transitions transitions;
};

/// Calls `use` with each question of a phase.
template <class F>
void each_question(recall::Phase& phase, F use) {
  std::visit(overloaded{[&](recall::Writing& p) { use(p.write); }, [&](recall::Calling& p) { use(p.call); },
                        [&](recall::Claiming& p) { use(p.claim); }, [](recall::Off&) {}, [](recall::Waiting&) {}},
             phase);
}

template <class F>
void each_question(Phase& phase, F use) {
  std::visit(overloaded{[&](Gathering& p) { use(p.claim); }, [&](Adopting& p) { use(p.offer); },
                        [&](Recording& p) { use(p.write); },
                        [&](Parked& p) {
                          if (p.offer) use(*p.offer);
                          each_question(p.recall, use);
                        },
                        [&](Joining& p) { use(p.offer); }, [](Confirming&) {}, [](Talking&) {},
                        [&](Transferring& p) { use(p.call); }, [&](Connecting& p) { use(p.offer); },
                        [&](Replacing& p) { use(p.offer); }, [&](Restoring& p) { use(p.offer); },
                        [&](Recalling& p) { use(p.offer); }, [&](Returning& p) { use(p.offer); }, [](Ended&) {}},
             phase);
}

/// Questions are only ever compared, so worlds that differ in nothing but their numbers are one.
inline void canonical(World& w) {
  std::vector<Question*> live;
  live.reserve(16);
  const auto use = [&live](Question& question) { live.push_back(&question); };
  each_question(w.machine.phase, use);
  if (w.media_open || w.opening) {
    use(w.machine.media_question);
  } else {
    w.machine.media_question = 0;
  }
  for (auto* question : {&w.claim, &w.recall_claim, &w.write, &w.opening}) {
    if (*question) use(**question);
  }
  for (Offer& offer : w.offers) use(offer.question);
  if (w.target == TargetCall::kCalling) {
    use(w.target_question);
  } else {
    w.target_question = 0;
  }
  std::vector<Question> numbers;
  numbers.reserve(live.size());
  for (const Question* question : live) numbers.push_back(*question);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  for (Question* question : live) {
    const auto place = std::lower_bound(numbers.begin(), numbers.end(), *question);
    *question = static_cast<Question>(place - numbers.begin()) + 1;
  }
  w.machine.last_question = static_cast<Question>(numbers.size());
  if (w.caller_was_asked) w.parker_was_sent = true;  // no difference any more
  if (w.was_parked) w.is_from_menu = false;          // the same
  // How the parker learns the orbit matters to its present request only.
  if (w.machine.request == Request::kNone) {
    w.machine.learns_orbit = w.learns_orbit = ParkerLearnsOrbit::kItself;
  }
}

/// Everything that distinguishes two canonical worlds. Each value is small: an enumerator, a flag, or a question.
inline std::string key_of(const World& w) {
  std::string key;
  key.reserve(112);
  const auto put = [&key](auto value) { key.push_back(static_cast<char>(value)); };
  const auto put_question = [&](const std::optional<Question>& question) { put(question ? *question : 0); };
  Phase phase = w.machine.phase;
  put(Transitions::number_of(w.machine));
  if (const auto* parked = std::get_if<Parked>(&phase)) put(parked->offer.has_value());
  each_question(phase, put);
  const State& m = w.machine;
  for (const int value : {static_cast<int>(m.policy.mode),
                          static_cast<int>(m.policy.attempts_max),
                          static_cast<int>(m.recall_progress.target),
                          static_cast<int>(m.recall_progress.attempts),
                          static_cast<int>(m.request),
                          static_cast<int>(m.caller),
                          static_cast<int>(m.peer),
                          static_cast<int>(m.orbit),
                          static_cast<int>(m.media),
                          static_cast<int>(m.proposal),
                          static_cast<int>(m.learns_orbit),
                          static_cast<int>(w.row),
                          static_cast<int>(w.hears),
                          static_cast<int>(w.parker_call),
                          static_cast<int>(w.retriever),
                          static_cast<int>(w.target),
                          static_cast<int>(w.learns_orbit),
                          static_cast<int>(w.recorded),
                          static_cast<int>(w.proposal),
                          static_cast<int>(w.stay_record),
                          w.segment ? 1 + static_cast<int>(w.segment->kind) : 0,
                          w.segment ? static_cast<int>(w.segment->target) : 0,
                          w.attempts.last(),
                          w.retrieves_left,
                          w.transfers_left,
                          w.reparks_left,
                          w.replacements_left,
                          static_cast<int>(w.timers.bits())}) {
    put(value);
  }
  for (const bool flag : {m.policy.has_fallback,
                          m.recall_progress.is_calling,
                          w.recall_deadline_is_set,
                          w.rings_after_fallback,
                          w.call_back_is_due,
                          w.claim_is_doomed,
                          w.write_is_overtaken,
                          w.media_open,
                          w.may_move,
                          w.caller_alive,
                          w.caller_was_asked,
                          w.caller_is_ours,
                          w.peer_alive,
                          w.bridged,
                          w.refer_open,
                          w.refer_accepted,
                          w.parker_was_sent,
                          w.transfer_open,
                          w.retriever_is_decided,
                          w.dismissed,
                          w.recall_claim_is_doomed,
                          w.has_stay,
                          w.was_parked,
                          w.has_talked,
                          w.is_from_menu,
                          w.end_is_recorded}) {
    put(flag);
  }
  put(m.media_question);
  put(w.target_question);
  for (const auto& question : {w.claim, w.recall_claim, w.write, w.opening}) put_question(question);
  put(w.offers.size());
  for (const Offer& offer : w.offers) {
    put(offer.question);
    put(offer.what);
  }
  return key;
}

/// The world after a decision in state `world.machine`.
inline World after(World world, const Decision& decision, const Machine& machine) {
  const History history = machine.record(world.recorded, world.machine, decision);
  follow_segments(world, decision, history, machine.next_change);
  world.machine = decision.next;
  world.recorded = history.recorded;
  auto action = decision.actions.begin();
  if (action != decision.actions.end() && std::holds_alternative<CommitStay>(*action)) {
    std::visit(Perform(world), *action++);
  }
  for (const Happening& happening : history.happenings) write_down(world, happening);
  for (; action != decision.actions.end(); ++action) {
    require(!std::holds_alternative<CommitStay>(*action), world, "a stay is committed after it was reported");
    std::visit(Perform(world), *action);
  }
  check(world);
  world.adoption_kept = world.keep_is_due = world.caller_must_stay = false;
  canonical(world);
  return world;
}

/// How often each thing happens in a walk.
struct Limits {
  int retrieves = 2;
  int transfers = 1;
  int reparks = 1;
  int replacements = 1;
};

inline World found_in(World world, RowState row, const OpenSegment& segment) {
  world.segment = segment;
  world.is_from_menu = segment.kind == SegmentKind::kTalk;
  world.caller_was_asked = world.caller_is_ours = true;
  world.has_stay = true;
  const bool talks_only =
      row == RowState::kRetrieved && (segment.kind == SegmentKind::kTalkBefore || world.is_from_menu);
  world.recorded = recorded_in(row, !talks_only);
  world.was_parked = row != RowState::kAdopting && !talks_only;
  world.stay_record = row == RowState::kAdopting ? StayRecord::kNone : StayRecord::kParked;
  switch (row) {
    case RowState::kAdopting:
      world.row = Row::kAdopting;
      world.hears = Hears::kNothing;
      break;
    case RowState::kParked:
      world.row = Row::kParked;
      world.hears = Hears::kMusic;
      break;
    case RowState::kRetrieving:
      world.row = Row::kRetrieving;
      world.hears = Hears::kRetriever;
      break;
    case RowState::kRetrieved:
      world.row = Row::kRetrieved;
      world.has_stay = world.has_talked = !talks_only;
      world.stay_record = talks_only ? StayRecord::kNone : StayRecord::kJoined;
      break;
  }
  return world;
}

inline void begin_with(const RecallPolicy& policy, const Limits& limits, const Machine& machine,
                       std::vector<World>& worlds) {
  World nothing;
  nothing.retrieves_left = limits.retrieves;
  nothing.transfers_left = limits.transfers;
  nothing.reparks_left = limits.reparks;
  nothing.replacements_left = limits.replacements;
  const auto add = [&](const World& world, const Decision& decision) {
    worlds.push_back(after(world, decision, machine));
  };
  const auto add_request = [&](Request request, ParkerLearnsOrbit learns_orbit) {
    World world = nothing;
    world.proposal = Proposal::kFirstStay;
    world.learns_orbit = learns_orbit;
    if (request == Request::kRefer) world.refer_open = true;
    if (request == Request::kCall) world.parker_call = ParkerCall::kUnanswered;
    add(world, begin(request, policy, learns_orbit));
  };
  add_request(Request::kRefer, ParkerLearnsOrbit::kByCallBack);
  add_request(Request::kCall, ParkerLearnsOrbit::kByCallBack);
  const OpenSegment waits{SegmentKind::kParked};
  const OpenSegment talks{SegmentKind::kTalkAfter};
  add(found_in(nothing, RowState::kParked, waits), resume(Found::kParked, policy, {}));
  add(found_in(nothing, RowState::kRetrieving, waits), resume(Found::kUncertain, policy, {}));
  add(found_in(nothing, RowState::kRetrieved, talks), resume(Found::kRetrieved, policy, {}));
  // Its first park has failed; or it comes from a menu.
  for (const SegmentKind talk : {SegmentKind::kTalkBefore, SegmentKind::kTalk}) {
    add(found_in(nothing, RowState::kRetrieved, {talk}), resume(Found::kRetrieved, policy, {}));
  }
  if (policy.mode == RecallMode::kOff) {
    add_request(Request::kRefer, ParkerLearnsOrbit::kItself);
    for (const SegmentKind talk : {SegmentKind::kTalkBefore, SegmentKind::kTalkAfter, SegmentKind::kTalk}) {
      add(found_in(nothing, RowState::kAdopting, {talk}), resume(Found::kUncertain, policy, {}));
      // The row was written as parked, and the parkd before has not seen that.
      add(found_in(nothing, RowState::kParked, {talk}), resume(Found::kParked, policy, {}));
    }
    return;
  }
  const RecallProgress calling = recall::advanced(policy, {}, recall::next_target(policy, {}));
  const OpenSegment attempt{SegmentKind::kRecall, calling.target};
  add(found_in(nothing, RowState::kParked, attempt), resume(Found::kParked, policy, calling));
  add(found_in(nothing, RowState::kRetrieving, attempt), resume(Found::kUncertain, policy, calling));
}

/// Every way in which a call begins, with every kind of recall.
inline std::vector<World> all_beginnings(const Machine& machine) {
  std::vector<World> worlds;
  begin_with({}, {}, machine, worlds);
  // A recall is explored with one retriever and one more park; without a recall, everything else is.
  const Limits few{.retrieves = 1, .transfers = 0, .reparks = 1, .replacements = 0};
  for (const RecallMode mode :
       {RecallMode::kParkerOnly, RecallMode::kParkerThenRingGroup, RecallMode::kRingGroupOnly}) {
    for (const std::uint32_t attempts_max : {0U, 1U, 2U}) {
      if (mode != RecallMode::kParkerOnly && attempts_max != 1) continue;  // they do not ask how often
      for (const bool has_fallback : {false, true}) {
        begin_with({mode, attempts_max, has_fallback}, few, machine, worlds);
      }
    }
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

/// Whether from each world one of `ends` can be reached.
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

inline Exploration explore(const Machine& machine,
                           const std::function<std::vector<World>(const Machine&)>& beginnings = all_beginnings) {
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
    for (const World& world : beginnings(machine)) visit(world, {});
    for (std::size_t number = 0; !queue.empty(); ++number) {
      const World world = std::move(queue.front());
      queue.pop_front();
      if (in<Ended>(world)) continue;
      for (const Next& next : NextEvents(world).all()) {
        World reported = world;
        next.before(reported);
        const Passage passage{number, name_of(world.machine.phase), name_of(next.event)};
        try {
          const Decision decision = machine.decide(reported.machine, next.event);
          result.transitions.add(reported.machine, next.event, decision.next);
          visit(after(std::move(reported), decision, machine), passage);
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

}  // namespace callpark::park
