#include "mediad/engine/digit_receiver.h"

#include <gtest/gtest.h>

#include <array>

namespace callpark::media {
namespace {

using Digit = DigitReceiver::Digit;

class Digits : public testing::Test {
 protected:
  std::optional<Digit> packet(std::uint32_t timestamp, std::uint8_t event, bool end, std::uint16_t duration,
                              int at_ms = 0) {
    const std::array<std::uint8_t, 4> payload = {event, static_cast<std::uint8_t>(end ? 0x8A : 0x0A),
                                                 static_cast<std::uint8_t>(duration >> 8),
                                                 static_cast<std::uint8_t>(duration)};
    return digits_.on_packet(timestamp, payload, start_ + Duration(at_ms));
  }
  std::optional<Digit> time(int at_ms) { return digits_.on_time(start_ + Duration(at_ms)); }

  const MonotonicTime start_{};
  DigitReceiver digits_{8000};
};

TEST_F(Digits, AKeyIsReportedWhenItIsReleased) {
  EXPECT_EQ(packet(1000, 5, false, 160), std::nullopt);
  EXPECT_TRUE(digits_.is_pressed());
  EXPECT_EQ(packet(1000, 5, true, 800), (Digit{'5', 100}));
  EXPECT_FALSE(digits_.is_pressed());
}

TEST_F(Digits, RepeatedEndsAreOneKey) {
  EXPECT_TRUE(packet(1000, 5, true, 800));
  EXPECT_EQ(packet(1000, 5, true, 800), std::nullopt);
  EXPECT_EQ(packet(1000, 5, false, 640), std::nullopt) << "one that was overtaken";
}

TEST_F(Digits, TheSameKeyTwiceIsTwoKeys) {
  EXPECT_TRUE(packet(1000, 5, true, 800));
  EXPECT_EQ(packet(3000, 5, true, 800), (Digit{'5', 100}));
}

TEST_F(Digits, AKeyWhoseEndWasLostIsReportedByTheNextOne) {
  packet(1000, 1, false, 480);
  EXPECT_EQ(packet(3000, 2, false, 160), (Digit{'1', 60}));
  EXPECT_EQ(packet(3000, 2, true, 320), (Digit{'2', 40}));
}

TEST_F(Digits, AKeyWhoseEndWasLostIsReportedAfterSilence) {
  packet(1000, 10, false, 480, 0);
  EXPECT_EQ(time(100), std::nullopt);
  EXPECT_EQ(time(300), (Digit{'*', 60}));
  EXPECT_EQ(time(600), std::nullopt);
}

TEST_F(Digits, AKeyThatIsHeldIsReportedOnceAfterTwoSeconds) {
  int reports = 0;
  for (int ms = 0; ms < 5000; ms += 50) {
    if (packet(1000, 11, false, static_cast<std::uint16_t>(8 * ms + 400), ms)) ++reports;
  }
  EXPECT_EQ(reports, 1);
}

TEST_F(Digits, ALongPressInSegmentsIsOneKey) {
  // RFC 4733 section 2.5.1.3: the next segment begins where the last one ended, at the largest duration.
  int reports = 0;
  if (packet(1000, 3, false, 0xFFFF, 8190)) ++reports;
  if (packet(1000 + 0xFFFF, 3, false, 800, 8300)) ++reports;
  if (packet(1000 + 0xFFFF, 3, true, 1600, 8400)) ++reports;
  EXPECT_EQ(reports, 1);
}

TEST_F(Digits, PacketsOfAnEarlierKeyThatComeLateAreNothing) {
  EXPECT_TRUE(packet(3000, 2, true, 800));
  EXPECT_EQ(packet(1000, 1, true, 800), std::nullopt);
}

TEST_F(Digits, TheTimestampMayWrapAround) {
  EXPECT_TRUE(packet(0xFFFF'FFF0, 2, true, 800));
  EXPECT_TRUE(packet(0x0000'0800, 3, true, 800));
}

TEST_F(Digits, EventsThatAreNoKeysAndShortPayloadsAreNothing) {
  EXPECT_EQ(packet(1000, 16, true, 800), std::nullopt) << "a flash";
  EXPECT_EQ(digits_.on_packet(1000, std::array<std::uint8_t, 3>{1, 0x80, 1}, start_), std::nullopt);
  EXPECT_FALSE(digits_.is_pressed());
}

TEST_F(Digits, TheDurationCountsTheClockOfTheStream) {
  digits_ = DigitReceiver(48000);
  EXPECT_EQ(packet(1000, 15, true, 4800), (Digit{'D', 100}));
}

}  // namespace
}  // namespace callpark::media
