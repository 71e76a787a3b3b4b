#include "mediad/engine/outgoing_stream.h"

#include <arpa/inet.h>
#include <sys/uio.h>

#include <array>
#include <cstring>

#include "base/random.h"
#include "mediad/engine/sender_report.h"

namespace callpark::media {
namespace {

// RFC 3550 section 6.2: a report every 5 s on average, varied by half of that, the first one sooner.
constexpr std::uint64_t kPacketsPerReport = 5 * kPacketsPerSecond;

// Spreads the first sequence number and timestamp over their ranges (RFC 3550 section 5.1 requires them to be
// unpredictable), and returns the same value for the same SSRC.
std::uint32_t scatter(std::uint32_t ssrc) {
  std::uint32_t value = ssrc ^ 0x9E37'79B9U;
  value = (value ^ value >> 16) * 0x85EB'CA6BU;
  value = (value ^ value >> 13) * 0xC2B2'AE35U;
  return value ^ value >> 16;
}

}  // namespace

OutgoingStream::OutgoingStream(std::shared_ptr<RtpPort> port, const Begin& begin, OnEnded on_ended)
    : port_(std::move(port)),
      begin_(begin),
      on_ended_(std::move(on_ended)),
      cname_(random_token(16)),
      next_report_(1 + random_below(kPacketsPerReport)) {}

void OutgoingStream::set_codec(CodecName codec, std::uint8_t payload_type) {
  const std::uint32_t clock_per_packet = facts_of(codec).clock_per_packet();
  if (started_ == Started::kYes && clock_per_packet != clock_per_packet_) {
    timestamp_offset_ = last_timestamp_ - static_cast<std::uint32_t>(last_now_) * clock_per_packet;
  }
  clock_per_packet_ = clock_per_packet;
  payload_type_ = payload_type;
}

void OutgoingStream::begin_clock(PacketClock now) {
  const auto clock = static_cast<std::uint32_t>(now);
  const std::uint32_t scattered = scatter(begin_.ssrc);
  sequence_ = begin_.sequence.value_or(static_cast<std::uint16_t>(scattered + clock));
  timestamp_offset_ = begin_.timestamp ? *begin_.timestamp - clock * clock_per_packet_ : scattered;
  started_ = Started::kYes;
}

void OutgoingStream::send_next(PacketClock now) {
  if (!player_.has_plan()) return;
  if (started_ == Started::kNo) begin_clock(now);
  const Player::Step step = player_.step(now);
  last_timestamp_ = timestamp_offset_ + static_cast<std::uint32_t>(now) * clock_per_packet_;
  last_now_ = now;
  if (direction_ == Direction::kSending) {
    send(step.payload);
  } else {
    talkspurt_ = Talkspurt::kBegins;
  }
  if (step.ended) on_ended_(*step.ended);
}

void OutgoingStream::send(EncodedAudio::Payload payload) {
  // RFC 3550 section 5.1: version 2, no padding, no extension, no contributors.
  std::array<std::uint8_t, 12> header = {0x80};
  // RFC 3551 section 4.1: the first packet of a talkspurt is marked, so that the listener may adapt its buffer.
  header[1] = static_cast<std::uint8_t>((talkspurt_ == Talkspurt::kBegins ? 0x80 : 0) | payload_type_);
  const std::uint16_t sequence = htons(sequence_++);
  const std::uint32_t timestamp = htonl(last_timestamp_);
  const std::uint32_t ssrc = htonl(begin_.ssrc);
  std::memcpy(&header[2], &sequence, sizeof sequence);
  std::memcpy(&header[4], &timestamp, sizeof timestamp);
  std::memcpy(&header[8], &ssrc, sizeof ssrc);
  const std::array<iovec, 2> parts = {iovec{header.data(), header.size()},
                                      iovec{const_cast<std::uint8_t*>(payload.data()), payload.size()}};
  port_->send_rtp(parts);
  talkspurt_ = Talkspurt::kGoesOn;
  payload_bytes_sent_ += payload.size();
  const std::uint64_t packets = packets_sent_.load(std::memory_order_relaxed) + 1;
  packets_sent_.store(packets, std::memory_order_relaxed);  // only this thread writes it
  if (packets >= next_report_) report(packets);
}

void OutgoingStream::report(std::uint64_t packets) {
  next_report_ = packets + kPacketsPerReport / 2 + random_below(kPacketsPerReport);
  auto bytes = make_sender_report({begin_.ssrc, last_timestamp_, packets, payload_bytes_sent_},
                                  std::chrono::system_clock::now(), cname_);
  const std::array<iovec, 1> parts = {iovec{bytes.data(), bytes.size()}};
  port_->send_rtcp(parts);
}

}  // namespace callpark::media
