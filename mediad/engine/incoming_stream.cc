#include "mediad/engine/incoming_stream.h"

#include "mediad/engine/rtp_packet.h"

namespace callpark::media {
namespace {

// Half a second of sound: more than any device sends into the blue.
constexpr int kForeignPackets = 25;

}  // namespace

void IncomingStream::set_remote(RemoteNumber number, const PeerAddress& remote, Latching latching, MonotonicTime now) {
  source_.signal(remote, latching, now);
  unheard_ = number;
  foreign_ = {};
  port_->set_destination(remote);
}

void IncomingStream::receive_rtcp() {
  port_->receive_rtcp([this](std::span<const std::uint8_t>, const PeerAddress& from) { on_packet_from(from); });
}

// The port does not matter: some phones send from another one than they receive on, and RTCP comes from its own.
void IncomingStream::on_packet_from(const PeerAddress& from) {
  if (unheard_ && from.is_same_host(source_.remote())) note_heard();
}

// Some networks receive at one host and send from another. Their sound is dropped, as any from elsewhere, but it shows
// that the party exists.
void IncomingStream::on_foreign(const RtpPacket& packet) {
  if (!unheard_ || (packet.payload_type != codec_ && packet.payload_type != telephone_event_)) return;
  if (foreign_.ssrc != packet.ssrc) foreign_ = {packet.ssrc, 0};
  if (++foreign_.packets >= kForeignPackets) note_heard();
}

void IncomingStream::note_heard() {
  on_heard_(*unheard_);
  unheard_.reset();
}

void IncomingStream::set_payload_types(std::uint8_t codec, std::optional<std::uint8_t> telephone_event, int clock_hz) {
  codec_ = codec;
  telephone_event_ = telephone_event;
  // The keys are not forgotten: the end of one may come again after a re-INVITE.
  digits_.set_clock(clock_hz);
}

void IncomingStream::receive_rtp(MonotonicTime now) {
  port_->receive_rtp([this, now](std::span<const std::uint8_t> datagram, const PeerAddress& from) {
    on_datagram(datagram, from, now);
  });
}

void IncomingStream::on_datagram(std::span<const std::uint8_t> datagram, const PeerAddress& from, MonotonicTime now) {
  on_packet_from(from);
  const auto packet = parse_rtp(datagram);
  if (!packet) return;
  switch (source_.judge(from, packet->ssrc, packet->sequence, now)) {
    case SourceLock::Verdict::kForeign:
      return on_foreign(*packet);
    case SourceLock::Verdict::kLatched:
      port_->set_destination(source_.remote());
      on_packet_from(from);
      break;
    case SourceLock::Verdict::kConfirmed:
      port_->lock_to(source_.remote());
      break;
    case SourceLock::Verdict::kOurs:
      break;
  }
  packets_received_.fetch_add(1, std::memory_order_relaxed);
  last_received_ms_.store(std::chrono::duration_cast<Duration>(now.time_since_epoch()).count(),
                          std::memory_order_relaxed);
  if (packet->payload_type != telephone_event_) return;
  for (const DigitReceiver::Digit& digit : digits_.on_packet(*packet, now)) on_digit_(digit);
}

void IncomingStream::on_time(MonotonicTime now) {
  if (const auto digit = digits_.on_time(now)) on_digit_(*digit);
}

}  // namespace callpark::media
