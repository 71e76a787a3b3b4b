#include "mediad/engine/outgoing_stream.h"

#include <arpa/inet.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/random.h"
#include "mediad/engine/sender_report.h"

namespace callpark::media {
namespace {

// RFC 3550 section 6.2: a report every 5 s on average, varied by half of that, the first one sooner.
constexpr std::uint64_t kPayloadsPerReport = 5 * kPacketsPerSecond;

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
      next_report_(1 + random_below(kPayloadsPerReport)) {}

void OutgoingStream::set_codec(CodecName codec, std::uint8_t payload_type, int packet_ms) {
  const std::uint32_t clock_per_payload = facts_of(codec).clock_per_packet();
  if (started_ == Started::kYes && clock_per_payload != clock_per_payload_) {
    timestamp_offset_ = last_timestamp_ - static_cast<std::uint32_t>(last_now_) * clock_per_payload;
  }
  clock_per_payload_ = clock_per_payload;
  payload_type_ = payload_type;
  packets_per_payload_ = static_cast<std::uint32_t>(kPacketMs / packet_ms);
  second_half_.reset();
}

void OutgoingStream::begin_clock(PacketClock now) {
  const auto clock = static_cast<std::uint32_t>(now);
  const std::uint32_t scattered = scatter(begin_.ssrc);
  sequence_ = begin_.sequence.value_or(static_cast<std::uint16_t>(scattered + clock * packets_per_payload_));
  timestamp_offset_ = begin_.timestamp ? *begin_.timestamp - clock * clock_per_payload_ : scattered;
  started_ = Started::kYes;
}

OutgoingStream::Rest OutgoingStream::send_next(PacketClock now) {
  if (!player_.has_plan()) return Rest::kNone;
  send_second_half();  // if the thread was stalled when it was due
  if (started_ == Started::kNo) begin_clock(now);
  const Player::Step step = player_.step(now);
  last_timestamp_ = timestamp_offset_ + static_cast<std::uint32_t>(now) * clock_per_payload_;
  last_now_ = now;
  Rest rest = Rest::kNone;
  if (direction_ == Direction::kSending) {
    rest = send_in_packets(step.payload);
  } else {
    talkspurt_ = Talkspurt::kBegins;
  }
  if (step.ended) on_ended_(*step.ended);
  return rest;
}

OutgoingStream::Rest OutgoingStream::send_in_packets(EncodedAudio::Payload payload) {
  if (packets_per_payload_ == 1 || payload.size() != 2 * kHalfBytes) {
    send(payload, last_timestamp_);
    return Rest::kNone;
  }
  send(payload.first(kHalfBytes), last_timestamp_);
  std::copy_n(payload.begin() + kHalfBytes, kHalfBytes, second_half_.emplace().begin());
  return Rest::kSecondHalf;
}

void OutgoingStream::send_second_half() {
  if (!second_half_) return;
  const Half half = *second_half_;
  second_half_.reset();
  if (direction_ == Direction::kSending) send(half, last_timestamp_ + clock_per_payload_ / 2);
}

void OutgoingStream::send(EncodedAudio::Payload payload, std::uint32_t rtp_timestamp) {
  // RFC 3550 section 5.1: version 2, no padding, no extension, no contributors.
  std::array<std::uint8_t, 12> header = {0x80};
  // RFC 3551 section 4.1: the first packet of a talkspurt is marked, so that the listener may adapt its buffer.
  header[1] = static_cast<std::uint8_t>((talkspurt_ == Talkspurt::kBegins ? 0x80 : 0) | payload_type_);
  const std::uint16_t sequence = htons(sequence_++);
  const std::uint32_t timestamp = htonl(rtp_timestamp);
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
  next_report_ = packets + packets_per_payload_ * (kPayloadsPerReport / 2 + random_below(kPayloadsPerReport));
  auto bytes = make_sender_report({begin_.ssrc, last_timestamp_, packets, payload_bytes_sent_},
                                  std::chrono::system_clock::now(), cname_);
  const std::array<iovec, 1> parts = {iovec{bytes.data(), bytes.size()}};
  port_->send_rtcp(parts);
}

}  // namespace callpark::media
