#include "mediad/engine/outgoing_stream.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <numeric>

#include "mediad/engine/rtp_packet.h"
#include "tests/unit/mediad/engine/open_port.h"

namespace callpark::media {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Rest = OutgoingStream::Rest;

// One payload of 160 bytes, 0 to 159.
SharedAudio ramp(std::size_t bytes = 160) {
  Bytes payload(bytes);
  std::iota(payload.begin(), payload.end(), std::uint8_t{0});
  EncodedAudio audio;
  audio.append(payload);
  return std::make_shared<const EncodedAudio>(std::move(audio));
}

class Sending : public testing::Test {
 protected:
  struct Packet {
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    bool marker = false;
    Bytes payload;
  };

  Sending() {
    port_->set_destination(*PeerAddress::of({"127.0.0.1", listener_->port()}));
    stream_.player().start({.loop = ramp()});
  }
  std::vector<Packet> arrived() {
    std::vector<Packet> packets;
    pollfd readable{listener_->rtp_fd(), POLLIN, 0};
    while (poll(&readable, 1, 0) > 0) {
      listener_->receive_rtp([&](std::span<const std::uint8_t> datagram, const PeerAddress&) {
        const auto packet = *parse_rtp(datagram);
        packets.push_back(
            {packet.sequence, packet.timestamp, packet.marker, Bytes(packet.payload.begin(), packet.payload.end())});
      });
    }
    return packets;
  }
  static Bytes bytes_from(std::uint8_t first, std::size_t count) {
    Bytes bytes(count);
    std::iota(bytes.begin(), bytes.end(), first);
    return bytes;
  }

  std::shared_ptr<RtpPort> port_ = open_port();
  std::unique_ptr<RtpPort> listener_ = open_port();
  OutgoingStream stream_{port_, {.ssrc = 1, .sequence = 65535, .timestamp = 1000}, [](PlayNumber) {}};
};

TEST_F(Sending, APayloadIsOnePacket) {
  stream_.set_codec(CodecName::kPcmu, 0, 20);
  EXPECT_EQ(stream_.send_next(50), Rest::kNone);
  stream_.send_second_half();
  const auto packets = arrived();
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(packets[0].payload, bytes_from(0, 160));
}

TEST_F(Sending, X18_WithTenMillisecondsAPayloadIsTwoPackets) {
  for (const CodecName codec : {CodecName::kPcmu, CodecName::kPcma, CodecName::kG722}) {
    stream_.set_codec(codec, 0, 10);
    EXPECT_EQ(stream_.send_next(50), Rest::kSecondHalf);
    const auto first = arrived();
    ASSERT_EQ(first.size(), 1U) << "the second leaves 10 ms later";
    EXPECT_EQ(first[0].payload, bytes_from(0, 80));
    stream_.send_second_half();
    stream_.send_second_half();
    const auto second = arrived();
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(second[0].payload, bytes_from(80, 80));
    EXPECT_EQ(static_cast<std::uint16_t>(second[0].sequence - first[0].sequence), 1);
    EXPECT_EQ(second[0].timestamp - first[0].timestamp, 80U) << "G722 counts with 8 kHz too";
    EXPECT_FALSE(second[0].marker);
  }
  EXPECT_EQ(stream_.packets_sent(), 6U);
}

TEST_F(Sending, X18_AHalfThatIsLateLeavesBeforeTheNextPayload) {
  stream_.set_codec(CodecName::kPcmu, 0, 10);
  stream_.send_next(50);
  stream_.send_next(51);
  const auto packets = arrived();
  ASSERT_EQ(packets.size(), 3U);
  EXPECT_EQ(packets[0].timestamp, 1000U);
  EXPECT_EQ(packets[1].timestamp, 1080U);
  EXPECT_EQ(packets[2].timestamp, 1160U);
  EXPECT_EQ(packets[2].payload, bytes_from(0, 80));
}

TEST_F(Sending, X18_AHalfOutlivesItsSoundAndIsDroppedByHoldAndAnotherCodec) {
  stream_.set_codec(CodecName::kPcmu, 0, 10);
  stream_.send_next(50);
  stream_.player().start({.loop = ramp()});
  stream_.send_second_half();
  EXPECT_EQ(arrived().size(), 2U);
  stream_.send_next(51);
  stream_.set_direction(Direction::kPaused);
  stream_.send_second_half();
  EXPECT_EQ(arrived().size(), 1U);
  stream_.set_direction(Direction::kSending);
  stream_.send_next(52);
  stream_.set_codec(CodecName::kPcma, 8, 20);
  stream_.send_second_half();
  EXPECT_EQ(arrived().size(), 1U);
}

}  // namespace
}  // namespace callpark::media
