// Row F3, digits: 1,000 PINs of each kind of phone through a network that loses, doubles and reorders packets. Each key
// that any packet shows in time is reported once, in its place.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "mediad/engine/digit_receiver.h"

namespace callpark::media {
namespace {

constexpr double kLoss = 0.05;
constexpr double kDoubled = 0.03;
constexpr double kReordered = 0.1;
constexpr int kOvertakenByMax = 3;
constexpr int kPauseMs = 40;
constexpr std::string_view kKeys = "0123456789";

struct PhoneKind {
  std::string name;
  int press_ms = 100;
  int step_ms = 20;
  int ends = 3;
  /// Between the repeated end packets; 0: all at once.
  int end_step_ms = 20;
  int clock_hz = 8000;
  std::uint32_t segment_max = 0xFFFF;
  bool has_marker = true;
  /// Each packet of a press has a timestamp of its own.
  bool restamps = false;
  /// The timestamp jumps to anywhere before a key.
  bool jumps = false;
  int pins = 1000;
};

struct Sent {
  int at_ms;
  /// The index of the key in its PIN; -1: sound.
  int key;
  bool marker;
  std::uint16_t sequence;
  std::uint32_t timestamp;
  std::array<std::uint8_t, 4> payload;
};

class Phone {
 public:
  Phone(PhoneKind kind, std::mt19937& random) : kind_(std::move(kind)), random_(random) {
    sequence_ = static_cast<std::uint16_t>(random_());
    timestamp_ = static_cast<std::uint32_t>(random_());
  }

  std::vector<Sent> dial(const std::string& pin, int from_ms) {
    sent_.clear();
    now_ms_ = from_ms;
    talk(100);
    for (std::size_t i = 0; i < pin.size(); ++i) {
      press(static_cast<int>(i), static_cast<std::uint8_t>(kKeys.find(pin[i])));
      talk(kPauseMs);
    }
    talk(100);
    return sent_;
  }

 private:
  std::uint32_t units(int ms) const { return static_cast<std::uint32_t>(ms * (kind_.clock_hz / 1000)); }

  void send(int at_ms, int key, bool marker, std::uint32_t timestamp, std::array<std::uint8_t, 4> payload = {}) {
    sent_.push_back({at_ms, key, marker, ++sequence_, timestamp, payload});
  }

  void talk(int ms) {
    for (int passed = 0; passed < ms; passed += 20) {
      send(now_ms_, -1, false, timestamp_);
      now_ms_ += 20;
      timestamp_ += units(20);
    }
  }

  void send_event(int at_ms, int key, std::uint8_t code, bool marker, bool is_end, std::uint32_t segment,
                  std::uint32_t duration, std::uint32_t restamped) {
    send(at_ms, key, marker && kind_.has_marker, kind_.restamps ? restamped : segment,
         {code, static_cast<std::uint8_t>(is_end ? 0x8A : 0x0A), static_cast<std::uint8_t>(duration >> 8),
          static_cast<std::uint8_t>(duration)});
  }

  void press(int key, std::uint8_t code) {
    if (kind_.jumps && random_() % 3 == 0) timestamp_ = static_cast<std::uint32_t>(random_());
    const std::uint32_t begin = timestamp_;
    std::uint32_t segment = begin;
    int passed = 0;
    for (; passed < kind_.press_ms; passed += kind_.step_ms) {
      const std::uint32_t down = begin + units(passed + kind_.step_ms) - segment;
      if (down > kind_.segment_max) {
        // RFC 4733 section 2.5.1.3: the last packet of a segment has the largest duration.
        send_event(now_ms_ + passed, key, code, false, false, segment, kind_.segment_max, segment);
        segment += kind_.segment_max;
        continue;
      }
      send_event(now_ms_ + passed, key, code, passed == 0, false, segment, down, begin + units(passed));
    }
    const std::uint32_t down = begin + units(passed) - segment;
    for (int i = 0; i < kind_.ends; ++i) {
      send_event(now_ms_ + passed + i * kind_.end_step_ms, key, code, false, true, segment, down,
                 begin + units(passed + 20 * i));
    }
    // The pause begins with the release; the repeated end packets go out in it.
    now_ms_ += passed;
    timestamp_ = begin + units(passed);
  }

