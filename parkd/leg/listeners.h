// The listeners of the three ports, set once for all that report to them.
#pragma once

#include "parkd/ports/calls.h"
#include "parkd/ports/conversations.h"
#include "parkd/ports/referrals.h"

namespace callpark::leg {

/// Set before the first request comes; each must outlive the user agent.
struct Listeners {
  CallListener* calls = nullptr;
  ConversationListener* conversations = nullptr;
  ReferralListener* referrals = nullptr;
};

}  // namespace callpark::leg
