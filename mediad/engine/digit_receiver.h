// Turns the packets of telephone-event (RFC 4733) into pressed keys. Each key is reported once, however often its
// packets are repeated, lost or overtaken. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "mediad/engine/rtp_packet.h"

namespace callpark::media {

class DigitReceiver {
 public:
  struct Digit {
    char digit;
    int duration_ms;
    bool operator==(const Digit&) const = default;
  };
  /// A key is reported when it is released, when the next one is pressed, when no packet of it has come for kSilence,
  /// or when it has been held down for kHeldMax.
  static constexpr Duration kSilence{300};
  static constexpr Duration kHeldMax{2000};
  /// A packet with a sequence number behind that of another one, by at most so many and for at most so long, has been
  /// overtaken. A larger step back is a sender that counts anew.
  static constexpr int kOvertakenPacketsMax = 100;
  static constexpr Duration kOvertakenMax{2000};

  /// `clock_hz` is the clock of the RTP timestamps.
  explicit DigitReceiver(int clock_hz) : clock_hz_(clock_hz) {}

  /// The keys that were pressed before remain known.
  void set_clock(int clock_hz) { clock_hz_ = clock_hz; }
  /// Returns the keys that this packet completes: the previous one if its end was lost, and its own.
  std::vector<Digit> on_packet(const RtpPacket& packet, MonotonicTime now);
  /// Called regularly while is_pressed(); returns the key if its end does not come.
  std::optional<Digit> on_time(MonotonicTime now);
  bool is_pressed() const { return !keys_.empty() && keys_.back().report == Report::kOwed; }

 private:
  struct Event {
    std::uint8_t code;
    bool is_end;
    std::uint16_t duration;
  };
  enum class Report { kOwed, kDone };
  // One press. Timestamps and durations are in units of the RTP clock.
  struct Key {
    std::uint8_t code;
    std::uint32_t ssrc;
    /// The latest of its packets.
    std::uint16_t sequence;
    std::uint16_t first_sequence;
    /// The timestamps of the first packet, of the current segment (RFC 4733 section 2.5.1.3) of a long press, and of
    /// the latest moment at which the key was still down.
    std::uint32_t begin;
    std::uint32_t segment;
    std::uint32_t end;
    /// That of the packet with the largest duration in the segment.
    std::uint32_t latest;
    std::int64_t earlier_segments;
    std::uint16_t duration;
    bool is_released;
    MonotonicTime first;
    MonotonicTime last;
    Report report;
  };
  struct Newest {
    std::uint32_t ssrc;
    std::uint16_t sequence;
    MonotonicTime at;
  };

  static std::optional<Event> read(std::span<const std::uint8_t> payload);
  static Key begun(const RtpPacket& packet, const Event& event, MonotonicTime now);
  static bool is_next_segment(const Key& key, const RtpPacket& packet);
  bool is_restamped(const Key& key, const RtpPacket& packet, const Event& event) const;
  bool is_same_press(const Key& key, const RtpPacket& packet, const Event& event) const;
  static void extend(Key& key, const RtpPacket& packet, const Event& event, MonotonicTime now);
  bool is_overtaken(const RtpPacket& packet, MonotonicTime now) const;
  Key* find(const RtpPacket& packet, const Event& event);
  std::vector<Digit> on_overtaken_key(const RtpPacket& packet, const Event& event, MonotonicTime now);
  void remember(const std::deque<Key>::const_iterator& before, Key key);
  Digit report(Key& key) const;

  int clock_hz_;
  /// The last few, so that a late packet of any of them is no new key; only the last one can be owed a report.
  std::deque<Key> keys_;
  std::optional<Newest> newest_;
};

}  // namespace callpark::media