  PhoneKind kind_;
  std::mt19937& random_;
  std::vector<Sent> sent_;
  std::uint16_t sequence_ = 0;
  std::uint32_t timestamp_ = 0;
  int now_ms_ = 0;
};

/// What arrives, in this sequence: a packet is overtaken by at most kOvertakenByMax later ones.
std::vector<Sent> through_the_network(std::vector<Sent> sent, std::mt19937& random) {
  // A phone sends in the sequence of time; its repeated ends mix with the sound of the pause.
  std::stable_sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return a.at_ms < b.at_ms; });
  for (std::size_t i = 1; i < sent.size(); ++i) sent[i].sequence = static_cast<std::uint16_t>(sent[0].sequence + i);
  std::bernoulli_distribution is_lost(kLoss);
  std::bernoulli_distribution is_doubled(kDoubled);
  std::bernoulli_distribution is_reordered(kReordered);
  struct Place {
    double at;
    Sent packet;
  };
  std::vector<Place> places;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    for (int copies = is_doubled(random) ? 2 : 1; copies > 0; --copies) {
      if (is_lost(random)) continue;
      const double overtaken_by = is_reordered(random) ? 0.5 + static_cast<double>(random() % kOvertakenByMax) : 0;
      places.push_back({static_cast<double>(i) + overtaken_by, sent[i]});
    }
  }
  std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.at < b.at; });
  std::vector<Sent> arrived;
  int now_ms = 0;
  for (Place& place : places) {
    now_ms = std::max(now_ms, place.packet.at_ms);
    place.packet.at_ms = now_ms;
    arrived.push_back(place.packet);
  }
  return arrived;
}

struct Tally {
  int right = 0;
  int keys = 0;
  /// Keys that no packet has shown.
  int lost = 0;
  /// Keys that were shown by overtaken packets only, and were left out.
  int too_late = 0;
  /// What loss alone makes of the keys.
  double lost_by_calculation = 0;
};

class Pins : public testing::TestWithParam<PhoneKind> {
 protected:
  std::string random_pin() {
    std::string pin;
    const std::size_t size = 4 + random_() % 5;
    // Every third key is the one before once more.
    while (pin.size() < size) pin += !pin.empty() && random_() % 3 == 0 ? pin.back() : kKeys[random_() % 10];
    return pin;
  }

  std::string received(const std::vector<Sent>& arrived) {
    std::string digits;
    int now_ms = start_ms_;
    const auto pass_time = [&](int until_ms) {
      // As mediad's receiver does, each 100 ms.
      for (; now_ms < until_ms; now_ms += 100) {
        if (const auto digit = receiver_.on_time(MonotonicTime(Duration(now_ms)))) digits += digit->digit;
      }
    };
    for (const Sent& packet : arrived) {
      pass_time(packet.at_ms);
      if (packet.key < 0) continue;
      const RtpPacket rtp{101, packet.marker, packet.sequence, packet.timestamp, 7, packet.payload};
      for (const auto& digit : receiver_.on_packet(rtp, MonotonicTime(Duration(packet.at_ms)))) digits += digit.digit;
    }
    start_ms_ = (arrived.empty() ? start_ms_ : arrived.back().at_ms) + 1000;
    pass_time(start_ms_);
    return digits;
  }

