#include "mediad/engine/sender_report.h"

#include <gtest/gtest.h>

namespace callpark::media {
namespace {

std::uint32_t word(const std::vector<std::uint8_t>& bytes, std::size_t index) {
  std::uint32_t value = 0;
  for (std::size_t i = 4 * index; i < 4 * index + 4; ++i) value = value << 8 | bytes.at(i);
  return value;
}

TEST(SenderReport, IsLaidOutAsRfc3550Draws) {
  // Half a second past midnight, 1 January 2000.
  const std::chrono::system_clock::time_point now(std::chrono::milliseconds(946'684'800'500));
  const auto bytes = make_sender_report({0xDEADBEEF, 160, 0x1'0000'0002, 320}, now, "ab");
  EXPECT_EQ(word(bytes, 0), 0x80C8'0006u);
  EXPECT_EQ(word(bytes, 1), 0xDEADBEEFu);
  EXPECT_EQ(word(bytes, 2), 3'155'673'600u);
  EXPECT_EQ(word(bytes, 3), 0x8000'0000u);
  EXPECT_EQ(word(bytes, 4), 160u);
  EXPECT_EQ(word(bytes, 5), 2u) << "counted modulo 2^32";
  EXPECT_EQ(word(bytes, 6), 320u);
  EXPECT_EQ(word(bytes, 7), 0x81CA'0003u);
  EXPECT_EQ(word(bytes, 8), 0xDEADBEEFu);
  EXPECT_EQ(word(bytes, 9), 0x0102'6162u);
  EXPECT_EQ(word(bytes, 10), 0u);
  EXPECT_EQ(bytes.size(), 44u);
}

TEST(SenderReport, TheNameAlwaysEndsWithAZeroAtAWordsEnd) {
  for (std::size_t length = 0; length < 20; ++length) {
    const auto bytes = make_sender_report({}, {}, std::string(length, 'x'));
    EXPECT_EQ(bytes.size() % 4, 0u);
    EXPECT_EQ(bytes.back(), 0);
    EXPECT_EQ(bytes.size(), 28 + 4 + 4 * (word(bytes, 7) & 0xFFFF));
  }
}

}  // namespace
}  // namespace callpark::media
