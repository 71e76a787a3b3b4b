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
  RecallTarget target = RecallTarget::kNone;  // kRecalled: the destination that talks to the caller
  EndReason reason = EndReason::kHungUp;      // kGaveUp: kGaveUp; kEnded: kTimedOut or kHungUp
  friend bool operator==(const Happening&, const Happening&) = default;
};

/// What is recorded of a call that goes on from its row. A call that talks may never have been parked: it came from a
/// menu, or its first park has failed.
Recorded recorded_in(RowState row, bool was_parked);

struct History {
  Recorded recorded = Recorded::kNothing;
  std::vector<Happening> happenings;  // in the order in which they happened
};

/// The history after `decision` in state `before`, and what is new in it. A happening is about the call's
/// stay as it is once CommitStay, if the decision has one, is carried out, and before any other action is.
History record(Recorded recorded, const State& before, const Decision& decision);

}  // namespace callpark::park
