// Refuses requests: a feature call hears the reason and then gets its status, a REFER gets the status alone. Counts
// both.
#pragma once

#include <string>

#include "parkd/service/announcer.h"
#include "parkd/service/park_settings.h"
#include "parkd/service/refusal.h"
#include "parkd/service/service_ports.h"

namespace callpark {

class Refusals {
 public:
  /// The announcer must outlive this.
  Refusals(const ServicePorts& ports, Announcer& announcer, const ParkSettings& settings);

  /// `language`: English if "".
  void refuse(CallId call, park::RefusalReason reason, const std::string& language);
  void refuse(ReferralId referral, park::RefusalReason reason);
  /// The same for what the billing system has denied.
  void deny(CallId call, const Refusal& denial, const std::string& language);
  void deny(ReferralId referral, const Refusal& denial);

 private:
  void count(const std::string& prompt);
  void speak(CallId call, const Refusal& refusal, const std::string& language, Duration duration_max);

  const ServicePorts ports_;
  Announcer& announcer_;
  const ParkSettings& settings_;
};

}  // namespace callpark
