// What the outside reports to the machine of a call to a call flow's code. Events are facts, in the past tense.
#pragma once

#include <variant>

#include "parkd/flow/types.h"

namespace callpark::flow {

struct FlowFound {
  Question question;
  Facts facts;
};
/// The tenant has no such code, or its flow is disabled.
struct FlowMissing {
  Question question;
};
/// The database did not answer a look-up, a count or a toggle. A toggle is not known to be done.
struct StoreFailed {
  Question question;
};

/// The call is answered with a media session.
struct CallAnswered {
  Question question;
};
/// It cannot be: kNoMedia or kUnavailable.
struct MediaFailed {
  Question question;
  RefusalReason reason;
};
/// The caller does not hear the session any more: mediad has restarted, and the session has another port.
struct MediaLost {};
struct PromptPlayed {
  Question question;
};
/// One of 0 to 9, '*', '#', A to D.
struct KeyPressed {
  char key;
};

/// The try is counted as a failure until the PIN proves right. If `locks`, the extension is locked unless it does.
struct TryCounted {
  Question question;
  bool locks;
};
/// The extension is locked: the PIN may not be compared.
struct TryDenied {
  Question question;
};
struct PinRight {
  Question question;
};
struct PinWrong {
  Question question;
};

struct Toggled {
  Question question;
  Status status;  // after the toggle
};
/// The flow was disabled, removed, or given another PIN meanwhile; nothing was toggled.
struct NotToggled {
  Question question;
};

/// CANCEL, BYE, or no ACK.
struct CallerGone {};
struct TimerFired {
  Timer timer;
};

using Event =
    std::variant<FlowFound, FlowMissing, StoreFailed, CallAnswered, MediaFailed, MediaLost, PromptPlayed, KeyPressed,
                 TryCounted, TryDenied, PinRight, PinWrong, Toggled, NotToggled, CallerGone, TimerFired>;

}  // namespace callpark::flow