  void judge(const std::string& pin, const std::string& digits, const std::vector<Sent>& sent,
             const std::vector<Sent>& arrived) {
    std::string shown;
    for (int key = 0; key < static_cast<int>(pin.size()); ++key) {
      const auto is_its = [key](const Sent& packet) { return packet.key == key; };
      tally_.lost_by_calculation += std::pow(kLoss, std::count_if(sent.begin(), sent.end(), is_its));
      if (std::any_of(arrived.begin(), arrived.end(), is_its)) shown += pin[static_cast<std::size_t>(key)];
    }
    tally_.keys += static_cast<int>(pin.size());
    tally_.lost += static_cast<int>(pin.size() - shown.size());
    if (digits == pin) ++tally_.right;
    // None is misread as another: what differs is shorter, with its keys in their sequence.
    ASSERT_TRUE(is_part_of(digits, pin)) << pin << " was read as " << digits;
    tally_.too_late += static_cast<int>(shown.size() - digits.size());
  }

  static bool is_part_of(const std::string& part, const std::string& whole) {
    std::size_t at = 0;
    for (const char key : whole) at += at < part.size() && part[at] == key ? 1 : 0;
    return at == part.size() && (part.size() < whole.size() || part == whole);
  }

  std::mt19937 random_{20'26};
  DigitReceiver receiver_{GetParam().clock_hz};
  Tally tally_;
  int start_ms_ = 1000;
};

TEST_P(Pins, F3_EachKeyIsReadOnceUnderLossAndReordering) {
  Phone phone(GetParam(), random_);
  const int pins = GetParam().pins;
  for (int i = 0; i < pins; ++i) {
    const std::string pin = random_pin();
    const auto sent = phone.dial(pin, start_ms_);
    const auto arrived = through_the_network(sent, random_);
    ASSERT_NO_FATAL_FAILURE(judge(pin, received(arrived), sent, arrived));
  }
  const double expected = tally_.lost_by_calculation;
  std::cout << GetParam().name << ": " << tally_.right << " PINs of " << pins << " right; of " << tally_.keys
            << " keys " << tally_.lost << " lost (by calculation " << expected << "), " << tally_.too_late
            << " too late\n";
  // A doubled packet has two chances, so fewer may be lost than by calculation.
  EXPECT_LE(tally_.lost, expected + 4 * std::sqrt(expected) + 1);
  EXPECT_GE(tally_.right + tally_.lost + tally_.too_late, pins) << "a wrong PIN without a lost key";
  if (expected < 0.1) {
    EXPECT_GE(tally_.right, pins - 1);
    EXPECT_EQ(tally_.too_late, 0);
  }
  EXPECT_LE(tally_.too_late, tally_.keys / 500);
}

INSTANTIATE_TEST_SUITE_P(
    Of, Pins,
    testing::Values(PhoneKind{.name = "ShortKeys", .press_ms = 40}, PhoneKind{.name = "UsualKeys"},
                    PhoneKind{.name = "LongKeys", .press_ms = 2000},
                    PhoneKind{.name = "ShortKeysOfOpus", .press_ms = 40, .clock_hz = 48'000},
                    PhoneKind{.name = "LongKeysOfOpusInSegments", .press_ms = 2000, .clock_hz = 48'000},
                    PhoneKind{.name = "KeysOfThreeSegments", .press_ms = 17'000, .pins = 30},
                    PhoneKind{.name = "SegmentsThatEndEarlier", .press_ms = 9000, .segment_max = 65'440, .pins = 30},
                    PhoneKind{.name = "EndsAllAtOnce", .press_ms = 40, .end_step_ms = 0},
                    PhoneKind{.name = "NoMarkers", .press_ms = 40, .has_marker = false},
                    PhoneKind{.name = "TimestampsJump", .press_ms = 40, .jumps = true},
                    PhoneKind{.name = "EachPacketHasItsTimestamp", .press_ms = 60, .restamps = true},
                    PhoneKind{.name = "OneEndAndStepsOf50Ms", .press_ms = 200, .step_ms = 50, .ends = 1},
                    PhoneKind{.name = "OneEndOfShortKeys", .press_ms = 40, .step_ms = 50, .ends = 1}),
    [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace callpark::media
