// The client side of an INVITE transaction as a pure function: RFC 3261 17.1.1 as RFC 6026 corrects it, and the wait of
// RFC 3261 9.1 between INVITE and CANCEL.
#pragma once

#include "parkd/transaction/transaction_action.h"
#include "parkd/transaction/transaction_timers.h"

namespace callpark::sip::invite_client {

enum class Phase : std::uint8_t { kCalling, kProceeding, kAccepted, kCompleted, kTerminated };

enum class Cancelling : std::uint8_t {
  kNotAsked,
  kWaiting,  // requested, but no provisional response has come yet
  kSent,
};

struct State {
  Phase phase = Phase::kCalling;
  Cancelling cancelling = Cancelling::kNotAsked;
  /// The last value of timer A.
  Duration interval{};

  bool operator==(const State&) const = default;
};

enum class Event : std::uint8_t {
  kProvisional,  // 100 to 199
  kSuccess,      // 200 to 299
  kFailure,      // 300 to 699
  kCancel,       // the TU cancels
  kTransportError,
  kTimerA,
  kTimerB,
  kTimerD,
  kTimerM,
  kTimerCancelled,
};

using Decision = sip::Decision<State, ClientAction>;

/// The TU sends an INVITE.
Decision begin(const TransactionTimers& timers);
Decision decide(const State& state, Event event, const TransactionTimers& timers);

}  // namespace callpark::sip::invite_client
