// The timers of RFC 3261 17 (table 4 of appendix A) and RFC 6026, from T1, T2 and T4.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace callpark::sip {

/// kTrying is the 200 ms of RFC 3261 17.2.1, kCancelled the 64*T1 of RFC 3261 9.1; the others have the RFC's letters.
enum class TimerName : std::uint8_t { kA, kB, kD, kE, kF, kG, kH, kI, kJ, kK, kL, kM, kTrying, kCancelled };

struct TransactionTimers {
  /// Round-trip time estimate.
  Duration t1{500};
  /// Longest interval between retransmissions of non-INVITE requests and INVITE responses.
  Duration t2{4000};
  /// Longest time a message stays in the network.
  Duration t4{5000};
  /// The TU's time to answer an INVITE before the layer sends 100.
  Duration trying{200};
  /// Minimum of timer D over UDP.
  Duration d_min{32000};
  /// If set, the transport is TCP: nothing is retransmitted and nothing waits for retransmissions.
  bool reliable = false;

  Duration a() const noexcept { return t1; }
  Duration b() const noexcept { return 64 * t1; }
  Duration d() const noexcept { return reliable ? Duration::zero() : std::max(d_min, 64 * t1); }
  Duration e() const noexcept { return std::min(t1, t2); }
  Duration f() const noexcept { return 64 * t1; }
  Duration g() const noexcept { return std::min(t1, t2); }
  Duration h() const noexcept { return 64 * t1; }
  Duration i() const noexcept { return reliable ? Duration::zero() : t4; }
  Duration j() const noexcept { return reliable ? Duration::zero() : 64 * t1; }
  Duration k() const noexcept { return reliable ? Duration::zero() : t4; }
  Duration l() const noexcept { return 64 * t1; }
  Duration m() const noexcept { return 64 * t1; }
  Duration cancelled() const noexcept { return 64 * t1; }
};

}  // namespace callpark::sip
