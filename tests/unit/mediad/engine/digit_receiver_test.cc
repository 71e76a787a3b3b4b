#include "mediad/engine/digit_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace callpark::media {
namespace {

using Digit = DigitReceiver::Digit;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Digits : public testing::Test {
 protected:
  /// A packet in the sequence in which they were sent.
  std::vector<Digit> packet(std::uint32_t timestamp, std::uint8_t event, bool end, std::uint16_t duration,
                            int at_ms = 0) {
    return packet_of(++sequence_, timestamp, event, end, duration, at_ms);
  }
  std::vector<Digit> packet_of(std::uint16_t sequence, std::uint32_t timestamp, std::uint8_t event, bool end,
                               std::uint16_t duration, int at_ms = 0) {
    const std::array<std::uint8_t, 4> payload = {event, static_cast<std::uint8_t>(end ? 0x8A : 0x0A),
                                                 static_cast<std::uint8_t>(duration >> 8),
                                                 static_cast<std::uint8_t>(duration)};
    const RtpPacket packet{101, marker_, sequence, timestamp, ssrc_, payload};
    return digits_.on_packet(packet, start_ + Duration(at_ms));
  }
  std::optional<Digit> time(int at_ms) { return digits_.on_time(start_ + Duration(at_ms)); }

  const MonotonicTime start_{};
  DigitReceiver digits_{8000};
  std::uint16_t sequence_ = 1000;
  std::uint32_t ssrc_ = 5;
  bool marker_ = false;
};

TEST_F(Digits, AKeyIsReportedWhenItIsReleased) {
  EXPECT_THAT(packet(1000, 5, false, 160), IsEmpty());
  EXPECT_TRUE(digits_.is_pressed());
  EXPECT_THAT(packet(1000, 5, true, 800), ElementsAre(Digit{'5', 100}));
  EXPECT_FALSE(digits_.is_pressed());
}

TEST_F(Digits, RepeatedEndsAreOneKey) {
  EXPECT_THAT(packet(1000, 5, true, 800), SizeIs(1));
  EXPECT_THAT(packet(1000, 5, true, 800), IsEmpty());
  EXPECT_THAT(packet(1000, 5, false, 640), IsEmpty()) << "one that was overtaken";
}

TEST_F(Digits, TheSameKeyTwiceIsTwoKeys) {
  EXPECT_THAT(packet(1000, 5, true, 800), SizeIs(1));
  EXPECT_THAT(packet(3000, 5, true, 800), ElementsAre(Digit{'5', 100}));
}

TEST_F(Digits, AKeyWhoseEndWasLostIsReportedByTheNextOne) {
  packet(1000, 1, false, 480);
  EXPECT_THAT(packet(3000, 2, false, 160), ElementsAre(Digit{'1', 60}));
  EXPECT_THAT(packet(3000, 2, true, 320), ElementsAre(Digit{'2', 40}));
}

TEST_F(Digits, AKeyWhoseEndWasLostIsReportedAfterSilence) {
  packet(1000, 10, false, 480, 0);
  EXPECT_EQ(time(100), std::nullopt);
  EXPECT_EQ(time(300), (Digit{'*', 60}));
  EXPECT_EQ(time(600), std::nullopt);
}

TEST_F(Digits, AKeyThatIsHeldIsReportedOnceAfterTwoSeconds) {
  std::size_t reports = 0;
  for (int ms = 0; ms < 5000; ms += 50) {
    reports += packet(1000, 11, false, static_cast<std::uint16_t>(8 * ms + 400), ms).size();
  }
  EXPECT_EQ(reports, 1U);
}

TEST_F(Digits, ALongPressInSegmentsIsOneKey) {
  // RFC 4733 section 2.5.1.3: the next segment begins where the last one ended, at the largest duration.
  std::size_t reports = 0;
  reports += packet(1000, 3, false, 0xFFFF, 8190).size();
  reports += packet(1000 + 0xFFFF, 3, false, 800, 8300).size();
  reports += packet(1000 + 0xFFFF, 3, true, 1600, 8400).size();
  EXPECT_EQ(reports, 1U);
}

TEST_F(Digits, PacketsOfAnEarlierKeyThatComeLateAreNothing) {
  EXPECT_THAT(packet_of(20, 3000, 2, true, 800), SizeIs(1));
  EXPECT_THAT(packet_of(19, 1000, 1, true, 800), IsEmpty());
}

TEST_F(Digits, TheTimestampMayWrapAround) {
  EXPECT_THAT(packet(0xFFFF'FFF0, 2, true, 800), SizeIs(1));
  EXPECT_THAT(packet(0x0000'0800, 3, true, 800), SizeIs(1));
}

TEST_F(Digits, EventsThatAreNoKeysAndShortPayloadsAreNothing) {
  EXPECT_THAT(packet(1000, 16, true, 800), IsEmpty()) << "a flash";
  const std::array<std::uint8_t, 3> short_payload{1, 0x80, 1};
  EXPECT_THAT(digits_.on_packet({101, true, 1, 1000, 5, short_payload}, start_), IsEmpty());
  EXPECT_FALSE(digits_.is_pressed());
}

TEST_F(Digits, TheDurationCountsTheClockOfTheStream) {
  digits_ = DigitReceiver(48000);
  EXPECT_THAT(packet(1000, 15, true, 4800), ElementsAre(Digit{'D', 100}));
}

TEST_F(Digits, AKeyOfOneEndPacketEndsThePreviousOneToo) {
  packet(1000, 1, false, 480);
  EXPECT_THAT(packet(3000, 2, true, 320), ElementsAre(Digit{'1', 60}, Digit{'2', 40}));
}

TEST_F(Digits, F3_PacketsOfTheOldKeyAfterTheNextHasBegunAreNoThirdPress) {
  packet_of(10, 1000, 5, false, 160);
  packet_of(12, 1000, 5, true, 320);
  EXPECT_THAT(packet_of(15, 2000, 5, false, 160), IsEmpty());
  EXPECT_THAT(packet_of(13, 1000, 5, true, 320), IsEmpty()) << "overtaken";
  EXPECT_THAT(packet_of(14, 1000, 5, true, 320), IsEmpty());
  EXPECT_THAT(packet_of(16, 2000, 5, true, 320), ElementsAre(Digit{'5', 40}));
}

TEST_F(Digits, F3_AnOvertakenKeyThatNothingElseShowsComesBeforeThePressedOne) {
  packet_of(10, 1000, 1, true, 320);
  packet_of(16, 5000, 3, false, 160);
  EXPECT_THAT(packet_of(15, 3000, 2, true, 320), ElementsAre(Digit{'2', 40}));
  EXPECT_THAT(packet_of(14, 3000, 2, true, 320), IsEmpty());
  EXPECT_THAT(packet_of(17, 5000, 3, true, 320), ElementsAre(Digit{'3', 40}));
}

TEST_F(Digits, F3_AnOvertakenKeyIsLeftOutWhenTheNextHasBeenReported) {
  packet_of(16, 5000, 3, true, 320);
  EXPECT_THAT(packet_of(15, 3000, 2, true, 320), IsEmpty()) << "32 is not 23";
}

TEST_F(Digits, F3_TimestampsAndSequenceNumbersMayBeginAnew) {
  EXPECT_THAT(packet_of(50'000, 3'000'000, 1, true, 800, 0), SizeIs(1));
  EXPECT_THAT(packet_of(20'000, 1000, 2, true, 800, 200), SizeIs(1)) << "smaller ones after a re-INVITE";
  ssrc_ = 6;
  EXPECT_THAT(packet_of(19'990, 1000, 2, true, 800, 400), SizeIs(1)) << "another SSRC";
  EXPECT_THAT(packet_of(19'980, 900'000, 4, true, 800, 3000), SizeIs(1)) << "it cannot have been overtaken so long";
}

TEST_F(Digits, F3_AMarkerAfterTheReleaseIsAnotherPressWhateverTheTimestamp) {
  packet(1000, 5, true, 800);
  marker_ = true;
  EXPECT_THAT(packet(1000, 5, false, 160), IsEmpty());
  marker_ = false;
  EXPECT_THAT(packet(1000, 5, true, 800), ElementsAre(Digit{'5', 100}));
  EXPECT_THAT(packet(1000, 5, true, 800), IsEmpty());
}

// Some gateways give each packet of a press its own timestamp.
TEST_F(Digits, F3_APressWhosePacketsHaveTimestampsOfTheirOwnIsOneKey) {
  for (std::uint16_t i = 0; i < 5; ++i) {
    EXPECT_THAT(packet(1000 + 160u * i, 5, false, static_cast<std::uint16_t>(160 * (i + 1))), IsEmpty());
  }
  EXPECT_THAT(packet(1800, 5, true, 960), ElementsAre(Digit{'5', 120}));
  EXPECT_THAT(packet(1960, 5, true, 960), IsEmpty());
  EXPECT_THAT(packet(2120, 5, true, 960), IsEmpty());
}

TEST_F(Digits, F3_SegmentsThatEndALittleEarlierAreOneKey) {
  packet(1000, 3, false, 65'360, 0);
  EXPECT_THAT(packet(1000 + 65'520, 3, false, 160, 100), IsEmpty()) << "the last packet of the first one was lost";
  EXPECT_THAT(packet(1000 + 65'520, 3, true, 480, 140), ElementsAre(Digit{'3', 8250}));
}

TEST_F(Digits, F3_AChangeOfTheClockForgetsNoKey) {
  packet(1000, 5, true, 800);
  digits_.set_clock(48'000);
  EXPECT_THAT(packet(1000, 5, true, 800), IsEmpty());
}

}  // namespace
}  // namespace callpark::media
