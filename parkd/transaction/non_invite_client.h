// The client side of a transaction other than INVITE as a pure function: RFC 3261 17.1.2.
#pragma once

#include "parkd/transaction/transaction_action.h"
#include "parkd/transaction/transaction_timers.h"

namespace callpark::sip::non_invite_client {

enum class Phase : std::uint8_t { kTrying, kProceeding, kCompleted, kTerminated };

struct State {
  Phase phase = Phase::kTrying;
  /// The last value of timer E.
  Duration interval{};

  bool operator==(const State&) const = default;
};

enum class Event : std::uint8_t {
  kProvisional,  // 100 to 199
  kFinal,        // 200 to 699
  kTransportError,
  kTimerE,
  kTimerF,
  kTimerK,
};

using Decision = sip::Decision<State, ClientAction>;

/// The TU sends a request.
Decision begin(const TransactionTimers& timers);
Decision decide(const State& state, Event event, const TransactionTimers& timers);

}  // namespace callpark::sip::non_invite_client
