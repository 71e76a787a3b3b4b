// The words of the park machine. Everything here is a plain value: no clock, no identifiers of the outside, no I/O.
#pragma once

#include <cstdint>

namespace callpark::park {

/// Names one question that the machine asked of the outside (claim this orbit, offer this media, write this row). The
/// answer must name it again; an answer to an older question is late and changes nothing. Never 0, never reused.
using Question = std::uint32_t;

/// Names one retriever's call for the machine, or that of one who is to take a peer's place. The service hands it out;
/// never reused within a machine.
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
  kGivenUp,          // the parker did not wait for the answer to his feature call
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

/// The caller's dialog: between two other user agents until parkd has sent him a re-INVITE, and parkd's from the moment
/// that he has accepted one.
enum class CallerLeg { kForeign, kAsked, kOurs };

/// The party the caller talks or talked to: the parker, and after a retrieve the retriever.
enum class PeerLeg { kUp, kGone };

enum class Orbit { kFree, kClaiming, kHeld };
enum class Media { kClosed, kOpening, kOpen };

/// What becomes of a call that nobody retrieves.
enum class RecallMode { kOff, kParkerOnly, kParkerThenRingGroup, kRingGroupOnly };

/// Whom a recall calls.
enum class RecallTarget { kNone, kParker, kRingGroup, kFallback };

struct RecallPolicy {
  RecallMode mode = RecallMode::kOff;
  std::uint32_t attempts_max = 0;  // how often the parker is called; 0: until somebody answers
  bool has_fallback = false;

  friend bool operator==(const RecallPolicy&, const RecallPolicy&) = default;
};

/// How far a recall has come in its steps. It survives parkd in the row.
struct RecallProgress {
  RecallTarget target = RecallTarget::kNone;  // the one that is called, or was called last
  std::uint32_t attempts = 0;                 // calls of the parker so far; not counted without a limit
  bool is_calling = false;

  friend bool operator==(const RecallProgress&, const RecallProgress&) = default;
};

/// What a recall waits for, from the park on; the service knows how long.
enum class RecallWait { kNextAttempt, kAnswer };

/// Whether the parker learns the orbit from its request, or needs to be called back: a blind transfer to a code that
/// chooses the orbit leaves nothing to hear.
enum class ParkerLearnsOrbit { kItself, kByCallBack };

enum class Timer {
  kGiveUp,      // a parked call's deadline
  kRecall,      // the next step of the recall is due, or who is being called has had time enough
  kParkerBye,   // the parker's BYE after the final NOTIFY
  kMusicRetry,  // the caller refused to be re-INVITEd to music; once more
};

}  // namespace callpark::park
