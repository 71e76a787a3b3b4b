// One session's outgoing RTP: the cached payloads with source, sequence and time, and a report every few seconds.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mediad/engine/codec_facts.h"
#include "mediad/engine/player.h"
#include "mediad/engine/rtp_port.h"
#include "mediad/session/state.h"

namespace callpark::media {

/// Belongs to the sender's thread, except for construction and packets_sent().
class OutgoingStream {
 public:
  struct Begin {
    std::uint32_t ssrc = 0;
    std::optional<std::uint16_t> sequence{};
    std::optional<std::uint32_t> timestamp{};
  };
  using OnEnded = std::function<void(PlayNumber number)>;

  /// Without `sequence` and `timestamp` both are derived from the packet clock, so that another process that opens the
  /// same SSRC later continues them as if the packets between had been lost. send_next() calls `on_ended`.
  OutgoingStream(std::shared_ptr<RtpPort> port, const Begin& begin, OnEnded on_ended);
  OutgoingStream(const OutgoingStream&) = delete;
  OutgoingStream& operator=(const OutgoingStream&) = delete;

  /// With `packet_ms` 10 each payload leaves as two packets. Not for opus: its payloads cannot be cut.
  void set_codec(CodecName codec, std::uint8_t payload_type, int packet_ms);
  /// While paused, the play continues unheard.
  void set_direction(Direction direction) { direction_ = direction; }
  Player& player() { return player_; }

  enum class Rest { kNone, kSecondHalf };
  /// Sends the packet of this moment. `now` grows by one a call; if it grows by more, time has been lost and the
  /// timestamps include the gap. kSecondHalf: send_second_half() is due 10 ms later.
  Rest send_next(PacketClock now);
  /// Does nothing if the half has been sent already or is not wanted any more.
  void send_second_half();

  std::uint64_t packets_sent() const { return packets_sent_.load(std::memory_order_relaxed); }

 private:
  /// 10 ms of PCMU, PCMA and G722 (RFC 3551: all of them 64 kbit/s).
  static constexpr std::size_t kHalfBytes = 80;
  using Half = std::array<std::uint8_t, kHalfBytes>;

  void begin_clock(PacketClock now);
  Rest send_in_packets(EncodedAudio::Payload payload);
  void send(EncodedAudio::Payload payload, std::uint32_t rtp_timestamp);
  void report(std::uint64_t packets);

  std::shared_ptr<RtpPort> port_;
  Begin begin_;
  OnEnded on_ended_;
  Player player_;
  Direction direction_ = Direction::kSending;
  std::uint8_t payload_type_ = 0;
  std::uint32_t clock_per_payload_ = 160;
  std::uint32_t packets_per_payload_ = 1;
  // A copy, since the play that it belongs to may end before it is sent.
  std::optional<Half> second_half_;
  // timestamp = offset + packet clock × clock_per_payload_; the offset keeps it continuous when the clock rate changes.
  std::uint32_t timestamp_offset_ = 0;
  std::uint16_t sequence_ = 0;
  enum class Talkspurt { kBegins, kGoesOn };
  Talkspurt talkspurt_ = Talkspurt::kBegins;
  enum class Started { kNo, kYes };
  Started started_ = Started::kNo;
  std::uint32_t last_timestamp_ = 0;
  PacketClock last_now_ = 0;
  std::atomic<std::uint64_t> packets_sent_{0};
  std::uint64_t payload_bytes_sent_ = 0;
  // RFC 7022 section 4.2: a name of its own for each session, so that it does not identify this host.
  std::string cname_;
  std::uint64_t next_report_;
};

}  // namespace callpark::media
