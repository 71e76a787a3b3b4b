// What the machine of a caller in a menu has done by the outside. Actions are carried out in the order given; an action
// that needs a result of the outside carries a question, and the result names it.
#pragma once

#include <string>
#include <variant>

#include "parkd/menu/types.h"

namespace callpark::menu {

// The database.
/// Finds the place that was dialled, or that the row names.
struct LookUp {
  Question question;
};
/// Finds what a destination is. `is_entered`: the caller has entered it, and only an extension is meant.
struct Resolve {
  Question question;
  std::string destination;
  bool is_entered = false;
};
/// The place that was resolved last is the caller's place from here on; the one before is above it.
struct Enter {};
/// The place above is the caller's place again. Only if there is one: State::depth.
struct GoBack {};
/// Writes the row: the place, those above it, the caller's dialog and session.
struct WriteRow {};
/// The row names the target that has answered, with its dialog.
struct Claim {
  Question question;
};
/// The row names no target any more.
struct Unclaim {};
/// The call is over for menus.
struct RemoveRow {
  EndedBy by;
};

// The call.
/// Opens a media session, answers the call with it, and waits for the ACK. Of a call that goes on from its row: opens
/// the session again.
struct Answer {
  Question question;
};
/// Refuses a call that is not answered.
struct Refuse {
  RefusalReason reason;
};
/// BYE to the caller.
struct HangUp {};
/// Re-INVITEs the caller to the session's media.
struct OfferMedia {
  Question question;
};
/// The destination that was resolved last is called in the caller's name.
struct CallTarget {
  Question question;
};
/// CANCEL, or BYE if it has answered.
struct EndTarget {};
/// Re-INVITEs the caller to the target that has answered.
struct OfferTarget {
  Question question;
};
/// Caller and target talk: the conversation and its row are the park service's from here on.
struct HandOver {};
/// BYE to the target of a row that another parkd has left.
struct EndPeer {};

// The media session.
struct Play {
  Question question;
  Sound sound;
};
/// The sound is not reported as played after this.
struct StopSound {};
struct CloseMedia {};

struct StartTimer {
  Timer timer;
};
struct StopTimer {
  Timer timer;
};

using Action = std::variant<LookUp, Resolve, Enter, GoBack, WriteRow, Claim, Unclaim, RemoveRow, Answer, Refuse, HangUp,
                            OfferMedia, CallTarget, EndTarget, OfferTarget, HandOver, EndPeer, Play, StopSound,
                            CloseMedia, StartTimer, StopTimer>;

}  // namespace callpark::menu
