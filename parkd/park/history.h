// What happened to a parked call, read off the decisions of the park machine. Pure. Events, records, metrics, texts and
// webhooks are made from it and from nothing else.
#pragma once

#include <vector>

#include "parkd/park/decide.h"
#include "parkd/park/types.h"

namespace callpark::park {

/// What is recorded of a call so far. It survives parkd in the row.
enum class Recorded {
  kNothing,  // no stay of the call is written yet
  kWaiting,  // the present stay is recorded as parked
  kTalking,  // the last stay is recorded as retrieved or recalled
};

/// One fact of a call's history.
struct Happening {
  enum class Kind { kParked, kRetrieved, kRecalled, kGaveUp, kEnded };
  Kind kind = Kind::kParked;
  RecallTarget target = RecallTarget::kNone;  // kRecalled: the one that talks to the caller
  EndReason reason = EndReason::kHungUp;      // kGaveUp, kEnded
  friend bool operator==(const Happening&, const Happening&) = default;
};

struct History {
  Recorded recorded = Recorded::kNothing;
  std::vector<Happening> happenings;  // in the order in which they happened
};

/// The history after `decision` was taken in state `before`, and what is new in it.
History record(Recorded recorded, const State& before, const Decision& decision);

}  // namespace callpark::park
