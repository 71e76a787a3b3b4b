#include "mediad/engine/outgoing_stream.h"

#include <arpa/inet.h>
#include <ortp/ortp.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace callpark::media {
namespace {

constexpr int kRtcpIntervalMs = 5000;
// How often oRTP is asked whether a report is due.
constexpr std::uint64_t kPacketsPerReportCheck = kPacketsPerSecond;
constexpr std::size_t kBlocksMax = 16;

// Spreads the first sequence number and timestamp over their ranges (RFC 3550 section 5.1 wants them unpredictable),
// and is the same again for the same SSRC.
std::uint32_t scatter(std::uint32_t ssrc) {
  std::uint32_t value = ssrc ^ 0x9E37'79B9U;
  value = (value ^ value >> 16) * 0x85EB'CA6BU;
  value = (value ^ value >> 13) * 0xC2B2'AE35U;
  return value ^ value >> 16;
}

using Parts = std::array<iovec, kBlocksMax>;

std::span<const iovec> gather(mblk_t* message, Parts& parts) {
  std::size_t count = 0;
  for (; message != nullptr && count < parts.size(); message = message->b_cont) {
    parts[count++] = {message->b_rptr, static_cast<std::size_t>(message->b_wptr - message->b_rptr)};
  }
  return {parts.data(), count};
}

// RTP does not pass here.
int send_nothing(RtpTransport*, mblk_t* message, int, const sockaddr*, socklen_t) noexcept {
  return static_cast<int>(msgdsize(message));
}

int send_rtcp(RtpTransport* transport, mblk_t* message, int, const sockaddr*, socklen_t) noexcept {
  Parts parts;
  static_cast<RtpPort*>(transport->data)->send_rtcp(gather(message, parts));
  return static_cast<int>(msgdsize(message));
}

// The receiver reads the sockets.
int receive_nothing(RtpTransport*, mblk_t*, int, sockaddr*, socklen_t*) noexcept {
  return 0;
}

ortp_socket_t no_socket(RtpTransport*) noexcept {
  return -1;
}

void close_nothing(RtpTransport*) noexcept {}

void destroy(RtpTransport* transport) noexcept {
  ortp_free(transport);
}

using SendTo = int (*)(RtpTransport*, mblk_t*, int, const sockaddr*, socklen_t);

RtpTransport* make_transport(RtpSession* session, RtpPort* port, SendTo send) {
  auto* transport = static_cast<RtpTransport*>(ortp_malloc0(sizeof(RtpTransport)));
  transport->data = port;
  transport->session = session;
  transport->t_getsocket = &no_socket;
  transport->t_sendto = send;
  transport->t_recvfrom = &receive_nothing;
  transport->t_close = &close_nothing;
  transport->t_destroy = &destroy;
  return transport;
}

}  // namespace

class OutgoingStream::Reports {
 public:
  Reports(RtpPort* port, std::uint32_t ssrc) {
    static const bool ready = [] {
      ortp_init();
      ortp_set_log_level_mask(nullptr, ORTP_ERROR | ORTP_FATAL);
      return true;
    }();
    session_ = ready ? rtp_session_new(RTP_SESSION_SENDRECV) : nullptr;
    if (session_ == nullptr) throw std::runtime_error("oRTP gives no session");
    rtp_session_set_scheduling_mode(session_, 0);
    rtp_session_set_blocking_mode(session_, 0);
    rtp_session_set_ssrc(session_, ssrc);
    rtp_session_set_rtcp_report_interval(session_, kRtcpIntervalMs);
    rtp_session_set_source_description(session_, "callpark", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    // Our transport, since rtp_session_set_remote_addr() would open two more sockets.
    RtpTransport* rtp = nullptr;
    RtpTransport* rtcp = nullptr;
    rtp_session_get_transports(session_, &rtp, &rtcp);
    meta_rtp_transport_set_endpoint(rtp, make_transport(session_, port, &send_nothing));
    meta_rtp_transport_set_endpoint(rtcp, make_transport(session_, port, &send_rtcp));
  }
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;
  ~Reports() { rtp_session_destroy(session_); }

  /// Sends a sender report if it is time to. The arguments are what it says.
  void send_if_due(std::uint64_t packets, std::uint64_t payload_bytes, std::uint32_t last_timestamp) {
    session_->stats.packet_sent = packets;
    session_->rtp.sent_payload_bytes = static_cast<std::uint32_t>(payload_bytes);
    session_->rtp.snd_last_ts = last_timestamp;
    rtp_session_rtcp_process_send(session_);
  }

 private:
  RtpSession* session_ = nullptr;
};

OutgoingStream::OutgoingStream(std::shared_ptr<RtpPort> port, const Begin& begin, OnEnded on_ended)
    : port_(std::move(port)),
      reports_(std::make_unique<Reports>(port_.get(), begin.ssrc)),
      begin_(begin),
      on_ended_(std::move(on_ended)) {}

OutgoingStream::~OutgoingStream() = default;

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
  if (packets % kPacketsPerReportCheck == 0) reports_->send_if_due(packets, payload_bytes_sent_, last_timestamp_);
}

}  // namespace callpark::media
