// What the machine of a call to a call flow's code has done by the outside. Actions are carried out in the order given;
// an action that needs a result of the outside carries a question, and the result names it.
#pragma once

#include <variant>

#include "parkd/flow/entry.h"
#include "parkd/flow/types.h"

namespace callpark::flow {

// The database.
/// Finds the flow and the extension's lock.
struct LookUp {
  Question question;
};
/// Counts one failure of the extension, unless it is locked; each third in a row locks it.
struct CountTry {
  Question question;
};
/// The PIN was right: the failures of the extension, and the lock that this try has set, are forgotten.
struct ForgetFailures {};
/// Records a wrong PIN, and with `locks` the lock; the try is counted already.
struct RecordWrongPin {
  bool locks;
};
/// Records that the call of a locked extension was turned away.
struct RecordLocked {};
/// Toggles the status, under the operation id of this call.
struct Toggle {
  Question question;
};

// The call.
/// Opens a media session, and answers the call with it.
struct Answer {
  Question question;
};
/// Refuses a call that is not answered.
struct Refuse {
  RefusalReason reason;
};
/// BYE.
struct HangUp {};

// The media session.
struct Play {
  Question question;
  Prompt prompt;
};
/// The prompt is not reported as played after this.
struct StopPrompt {};
struct CloseMedia {};

/// Compares what was entered with the PIN of the flow.
struct CheckPin {
  Question question;
  Entry entry;
};

struct StartTimer {
  Timer timer;
};
struct StopTimer {
  Timer timer;
};

using Action = std::variant<LookUp, CountTry, ForgetFailures, RecordWrongPin, RecordLocked, Toggle, Answer, Refuse,
                            HangUp, Play, StopPrompt, CloseMedia, CheckPin, StartTimer, StopTimer>;

}  // namespace callpark::flow
