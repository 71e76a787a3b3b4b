// What client and server transactions share inside of the transaction layer.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "parkd/transaction/alarm_clock.h"
#include "parkd/transaction/timer_queues.h"
#include "parkd/transaction/transaction_layer.h"
#include "parkd/transaction/transaction_timers.h"
#include "parkd/transport/message_transport.h"

namespace callpark::sip {

/// Identifies the owner of a timer: the number of a transaction on its side.
struct TimerOwner {
  std::uint64_t number;
  bool is_server;

  std::uint64_t to_integer() const noexcept { return number << 1U | (is_server ? 1U : 0U); }
  static TimerOwner from_integer(std::uint64_t value) noexcept { return {value >> 1U, (value & 1U) != 0}; }
};

/// Empties a message and frees its memory, which an assignment would keep.
inline void release(SipMessage& message) {
  SipMessage gone;
  std::swap(message, gone);
}

struct TransactionContext {
  MessageTransport& transport;
  AlarmClock& clock;
  TransactionTimers unreliable;
  TransactionTimers reliable;
  TimerQueues timers;
  TransactionCounters counters;
  /// Owners of messages that could not be sent. Failures are reported in the loop's next iteration, because no call of
  /// the layer calls back.
  std::vector<std::uint64_t> send_failures;
  std::function<void(Duration)> on_round_trip;  // empty: nothing listens

  const TransactionTimers& timers_for(const Endpoint& endpoint) const noexcept {
    return is_reliable(endpoint.protocol) ? reliable : unreliable;
  }
  void send(const SipMessage& message, const Endpoint& destination, std::uint64_t owner) {
    if (!transport.send(message, destination)) send_failures.push_back(owner);
  }
};

/// The two timers that one transaction can have running at once.
struct TransactionTimerPair {
  explicit TransactionTimerPair(std::uint64_t owner) noexcept : retransmission(owner), end(owner) {}

  void start(TransactionContext& context, TimerName name, Duration delay) {
    const bool retransmits = name == TimerName::kA || name == TimerName::kE || name == TimerName::kG;
    context.timers.start(retransmits ? retransmission : end, name, delay, context.clock.now());
  }
  void stop() noexcept {
    retransmission.stop();
    end.stop();
  }

  Timer retransmission;
  Timer end;
};

}  // namespace callpark::sip
