// The server side of an INVITE transaction as a pure function: RFC 3261 17.2.1 as RFC 6026 corrects it.
#pragma once

#include "parkd/transaction/transaction_action.h"
#include "parkd/transaction/transaction_timers.h"

namespace callpark::sip::invite_server {

enum class Phase : std::uint8_t { kProceeding, kAccepted, kCompleted, kConfirmed, kTerminated };

struct State {
  Phase phase = Phase::kProceeding;
  /// True if there is a provisional response that a copy of the INVITE can be answered with.
  bool has_provisional = false;
  /// The last value of timer G.
  Duration interval{};

  bool operator==(const State&) const = default;
};

enum class Event : std::uint8_t {
  kInvite,           // a copy of the INVITE
  kAck,              // by its branch an ACK of this INVITE
  kSendProvisional,  // the TU answers 100 to 199
  kSendSuccess,      // the TU answers 200 to 299
  kSendFailure,      // the TU answers 300 to 699
  kTransportError,
  kTimerTrying,
  kTimerG,
  kTimerH,
  kTimerI,
  kTimerL,
};

using Decision = sip::Decision<State, ServerAction>;

/// An INVITE that is no copy of an earlier one has come.
Decision begin(const TransactionTimers& timers);
Decision decide(const State& state, Event event, const TransactionTimers& timers);

}  // namespace callpark::sip::invite_server
