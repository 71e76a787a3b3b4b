// One session's outgoing RTP: the cached payloads with source, sequence and time, and a report every few seconds.
#pragma once

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

  void set_codec(CodecName codec, std::uint8_t payload_type);
  /// While paused, the play continues unheard.
  void set_direction(Direction direction) { direction_ = direction; }
  Player& player() { return player_; }

  /// Sends the packet of this moment. `now` grows by one a call; if it grows by more, time has been lost and the
  /// timestamps include the gap.
  void send_next(PacketClock now);

  std::uint64_t packets_sent() const { return packets_sent_.load(std::memory_order_relaxed); }

 private:
  void begin_clock(PacketClock now);
  void send(EncodedAudio::Payload payload);
  void report(std::uint64_t packets);

  std::shared_ptr<RtpPort> port_;
  Begin begin_;
  OnEnded on_ended_;
  Player player_;
  Direction direction_ = Direction::kSending;
  std::uint8_t payload_type_ = 0;
  std::uint32_t clock_per_packet_ = 160;
  // timestamp = offset + packet clock × clock_per_packet_; the offset keeps it continuous when the clock rate changes.
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
