// The words of the park machine. Everything here is a plain value: no clock, no identifiers of the outside, no I/O.
#pragma once

#include <cstdint>

namespace callpark::park {

/// Names one question of the machine to the outside (claim this orbit, offer this media, write this row). The answer
/// names it again; an answer to an older question is late and changes nothing. Never 0, never reused.
using Question = std::uint32_t;

/// Names for the machine the call of a retriever, or a call that is to replace the peer's dialog. The service assigns
/// it; never reused within a machine.
using Retriever = std::uint32_t;

enum class RefusalReason {
  kNotPermitted,     // the extension may not do this
  kNotInThisRange,   // the extension may not use this orbit range
  kSwitchedOff,      // the tenant's call park is switched off
  kNoHeldCall,       // there is nothing to park
  kOrbitTaken,       // the orbit holds as many calls as it may
  kTooManyParked,    // the tenant's cap is reached
  kTooManyOfParker,  // the parker's own cap is reached
  kInvalidCode,      // the code has junk behind it
  kNoCallParked,     // an empty orbit
  kAlreadyPickedUp,  // another retriever was first
  kNotAcceptable,    // the other party has no media in common with the offer
  kNotReached,       // no device of the other party answered the offer
  kOfferRefused,     // the other party refused the offer, and not for its media
  kCallerGone,       // the parked caller hung up meanwhile
  kUnavailable,      // the database or mediad is away
  kOverloaded,       // the servers are overloaded; the park is to be tried again later
  kGivenUp,          // the parker ended its feature call before the answer
  kTooLong,          // a session description of the call is too long to be kept
};

/// How a parked call left the orbit for good.
enum class EndReason { kRefused, kGaveUp, kTimedOut, kHungUp };

/// How a row of parked_calls describes its call.
enum class RowState { kAdopting, kParked, kRetrieving, kRetrieved };

/// The parker's request, and how far its answer has come.
enum class Request {
  kNone,        // no request waits for an answer
  kRefer,       // a REFER waits for its final NOTIFY
  kCall,        // a feature INVITE waits for its final response
  kReferDone,   // the final NOTIFY is out; the parker's BYE is awaited
  kAnnouncing,  // the feature call is answered and hears the orbit
};

/// The caller's dialog: between two other user agents, then asked by a re-INVITE of parkd's, and parkd's own once the
/// caller has accepted one.
enum class CallerLeg { kForeign, kAsked, kOurs };

/// The stay that a park has proposed: it is neither committed nor withdrawn yet.
enum class Proposal {
  kNone,
  kFirstStay,  // of a call that was adopted for it: there is no stay to go back to
  kNextStay,   // of a call that goes back to its stay before if the park fails
};

/// The dialog of the party that the caller talks or talked to: the parker, and after a retrieve the retriever.
enum class PeerLeg { kUp, kGone };

enum class Orbit { kFree, kClaiming, kHeld };
enum class Media { kClosed, kOpening, kOpen };

/// What follows if no retriever comes.
enum class RecallMode { kOff, kParkerOnly, kParkerThenRingGroup, kRingGroupOnly };

/// The destination of a recall.
enum class RecallTarget { kNone, kParker, kRingGroup, kFallback };

struct RecallPolicy {
  RecallMode mode = RecallMode::kOff;
  std::uint32_t attempts_max = 0;  // how often the parker is called; 0: until the parker answers
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

/// What a recall waits for after a step; the service knows how long.
enum class RecallWait { kNextAttempt, kAnswer };

/// Whether the parker learns the orbit from its request, or needs to be called back: a blind transfer to a code that
/// chooses the orbit leaves nothing to hear.
enum class ParkerLearnsOrbit { kItself, kByCallBack };

enum class Timer {
  kGiveUp,      // a parked call's deadline
  kRecall,      // the next step of the recall is due, or its target has not answered in time
  kParkerBye,   // the parker's BYE after the final NOTIFY
  kMusicRetry,  // the caller refused the music: it is offered again
};

}  // namespace callpark::park
