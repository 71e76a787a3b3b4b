// What the outside reports to the machine of a caller in a menu. Events are facts, in the past tense.
#pragma once

#include <variant>

#include "parkd/menu/types.h"

namespace callpark::menu {

/// The place of LookUp, or the one that the destination of Resolve is.
struct PlaceFound {
  Question question;
  Place place;
};
/// LookUp: the tenant has no such menu or announcement, or it is disabled. Resolve: the destination has no meaning (any
/// more), or, of keys, is no extension.
struct PlaceMissing {
  Question question;
};
/// The destination of Resolve rings: an extension, a ring group, an outside number, a call flow that leads to one.
struct DestinationRings {
  Question question;
};
/// The destination of Resolve is hangup:REASON, or a call flow that leads to it now.
struct DestinationHangsUp {
  Question question;
};
/// The database did not answer LookUp, Resolve or Claim.
struct StoreFailed {
  Question question;
};

/// The call is answered with a media session, and the caller's ACK has come. Or, of a call that goes on after the death
/// of a parkd, its session is open again.
struct CallAnswered {
  Question question;
};
/// It cannot be: kNoMedia or kUnavailable. No ACK is reported as CallerGone.
struct MediaFailed {
  Question question;
  RefusalReason reason;
};
/// mediad has restarted, and the session has another port.
struct MediaMoved {};
struct SoundPlayed {
  Question question;
};
/// One of 0 to 9, '*', '#'; A to D are not reported.
struct KeyPressed {
  char key;
};

struct TargetAnswered {
  Question question;
};
/// Busy, no answer within the place's ring time, declined, not found; or it hung up before the caller talked to it.
struct TargetRefused {
  Question question;
};
/// The row names the target: a parkd that takes over can end its call.
struct Claimed {
  Question question;
};
/// Another parkd has the call.
struct NotClaimed {
  Question question;
};
struct CallerAccepted {
  Question question;
};
struct CallerRefused {
  Question question;
  bool changed;  // the caller may have changed its session
};

/// CANCEL, BYE, or no ACK.
struct CallerGone {};
struct TimerFired {
  Timer timer;
};

using Event = std::variant<PlaceFound, PlaceMissing, DestinationRings, DestinationHangsUp, StoreFailed, CallAnswered,
                           MediaFailed, MediaMoved, SoundPlayed, KeyPressed, TargetAnswered, TargetRefused, Claimed,
                           NotClaimed, CallerAccepted, CallerRefused, CallerGone, TimerFired>;

}  // namespace callpark::menu
