#include "parkd/service/refusals.h"

namespace callpark {
namespace {

Counter counter(Metrics& metrics, const std::string& prompt) {
  return metrics.counter("callpark_refusals_total", "Feature calls and transfers refused", {{"reason", prompt}});
}

}  // namespace

// Counters begin at 0, also of what the billing system denies: its prompts are among these.
Refusals::Refusals(const ServicePorts& ports, Announcer& announcer, const ParkSettings& settings)
    : ports_(ports), announcer_(announcer), settings_(settings) {
  for (int reason = 0; reason <= static_cast<int>(park::RefusalReason::kTooLong); ++reason) {
    counter(ports_.metrics, refusal_of(static_cast<park::RefusalReason>(reason)).prompt);
  }
}

void Refusals::refuse(CallId call, park::RefusalReason reason, const std::string& language) {
  const Refusal refusal = refusal_of(reason);
  // A sentence costs more than a park, and the parker would wait for its refusal.
  if (reason == park::RefusalReason::kOverloaded) {
    count(refusal.prompt);
    return ports_.calls.refuse(call, refusal.status, refusal.phrase);
  }
  const bool is_late = reason == park::RefusalReason::kAlreadyPickedUp;
  speak(call, refusal, language, is_late ? settings_.already_picked_up_speech_max : settings_.refusal_speech_max);
}

void Refusals::refuse(ReferralId referral, park::RefusalReason reason) {
  deny(referral, refusal_of(reason));
}

void Refusals::deny(CallId call, const Refusal& denial, const std::string& language) {
  speak(call, denial, language, settings_.refusal_speech_max);
}

void Refusals::deny(ReferralId referral, const Refusal& denial) {
  count(denial.prompt);
  ports_.referrals.conclude(referral, denial.status, denial.phrase);
}

void Refusals::speak(CallId call, const Refusal& refusal, const std::string& language, Duration duration_max) {
  count(refusal.prompt);
  announcer_.announce(call, Announcement{language.empty() ? "en" : language, {Announcement::Prompt{refusal.prompt}}},
                      Calls::Answer::kEarly, duration_max,
                      [this, call, refusal] { ports_.calls.refuse(call, refusal.status, refusal.phrase); });
}

void Refusals::count(const std::string& prompt) {
  counter(ports_.metrics, prompt).increment();
}

}  // namespace callpark
