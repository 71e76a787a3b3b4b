#include "parkd/leg/offer_queue.h"

#include <utility>

#include "base/random.h"

namespace callpark::leg {
namespace {

constexpr int kAttemptsMax = 4;

}  // namespace

// RFC 3261 14.1, in its units of 10 ms.
Duration glare_wait(CallIdOwner owner) {
  return owner == CallIdOwner::kWe ? Duration(2100 + 10 * static_cast<int>(random_below(191)))
                                   : Duration(10 * static_cast<int>(random_below(201)));
}

AfterRefusal after_refusal(int status, bool may_try_again, bool is_ours) {
  switch (status) {
    // RFC 3261 12.2.1.2 and 14.1: the dialog is over. Not one that is still another's: there the party may yet be
    // heard.
    case 408:
      return is_ours ? AfterRefusal::kHangUp : AfterRefusal::kKeepSession;
    case 481:
      return AfterRefusal::kDialogOver;
    case 491:
      return may_try_again ? AfterRefusal::kTryAfterGlare : AfterRefusal::kKeepSession;
    case 500:
      return may_try_again ? AfterRefusal::kTryHigherCSeq : AfterRefusal::kKeepSession;
    case 422:
      return may_try_again ? AfterRefusal::kTryLongerInterval : AfterRefusal::kKeepSession;
    default:
      return AfterRefusal::kKeepSession;
  }
}

// RFC 3261 21.4.26: 606 is the 488 of a party that speaks for all its devices; 21.4.13: 415 is about the body's type.
OfferOutcome outcome_of_refusal(int status) {
  switch (status) {
    case 415:
    case 488:
    case 606:
      return OfferOutcome::kNoCommonMedia;
    // RFC 3261 21.4.9 and 21.4.18. 408, 477, 478, 503 and 504 are also Kamailio's answers for a device that it cannot
    // reach, and 487 follows parkd's own CANCEL of a re-INVITE without an answer.
    case 408:
    case 410:
    case 430:
    case 477:
    case 478:
    case 480:
    case 487:
    case 503:
    case 504:
      return OfferOutcome::kNotReached;
    default:
      return OfferOutcome::kRefused;
  }
}

void OfferQueue::put(OfferMaker make, OnOffered done, const std::function<void()>& start) {
  const auto replaced = std::exchange(waiting_, Offering{std::move(make), std::move(done), 0});
  start();
  if (replaced) replaced->done(OfferOutcome::kRefused, nullptr, nullptr);
}

OfferQueue::Offering* OfferQueue::next() {
  if (!waiting_) return current();
  const auto replaced = std::exchange(current_, std::exchange(waiting_, std::nullopt));
  if (replaced) {
    current_->attempts = replaced->attempts;
    replaced->done(OfferOutcome::kRefused, nullptr, nullptr);
  }
  return current();
}

bool OfferQueue::may_try_again() const {
  return current_ && current_->attempts < kAttemptsMax;
}

OfferQueue::Offering OfferQueue::take_current() {
  return *std::exchange(current_, std::nullopt);
}

void OfferQueue::close() {
  for (auto* offering : {&current_, &waiting_}) {
    if (auto dropped = std::exchange(*offering, std::nullopt)) dropped->done(OfferOutcome::kGone, nullptr, nullptr);
  }
}

}  // namespace callpark::leg
