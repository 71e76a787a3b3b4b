#include "parkd/service/refusals.h"

#include "parkd/service/refusal.h"

namespace callpark {

void Refusals::refuse(CallId call, park::RefusalReason reason, const std::string& language) {
  const Refusal refusal = refusal_of(reason);
  count(refusal.prompt);
  // A sentence costs more than a park, and the parker would wait for its refusal.
  if (reason == park::RefusalReason::kOverloaded) {
    return ports_.calls.refuse(call, refusal.status, std::string(refusal.phrase));
  }
  const Duration duration_max = reason == park::RefusalReason::kAlreadyPickedUp ? settings_.already_picked_up_speech_max
                                                                                : settings_.refusal_speech_max;
  announcer_.announce(
      call, Announcement{language.empty() ? "en" : language, {Announcement::Prompt{std::string(refusal.prompt)}}},
      Calls::Answer::kEarly, duration_max,
      [this, call, refusal] { ports_.calls.refuse(call, refusal.status, std::string(refusal.phrase)); });
}

void Refusals::refuse(ReferralId referral, park::RefusalReason reason) {
  const Refusal refusal = refusal_of(reason);
  count(refusal.prompt);
  ports_.referrals.conclude(referral, refusal.status, std::string(refusal.phrase));
}

void Refusals::count(std::string_view prompt) {
  ports_.metrics
      .counter("callpark_refusals_total", "Feature calls and transfers refused", {{"reason", std::string(prompt)}})
      .increment();
}

}  // namespace callpark
