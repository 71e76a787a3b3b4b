// The server side of a transaction other than INVITE as a pure function: RFC 3261 17.2.2, with 17.2.4 as RFC 6026
// corrects it.
#pragma once

#include "parkd/transaction/transaction_action.h"
#include "parkd/transaction/transaction_timers.h"

namespace callpark::sip::non_invite_server {

enum class Phase : std::uint8_t { kTrying, kProceeding, kCompleted, kTerminated };

struct State {
  Phase phase = Phase::kTrying;

  bool operator==(const State&) const = default;
};

enum class Event : std::uint8_t {
  kRequest,          // a copy of the request
  kSendProvisional,  // the TU answers 100 to 199
  kSendFinal,        // the TU answers 200 to 699
  kTransportError,
  kTimerJ,
};

using Decision = sip::Decision<State, ServerAction>;

/// A request that is no copy of an earlier one has come.
Decision begin();
Decision decide(const State& state, Event event, const TransactionTimers& timers);

}  // namespace callpark::sip::non_invite_server
