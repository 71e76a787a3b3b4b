#include "mediad/engine/outgoing_stream.h"

#include <ortp/ortp.h>
#include <sys/uio.h>

#include <array>
#include <mutex>
#include <stdexcept>

namespace callpark::media {
namespace {

constexpr int kRtcpIntervalMs = 5000;
constexpr std::size_t kBlocksMax = 16;

// oRTP looks the clock of a payload type up in a profile; the one of each codec gives it for every number.
struct Profiles {
  Profiles() {
    ortp_init();
    ortp_set_log_level_mask(nullptr, ORTP_ERROR | ORTP_FATAL);
    for (const CodecFacts& facts : all_codecs()) {
      const auto at = static_cast<std::size_t>(facts.name);
      types[at] = payload_type_pcmu8000;
      types[at].clock_rate = facts.clock_hz;
      rtp_profile_set_name(&profiles[at], "callpark");
      for (int number = 0; number < RTP_PROFILE_MAX_PAYLOADS; ++number) {
        rtp_profile_set_payload(&profiles[at], number, &types[at]);
      }
    }
  }
  static Profiles& shared() {
    static Profiles profiles;
    return profiles;
  }
  RtpProfile* of(CodecName codec) { return &profiles[static_cast<std::size_t>(codec)]; }

  std::array<PayloadType, 4> types{};
  std::array<RtpProfile, 4> profiles{};
};

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

// oRTP counts what these give back as sent. A packet that the network refuses is one lost, no error of ours.
int send_rtp(RtpTransport* transport, mblk_t* message, int, const sockaddr*, socklen_t) noexcept {
  Parts parts;
  static_cast<RtpPort*>(transport->data)->send_rtp(gather(message, parts));
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

struct OutgoingStream::Rtp {
  explicit Rtp(RtpPort* port, std::uint32_t ssrc) : session(rtp_session_new(RTP_SESSION_SENDRECV)) {
    if (session == nullptr) throw std::runtime_error("oRTP gives no session");
    rtp_session_set_scheduling_mode(session, 0);
    rtp_session_set_blocking_mode(session, 0);
    rtp_session_set_ssrc(session, ssrc);
    rtp_session_set_rtcp_report_interval(session, kRtcpIntervalMs);
    rtp_session_set_source_description(session, "callpark", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    RtpTransport* rtp = nullptr;
    RtpTransport* rtcp = nullptr;
    rtp_session_get_transports(session, &rtp, &rtcp);
    meta_rtp_transport_set_endpoint(rtp, make_transport(session, port, &send_rtp));
    meta_rtp_transport_set_endpoint(rtcp, make_transport(session, port, &send_rtcp));
  }
  Rtp(const Rtp&) = delete;
  Rtp& operator=(const Rtp&) = delete;
  ~Rtp() { rtp_session_destroy(session); }

  RtpSession* session;
};

OutgoingStream::OutgoingStream(std::shared_ptr<RtpPort> port, const Begin& begin, OnEnded on_ended)
    : port_(std::move(port)), begin_(begin), on_ended_(std::move(on_ended)) {
  Profiles::shared();
  rtp_ = std::make_unique<Rtp>(port_.get(), begin.ssrc);
}

OutgoingStream::~OutgoingStream() = default;

void OutgoingStream::set_codec(CodecName codec, std::uint8_t payload_type) {
  const std::uint32_t clock_per_packet = facts_of(codec).clock_per_packet();
  if (started_ == Started::kYes && clock_per_packet != clock_per_packet_) {
    timestamp_offset_ = last_timestamp_ - static_cast<std::uint32_t>(last_now_) * clock_per_packet;
  }
  clock_per_packet_ = clock_per_packet;
  RtpProfile* profile = Profiles::shared().of(codec);
  rtp_session_set_profile(rtp_->session, profile);
  rtp_session_set_payload_type(rtp_->session, payload_type);
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
    rtp_session_set_seq_number(rtp_->session, sequence_++);
    mblk_t* packet =
        rtp_session_create_packet(rtp_->session, RTP_FIXED_HEADER_SIZE, step.payload.data(), step.payload.size());
    // RFC 3551 section 4.1: the first packet of a talkspurt is marked, so that the listener may adapt its buffer.
    rtp_set_markbit(packet, talkspurt_ == Talkspurt::kBegins ? 1 : 0);
    talkspurt_ = Talkspurt::kGoesOn;
    rtp_session_sendm_with_ts(rtp_->session, packet, last_timestamp_);
    packets_sent_.fetch_add(1, std::memory_order_relaxed);
  } else {
    talkspurt_ = Talkspurt::kBegins;
  }
  if (step.ended) on_ended_(*step.ended);
}

}  // namespace callpark::media
