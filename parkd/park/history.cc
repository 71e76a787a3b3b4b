#include "parkd/park/history.h"

#include <variant>

namespace callpark::park {
namespace {

using Kind = Happening::Kind;

template <class P>
bool is_in(const State& state) {
  return std::holds_alternative<P>(state.phase);
}

bool waits(const State& state) {
  return is_in<Parked>(state) || is_in<Joining>(state);
}

Happening join_in(const State& before) {
  if (is_in<Recalling>(before)) return {.kind = Kind::kRecalled, .target = before.recall_progress.target};
  return {.kind = Kind::kRetrieved};
}

Happening end_for(EndReason reason, Recorded recorded) {
  if (reason == EndReason::kGaveUp && recorded == Recorded::kWaiting) return {.kind = Kind::kGaveUp, .reason = reason};
  const bool timed_out = reason == EndReason::kTimedOut;
  return {.kind = Kind::kEnded, .reason = timed_out ? EndReason::kTimedOut : EndReason::kHungUp};
}

}  // namespace

Recorded recorded_in(RowState row, bool was_parked) {
  switch (row) {
    case RowState::kAdopting:
      break;
    case RowState::kParked:
    case RowState::kRetrieving:
      return Recorded::kWaiting;
    case RowState::kRetrieved:
      return was_parked ? Recorded::kTalking : Recorded::kNothing;
  }
  return Recorded::kNothing;
}

History record(Recorded recorded, const State& before, const Decision& decision) {
  History history{recorded, {}};
  if (history.recorded != Recorded::kWaiting && waits(decision.next)) {
    history.recorded = Recorded::kWaiting;
    history.happenings.push_back({.kind = Kind::kParked});
  }
  if (history.recorded == Recorded::kWaiting && is_in<Talking>(decision.next)) {
    history.recorded = Recorded::kTalking;
    history.happenings.push_back(join_in(before));
  }
  if (history.recorded == Recorded::kNothing) return history;
  for (const Action& action : decision.actions) {
    if (const auto* removed = std::get_if<RemoveRow>(&action)) {
      history.happenings.push_back(end_for(removed->reason, history.recorded));
    }
  }
  return history;
}

}  // namespace callpark::park
