// What the park machine orders. Actions are done in the order given; each that asks something carries its question.
#pragma once

#include <variant>

#include "parkd/park/types.h"

namespace callpark::park {

// The database. Orders about one call are carried out in the order given.
struct ClaimOrbit {
  Question question;
};
struct WriteParked {
  Question question;
};                         // the row as it stands: adopted, with music
struct UnclaimCall {};     // the row is parked, whatever it was; tried until it is written
struct WriteRetrieved {};  // the orbit is free, the row says who talks to whom
struct FreeOrbit {};       // a re-park was refused; the row stays as retrieved
struct RemoveRow {
  EndReason reason;
};

// Music for the caller.
struct OpenMedia {
  Question question;
};
struct CloseMedia {};

// The caller.
struct OfferMusic {
  Question question;
};
struct OfferRetriever {
  Question question;
  Retriever retriever;
};
struct OfferPeer {
  Question question;
};  // the media of the peer, as he last said
struct EndCaller {};

// The peer: the parker's old dialog, or the retriever's.
struct Bridge {};  // pass on what the caller and the peer ask of each other
struct Unbridge {};
struct EndPeer {};

// The parker's request.
struct AcceptRefer {};  // 202: from here on it is the NOTIFYs that say how it ends
struct AcceptPark {};
struct RefusePark {
  RefusalReason reason;
};
struct EndParkerCall {};
// He has given up his feature call; yet Kamailio is to go on sending the requests of the call that he has on hold to
// parkd.
struct KeepAdoption {};
struct TellParker {};  // his transfer is over, the call still parked: if he cannot know where, he is called back

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
struct MakePeer {
  Retriever retriever;
};  // from here on he is the peer

// A transfer by the peer. The target's call is answered before the caller knows of it.
struct CallTarget {
  Question question;
};
struct OfferTarget {
  Question question;
};
struct EndTarget {};       // CANCEL or BYE, whichever it takes
struct MakeTargetPeer {};  // from here on he is the peer
struct AcceptTransfer {};
struct RefuseTransfer {};

// A recall. Whom it calls is a target like that of a transfer.
struct CallRecallTarget {
  Question question;
  RecallTarget target;
};
struct ClaimForTarget {
  Question question;
};  // the row is won for whom the recall has called
struct SetRecallDeadline {
  RecallWait wait;
};  // from now on; StartTimer{kRecall} is for what is left of it

struct StartTimer {
  Timer timer;
};
struct StopTimer {
  Timer timer;
};

/// Leave the dialog to the two who have it, as if nobody had asked.
struct Dismiss {};

using Action =
    std::variant<ClaimOrbit, WriteParked, UnclaimCall, WriteRetrieved, FreeOrbit, RemoveRow, OpenMedia, CloseMedia,
                 OfferMusic, OfferRetriever, OfferPeer, EndCaller, Bridge, Unbridge, EndPeer, AcceptRefer, AcceptPark,
                 RefusePark, EndParkerCall, KeepAdoption, TellParker, AnswerRetriever, RefuseRetriever, EndRetriever,
                 MakePeer, CallTarget, OfferTarget, EndTarget, MakeTargetPeer, AcceptTransfer, RefuseTransfer,
                 CallRecallTarget, ClaimForTarget, SetRecallDeadline, StartTimer, StopTimer, Dismiss>;

}  // namespace callpark::park
