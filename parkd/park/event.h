// What the outside reports to the park machine. Events are facts, in the past tense.
#pragma once

#include <variant>

#include "parkd/park/types.h"

namespace callpark::park {

/// The peer of a retrieved call asks to park the call again; `request` is kRefer or kCall.
struct ParkAsked {
  Request request;
  RecallPolicy policy;
  ParkerLearnsOrbit learns_orbit;
};
/// The parker completes an attended transfer to the code; its call to the code has parked the caller already.
struct ParkerReferred {};

/// The peer transfers the caller to a number that is no code.
struct TransferAsked {};
/// The target of a transfer or of a recall answered.
struct TargetAnswered {
  Question question;
};
/// The target will not answer.
struct TargetRefused {
  Question question;
};

/// The row is won for the target of a recall.
struct RecallClaimed {
  Question question;
};
/// A retriever has won the row first, or the database is away.
struct RecallNotClaimed {
  Question question;
};

/// The peer completes an attended transfer: the call `retriever` waits to replace the peer's dialog.
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
/// mediad has restarted and the session has another port: the caller needs an offer of it.
struct MediaMoved {
  Question question;
};

/// The caller answered the re-INVITE 2xx.
struct CallerAccepted {
  Question question;
};
/// The caller refused the re-INVITE for good; by RFC 3261 14.1 the session is what it was. If `changed`, the caller
/// answered 2xx with an answer that parkd cannot use: the caller sends to what was offered.
struct CallerRefused {
  Question question;
  bool changed = false;
  RefusalReason reason = RefusalReason::kNotAcceptable;
};
/// The caller's dialog is over: BYE, 481, 408, or no answer at all.
struct CallerGone {};
/// The peer's dialog is over.
struct PeerGone {};
/// The parker's feature call is over: CANCEL, BYE, or no ACK.
struct ParkerCallGone {};
struct AnnouncementPlayed {};

/// A retriever has won the row of this call.
struct CallClaimed {
  Retriever retriever;
};
/// The retriever's ACK of its 200 has come.
struct RetrieverConfirmed {
  Retriever retriever;
};
/// The retriever cancelled, or hung up before its ACK.
struct RetrieverGone {
  Retriever retriever;
};
/// The retriever's ACK never came, or the retriever had cancelled before it had the 200.
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
