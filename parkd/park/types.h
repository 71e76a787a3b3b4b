// The words of the park machine. Everything here is a plain value: no clock, no identifiers of the outside, no I/O.
#pragma once

#include <cstdint>

namespace callpark::park {

/// Names one question that the machine asked of the outside (claim this orbit, offer this media, write this row). The
/// answer must name it again; an answer to an older question is late and changes nothing. Never 0, never reused.
using Question = std::uint32_t;

/// Names one retriever's call for the machine. The service hands it out; never reused within a machine.
using Retriever = std::uint32_t;

enum class RefusalReason {
  kNotPermitted,     // the extension may not do this
  kNoHeldCall,       // there is nothing to park
  kOrbitTaken,       // as many calls as allowed wait there
  kTooManyParked,    // the tenant's cap is reached
  kInvalidCode,      // the code has junk behind it
  kNoCallParked,     // an empty orbit
  kAlreadyPickedUp,  // another retriever was first
  kNotAcceptable,    // the other party refused the media that was offered
  kCallerGone,       // the parked caller hung up meanwhile
  kUnavailable,      // the database or mediad is away
};

/// How a parked call left the orbit for good.
enum class EndReason { kRefused, kGaveUp, kTimedOut, kHungUp };

/// What the parker has asked with, and how far the answer has come.
enum class Request {
  kNone,        // nothing is owed to the parker any more
  kRefer,       // a REFER waits for its final NOTIFY
  kCall,        // a feature INVITE waits for its final response
  kReferDone,   // the final NOTIFY is out; his BYE is awaited
  kAnnouncing,  // his feature call is answered and hears the orbit
};

/// The caller's dialog: between two other user agents until the first re-INVITE was answered, parkd's from then on.
enum class CallerLeg { kForeign, kOurs };

/// The party the caller talks or talked to: the parker, and after a retrieve the retriever.
enum class PeerLeg { kUp, kGone };

enum class Orbit { kFree, kClaiming, kHeld };
enum class Media { kClosed, kOpening, kOpen };

enum class Timer {
  kGiveUp,      // a parked call's deadline
  kParkerBye,   // the parker's BYE after the final NOTIFY
  kMusicRetry,  // the caller refused to be re-INVITEd to music; once more
};

}  // namespace callpark::park
