// The actions of the four transaction machines, and the list that returns them; the transaction layer performs them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "base/clock.h"
#include "parkd/transaction/transaction_timers.h"

namespace callpark::sip {

struct ClientAction {
  enum class Kind : std::uint8_t {
    kSendRequest,
    kResendRequest,
    kSendAck,     // of a non-2xx response
    kSendCancel,  // as a transaction of its own
    kPassResponse,
    kReportTimeout,
    kReportTransportError,
    kStartTimer,
    kStopTimers,  // all of this transaction
  };
  Kind kind{};
  TimerName timer{};
  Duration delay{};

  bool operator==(const ClientAction&) const = default;
};

struct ServerAction {
  enum class Kind : std::uint8_t {
    kPassRequest,
    kPassAck,
    kSendTrying,      // a 100 that the layer makes itself
    kSendResponse,    // the one that the TU gives now
    kResendResponse,  // the last one again
    kReportNoAck,
    kReportTransportError,
    kStartTimer,
    kStopTimers,  // all of this transaction
  };
  Kind kind{};
  TimerName timer{};
  Duration delay{};

  bool operator==(const ServerAction&) const = default;
};

/// Performed in this order. A report to the TU (pass, report) is last and occurs once at most, because the TU may do
/// anything with the transaction.
template <class Action>
class ActionList {
 public:
  static constexpr std::size_t kActionsMax = 5;

  ActionList() = default;
  ActionList(std::initializer_list<Action> actions) {
    for (const Action& action : actions) add(action);
  }
  void add(const Action& action) { actions_.at(size_++) = action; }

  const Action* begin() const noexcept { return actions_.data(); }
  const Action* end() const noexcept { return actions_.data() + size_; }
  std::size_t size() const noexcept { return size_; }
  bool operator==(const ActionList&) const = default;

 private:
  std::array<Action, kActionsMax> actions_{};
  std::size_t size_ = 0;
};

template <class State, class Action>
struct Decision {
  State next;
  ActionList<Action> actions;

  bool operator==(const Decision&) const = default;
};

}  // namespace callpark::sip
