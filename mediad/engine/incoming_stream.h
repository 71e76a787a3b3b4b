// The packets that one session receives: counted, checked against their source, and searched for keys.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "mediad/engine/digit_receiver.h"
#include "mediad/engine/rtp_port.h"
#include "mediad/engine/source_lock.h"

namespace callpark::media {

/// Belongs to the receiver's thread, except for construction, the counter and last_received().
class IncomingStream {
 public:
  using OnDigit = std::function<void(DigitReceiver::Digit digit)>;

  IncomingStream(std::shared_ptr<RtpPort> port, OnDigit on_digit)
      : port_(std::move(port)), on_digit_(std::move(on_digit)) {}

  const std::shared_ptr<RtpPort>& port() const { return port_; }
  /// Everything is dropped until the first call. Each call restarts the search for the source.
  void set_remote(const PeerAddress& remote, SourceLock::Learning learning, MonotonicTime now);
  void set_telephone_event(std::optional<std::uint8_t> payload_type, int clock_hz);

  void receive_rtp(MonotonicTime now);
  void receive_rtcp() { port_->drain_rtcp(); }
  /// True while on_time() must be called every 100 ms.
  bool is_key_pressed() const { return digits_.is_pressed(); }
  void on_time(MonotonicTime now);

  std::uint64_t packets_received() const { return packets_received_.load(std::memory_order_relaxed); }
  /// Returns ms of the monotonic clock; 0 before the first packet of the remote.
  std::int64_t last_received_ms() const { return last_received_ms_.load(std::memory_order_relaxed); }

 private:
  void on_datagram(std::span<const std::uint8_t> datagram, const PeerAddress& from, MonotonicTime now);

  std::shared_ptr<RtpPort> port_;
  OnDigit on_digit_;
  std::optional<SourceLock> source_;
  std::optional<std::uint8_t> telephone_event_;
  DigitReceiver digits_{8000};
  std::atomic<std::uint64_t> packets_received_{0};
  std::atomic<std::int64_t> last_received_ms_{0};
};

}  // namespace callpark::media
