// What the park machine has done by the outside. Actions are carried out in the order given; an action that needs a
// result of the outside carries a question, and the result names it.
#pragma once

#include <variant>

#include "parkd/park/types.h"

namespace callpark::park {

// The database. Actions on one call's row are carried out in the order given.
struct ClaimOrbit {
  Question question;
};
/// Writes the row as it is now: parked, with music.
struct WriteParked {
  Question question;
};
/// The row becomes parked, whatever it was; repeated until it is written.
struct UnclaimCall {};
/// The orbit becomes free; the row names the two parties that talk.
struct WriteRetrieved {};
/// A re-park was refused; the row stays retrieved, without an orbit.
struct FreeOrbit {};
struct RemoveRow {
  EndReason reason;
};

// The stay that a park has proposed.
/// The proposed stay is the call's stay from here on. Always the first action of its decision.
struct CommitStay {};
/// A re-park has failed: the proposed stay is dropped, and the call's stay is the one before.
struct WithdrawStay {};

// Music for the caller.
struct OpenMedia {
  Question question;
};
struct CloseMedia {};

// The caller: each offer is a re-INVITE.
struct OfferMusic {
  Question question;
};
struct OfferRetriever {
  Question question;
  Retriever retriever;
};
/// Offers the media that the peer described last.
struct OfferPeer {
  Question question;
};
struct EndCaller {};

// The peer: the parker's old dialog, or the retriever's.
/// Passes on what the caller and the peer ask of each other.
struct Bridge {};
struct Unbridge {};
struct EndPeer {};

// The parker's request. A REFER is accepted, and then concluded or refused; or refused at once.
/// 202 and NOTIFY 100: from here on NOTIFYs report the outcome.
struct AcceptReferral {};
/// NOTIFY 200.
struct ConcludeReferral {};
struct RefuseReferral {
  RefusalReason reason;
};
/// Answers the parker's feature call and plays the orbit.
struct AnnounceOrbit {};
struct RefuseParkerCall {
  RefusalReason reason;
};
struct EndAnnouncement {};
/// Kamailio keeps sending the requests of the held dialog to parkd, although the feature call fails.
struct KeepAdoption {};
/// Calls the parker to play the orbit: the transfer is over, and the parker has not learnt the orbit from it.
struct CallParkerBack {};

// The retriever.
struct AnswerRetriever {
  Retriever retriever;
};
struct RefuseRetriever {
  Retriever retriever;
  RefusalReason reason;
};
struct EndRetriever {
  Retriever retriever;
};
/// The retriever is the peer from here on.
struct MakePeer {
  Retriever retriever;
};

// A transfer by the peer. The target answers before the caller is re-INVITEd.
struct CallTarget {
  Question question;
};
struct OfferTarget {
  Question question;
};
/// CANCEL or BYE, as the state of the target's call requires.
struct EndTarget {};
/// The target is the peer from here on.
struct MakeTargetPeer {};
struct ConcludeTransfer {};
struct RefuseTransfer {};

// A recall. It calls a target, as a transfer does.
struct CallRecallTarget {
  Question question;
  RecallTarget target;
};
/// Claims the row for the target that has answered.
struct ClaimForTarget {
  Question question;
};
/// Sets the deadline from now on; StartTimer{kRecall} runs for what is left until it.
struct SetRecallDeadline {
  RecallWait wait;
};

struct StartTimer {
  Timer timer;
};
struct StopTimer {
  Timer timer;
};

/// Forgets the dialog and sends nothing. If parkd has sent nothing in it, its two parties go on as before.
struct Dismiss {};

using Action =
    std::variant<ClaimOrbit, WriteParked, UnclaimCall, WriteRetrieved, FreeOrbit, RemoveRow, CommitStay, WithdrawStay,
                 OpenMedia, CloseMedia, OfferMusic, OfferRetriever, OfferPeer, EndCaller, Bridge, Unbridge, EndPeer,
                 AcceptReferral, ConcludeReferral, RefuseReferral, AnnounceOrbit, RefuseParkerCall, EndAnnouncement,
                 KeepAdoption, CallParkerBack, AnswerRetriever, RefuseRetriever, EndRetriever, MakePeer, CallTarget,
                 OfferTarget, EndTarget, MakeTargetPeer, ConcludeTransfer, RefuseTransfer, CallRecallTarget,
                 ClaimForTarget, SetRecallDeadline, StartTimer, StopTimer, Dismiss>;

}  // namespace callpark::park
