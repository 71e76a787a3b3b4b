// The packets that one session receives: counted, checked against their source, and searched for keys.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "mediad/engine/digit_receiver.h"
#include "mediad/engine/rtp_packet.h"
#include "mediad/engine/rtp_port.h"
#include "mediad/engine/source_lock.h"

namespace callpark::media {

/// Belongs to the receiver's thread, except for construction, the counter and last_received().
class IncomingStream {
 public:
  using OnDigit = std::function<void(DigitReceiver::Digit digit)>;
  /// Numbers the remotes of a session, so that a report about one is never attributed to the next.
  using RemoteNumber = std::uint64_t;
  /// The first packet of any kind has come from the host of this remote, or a stream of its codec from another.
  using OnHeard = std::function<void(RemoteNumber number)>;

  IncomingStream(std::shared_ptr<RtpPort> port, OnDigit on_digit, OnHeard on_heard)
      : port_(std::move(port)), on_digit_(std::move(on_digit)), on_heard_(std::move(on_heard)) {}

  const std::shared_ptr<RtpPort>& port() const { return port_; }
  /// Everything is dropped until the first call. Each call restarts the search for the source.
  void set_remote(RemoteNumber number, const PeerAddress& remote, Latching latching, MonotonicTime now);
  void set_payload_types(std::uint8_t codec, std::optional<std::uint8_t> telephone_event, int clock_hz);

  void receive_rtp(MonotonicTime now);
  /// RTCP is not read; it only shows that the remote exists.
  void receive_rtcp();
  /// True while on_time() must be called every 100 ms.
  bool is_key_pressed() const { return digits_.is_pressed(); }
  void on_time(MonotonicTime now);

  std::uint64_t packets_received() const { return packets_received_.load(std::memory_order_relaxed); }
  /// Returns ms of the monotonic clock; 0 before the first packet of the remote.
  std::int64_t last_received_ms() const { return last_received_ms_.load(std::memory_order_relaxed); }

 private:
  void on_packet_from(const PeerAddress& from);
  void on_foreign(const RtpPacket& packet);
  void note_heard();
  void on_datagram(std::span<const std::uint8_t> datagram, const PeerAddress& from, MonotonicTime now);

  std::shared_ptr<RtpPort> port_;
  OnDigit on_digit_;
  OnHeard on_heard_;
  SourceLock source_;
  /// The remote that on_heard_ has not been called for yet.
  std::optional<RemoteNumber> unheard_;
  /// What comes from another host than the remote's: one source at a time.
  struct Foreign {
    std::uint32_t ssrc = 0;
    int packets = 0;
  };
  Foreign foreign_;
  std::optional<std::uint8_t> codec_;
  std::optional<std::uint8_t> telephone_event_;
  DigitReceiver digits_{8000};
  std::atomic<std::uint64_t> packets_received_{0};
  std::atomic<std::int64_t> last_received_ms_{0};
};

}  // namespace callpark::media
