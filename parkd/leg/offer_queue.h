// The offers that parkd has for the remote side of one dialog: one is sent, one waits. And what a refusal of the
// re-INVITE that carries an offer means.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "parkd/message/sdp.h"

namespace callpark::leg {

/// RFC 3261 14.1: the end that chose the Call-ID waits longer after a 491.
enum class CallIdOwner { kWe, kThey };
/// How long to wait after a 491.
Duration glare_wait(CallIdOwner owner);

enum class OfferOutcome {
  kAccepted,
  kNoCommonMedia,  // refused for its media; the session is what it was, as it is for the next two
  kNotReached,     // no answer of the remote side itself
  kRefused,        // for any other reason, or superseded by a later offer
  kUnusable,       // accepted, with an answer that cannot be read
  kGone,           // the dialog is over, by the remote side's answer or by close() and bye()
};
/// The outcome of a re-INVITE with a final response of 300 or above, in a dialog that goes on.
OfferOutcome outcome_of_refusal(int status);

using OfferMaker = std::function<sip::Sdp()>;
/// `offer` and `answer` are null unless kAccepted.
using OnOffered = std::function<void(OfferOutcome outcome, const sip::Sdp* offer, const sip::Sdp* answer)>;

/// What follows a final response of 300 or above to a re-INVITE.
enum class AfterRefusal {
  kKeepSession,
  kDialogOver,
  kHangUp,  // the dialog is over, and a BYE is needed
  kTryAfterGlare,
  kTryHigherCSeq,
  kTryLongerInterval,
};
/// `may_try_again` is true below the limit of attempts; `is_ours` is false while the dialog is still that of another
/// user agent, in the place of which parkd asks.
AfterRefusal after_refusal(int status, bool may_try_again, bool is_ours);

class OfferQueue {
 public:
  struct Offering {
    OfferMaker make;
    OnOffered done;
    int attempts = 0;
  };

  /// The offer waits, and the one that waited, if any, is refused. `start` is called in between.
  void put(OfferMaker make, OnOffered done, const std::function<void()>& start);
  /// The offer that is to be sent; null if there is none. One that waits replaces the one that would be tried again,
  /// which is refused; the number of attempts goes on.
  Offering* next();
  bool is_empty() const { return !current_ && !waiting_; }

  /// Null if none is being sent.
  Offering* current() { return current_ ? &*current_ : nullptr; }
  bool may_try_again() const;
  Offering take_current();
  /// All are answered kGone.
  void close();

 private:
  std::optional<Offering> current_;
  std::optional<Offering> waiting_;
};

}  // namespace callpark::leg
