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
