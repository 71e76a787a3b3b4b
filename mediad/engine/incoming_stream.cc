#include "mediad/engine/incoming_stream.h"

#include "mediad/engine/rtp_packet.h"

namespace callpark::media {

void IncomingStream::set_remote(const PeerAddress& remote, SourceLock::Learning learning, MonotonicTime now) {
  source_.emplace(remote, learning, now);
  port_->set_destination(remote);
}

void IncomingStream::set_telephone_event(std::optional<std::uint8_t> payload_type, int clock_hz) {
  telephone_event_ = payload_type;
  digits_ = DigitReceiver(clock_hz);
}

void IncomingStream::receive_rtp(MonotonicTime now) {
  port_->receive_rtp([this, now](std::span<const std::uint8_t> datagram, const PeerAddress& from) {
    on_datagram(datagram, from, now);
  });
}

void IncomingStream::on_datagram(std::span<const std::uint8_t> datagram, const PeerAddress& from, MonotonicTime now) {
  const auto packet = parse_rtp(datagram);
  if (!packet || !source_) return;
  switch (source_->judge(from, packet->ssrc, packet->sequence, now)) {
    case SourceLock::Verdict::kForeign:
      return;
    case SourceLock::Verdict::kLocked:
      port_->lock_to(source_->locked_address());
      break;
    case SourceLock::Verdict::kOurs:
      break;
  }
  packets_received_.fetch_add(1, std::memory_order_relaxed);
  last_received_ms_.store(std::chrono::duration_cast<Duration>(now.time_since_epoch()).count(),
                          std::memory_order_relaxed);
  if (packet->payload_type != telephone_event_) return;
  if (const auto digit = digits_.on_packet(packet->timestamp, packet->payload, now)) on_digit_(*digit);
}

void IncomingStream::on_time(MonotonicTime now) {
  if (const auto digit = digits_.on_time(now)) on_digit_(*digit);
}

}  // namespace callpark::media
