#include "mediad/engine/rtp_packet.h"

#include <gtest/gtest.h>

#include <vector>

namespace callpark::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes packet(std::uint8_t first, std::uint8_t second, const Bytes& rest) {
  Bytes bytes = {first, second, 0x12, 0x34, 0, 0, 0, 160, 0xDE, 0xAD, 0xBE, 0xEF};
  for (const std::uint8_t byte : rest) bytes.push_back(byte);
  return bytes;
}

TEST(RtpPacket, ReadsTheFixedHeader) {
  const Bytes bytes = packet(0x80, 0x80 | 101, {1, 2, 3});
  const auto parsed = parse_rtp(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->payload_type, 101);
  EXPECT_TRUE(parsed->marker);
  EXPECT_EQ(parsed->sequence, 0x1234);
  EXPECT_EQ(parsed->timestamp, 160u);
  EXPECT_EQ(parsed->ssrc, 0xDEADBEEFu);
  EXPECT_EQ(Bytes(parsed->payload.begin(), parsed->payload.end()), (Bytes{1, 2, 3}));
}

TEST(RtpPacket, LeavesContributorsExtensionAndPaddingOut) {
  const Bytes bytes = packet(0x80 | 0x20 | 0x10 | 1, 0, {9, 9, 9, 9, 0, 0, 0, 1, 8, 8, 8, 8, 1, 2, 0, 2});
  const auto parsed = parse_rtp(bytes);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(Bytes(parsed->payload.begin(), parsed->payload.end()), (Bytes{1, 2}));
}

TEST(RtpPacket, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_rtp(Bytes{}));
  EXPECT_FALSE(parse_rtp(packet(0x40, 0, {})));
  EXPECT_FALSE(parse_rtp(packet(0x80, 200, {}))) << "an RTCP sender report";
  EXPECT_FALSE(parse_rtp(packet(0x8F, 0, {}))) << "contributors beyond the end";
  EXPECT_FALSE(parse_rtp(packet(0x90, 0, {0, 0, 0xFF, 0xFF}))) << "an extension beyond the end";
  EXPECT_FALSE(parse_rtp(packet(0xA0, 0, {0}))) << "padding of nothing";
  EXPECT_FALSE(parse_rtp(packet(0xA0, 0, {200}))) << "padding beyond the beginning";
}

TEST(RtpPacket, NoPrefixCanHurt) {
  const Bytes whole = packet(0xBF, 0, Bytes(80, 0x0A));
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Bytes copy = whole;
    copy.resize(size);
    copy.shrink_to_fit();  // so that a sanitizer sees a read beyond it
    (void)parse_rtp(copy);
  }
}

}  // namespace
}  // namespace callpark::media
