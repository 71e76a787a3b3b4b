// What the outside tells the park machine. Events are facts, in the past tense.
#pragma once

#include <variant>

#include "parkd/park/types.h"

namespace callpark::park {

/// The peer of a retrieved call asks to park it again; `request` is kRefer or kCall.
struct ParkAsked {
  Request request;
  RecallPolicy policy;
};
/// The parker completes an attended transfer to the code whose call has parked the caller already.
struct ParkerReferred {};

/// The peer transfers the caller to a number that is no code.
struct TransferAsked {};
/// Whom the peer transfers the caller to, or whom a recall calls, has answered, or will not.
struct TargetAnswered {
  Question question;
};
struct TargetRefused {
  Question question;
};

/// The row is ours to join to the one who answered a recall; or a retriever was first, or the database is away.
struct RecallClaimed {
  Question question;
};
struct RecallNotClaimed {
  Question question;
};

/// Somebody is to take the peer's place, of an attended transfer that the peer has asked of him; his call waits.
struct ReplacementAsked {
  Retriever retriever;
};

struct OrbitClaimed {
  Question question;
};
struct OrbitRefused {
  Question question;
  RefusalReason reason;
};
struct RowWritten {
  Question question;
};
struct RowNotWritten {
  Question question;
};

struct MediaOpened {
  Question question;
};
struct MediaFailed {
  Question question;
};
/// mediad was restarted and could not give the session its old port back: the caller must be told the new one.
struct MediaMoved {
  Question question;
};

/// The caller answered the re-INVITE 2xx.
struct CallerAccepted {
  Question question;
};
/// The caller refused the re-INVITE for good; by RFC 3261 14.1 the session is what it was. Or he accepted it with an
/// answer that cannot be used: then he has `changed` his session, and where he sends to is what was offered.
struct CallerRefused {
  Question question;
  bool changed = false;
};
/// The caller's dialog is over: BYE, 481, 408, or no answer at all.
struct CallerGone {};
/// The peer's dialog is over.
struct PeerGone {};
/// The parker's feature call is over: CANCEL, BYE, or no ACK.
struct ParkerCallGone {};
struct AnnouncementPlayed {};

/// A retriever won this call in the database.
struct CallClaimed {
  Retriever retriever;
};
/// His 200 is acknowledged.
struct RetrieverConfirmed {
  Retriever retriever;
};
/// He cancelled, or hung up.
struct RetrieverGone {
  Retriever retriever;
};
/// He never acknowledged his 200.
struct RetrieverLost {
  Retriever retriever;
};

struct TimerFired {
  Timer timer;
};

using Event =
    std::variant<ParkAsked, ParkerReferred, TransferAsked, TargetAnswered, TargetRefused, RecallClaimed,
                 RecallNotClaimed, ReplacementAsked, OrbitClaimed, OrbitRefused, RowWritten, RowNotWritten, MediaOpened,
                 MediaFailed, MediaMoved, CallerAccepted, CallerRefused, CallerGone, PeerGone, ParkerCallGone,
                 AnnouncementPlayed, CallClaimed, RetrieverConfirmed, RetrieverGone, RetrieverLost, TimerFired>;

}  // namespace callpark::park
