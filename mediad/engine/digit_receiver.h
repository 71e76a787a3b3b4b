// Turns the packets of telephone-event (RFC 4733) into pressed keys. Each key is reported once, however often its
// packets are repeated or lost. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/clock.h"

namespace callpark::media {

class DigitReceiver {
 public:
  struct Digit {
    char digit;
    int duration_ms;
    bool operator==(const Digit&) const = default;
  };
  /// A key is reported when it is released, when no packet of it has come for kSilence, or when it has been held down
  /// for kHeldMax.
  static constexpr Duration kSilence{300};
  static constexpr Duration kHeldMax{2000};

  /// `clock_hz` is the clock of the RTP timestamps.
  explicit DigitReceiver(int clock_hz) : clock_hz_(clock_hz) {}

  /// Returns the key that this packet completes: its own, or the previous one if its end was lost.
  std::optional<Digit> on_packet(std::uint32_t timestamp, std::span<const std::uint8_t> payload, MonotonicTime now);
  /// Called regularly while is_pressed(); returns the key if its end does not come.
  std::optional<Digit> on_time(MonotonicTime now);
  bool is_pressed() const { return pressed_ && pressed_->report == Report::kOwed; }

 private:
  enum class Report { kOwed, kDone };
  struct Pressed {
    std::uint8_t event;
    /// The timestamps of the first packet and of the current segment (RFC 4733 section 2.5.1.3) of a long press.
    std::uint32_t segment_timestamp;
    std::uint32_t earlier_segments;
    std::uint16_t duration;
    MonotonicTime first;
    MonotonicTime last;
    Report report;
  };

  Digit report();

  int clock_hz_;
  std::optional<Pressed> pressed_;
};

}  // namespace callpark::media
