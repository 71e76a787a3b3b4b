#include "parkd/call/key_merger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace callpark {
namespace {

using std::chrono::milliseconds;

KeyReport report(KeyWay way, char key, int at_ms, std::uint32_t number = 0) {
  return {way, key, milliseconds(at_ms), number};
}

std::string presses(std::vector<KeyReport> reports) {
  std::stable_sort(reports.begin(), reports.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  KeyMerger merger;
  std::string keys;
  for (const KeyReport& one : reports) {
    if (merger.is_press(one)) keys += one.key;
  }
  return keys;
}

TEST(KeyMerger, F3_AKeyThatComesBothWaysIsOnePress) {
  EXPECT_EQ(presses({report(KeyWay::kRtp, '5', 160), report(KeyWay::kDtmfRelay, '5', 10, 2)}), "5");
  EXPECT_EQ(presses({report(KeyWay::kRtp, '5', 160), report(KeyWay::kDtmfRelay, '5', 1700, 2),
                     report(KeyWay::kDtmf, '5', 1701, 3)}),
            "5");
}

TEST(KeyMerger, F3_TwoPressesOfOneKeyAreTwo) {
  EXPECT_EQ(presses({report(KeyWay::kRtp, '5', 100), report(KeyWay::kRtp, '5', 200)}), "55");
  EXPECT_EQ(presses({report(KeyWay::kDtmf, '5', 100, 2), report(KeyWay::kDtmf, '5', 100, 3)}), "55");
  EXPECT_EQ(presses({report(KeyWay::kRtp, '5', 100), report(KeyWay::kDtmf, '5', 120, 2), report(KeyWay::kRtp, '5', 200),
                     report(KeyWay::kDtmf, '5', 230, 3)}),
            "55");
  // Both INFOs are late.
  EXPECT_EQ(presses({report(KeyWay::kRtp, '5', 100), report(KeyWay::kRtp, '5', 200), report(KeyWay::kDtmf, '5', 700, 2),
                     report(KeyWay::kDtmf, '5', 701, 3)}),
            "55");
}

TEST(KeyMerger, F3_ARepeatedInfoIsNoPress) {
  EXPECT_EQ(presses({report(KeyWay::kDtmf, '5', 100, 7), report(KeyWay::kDtmf, '5', 600, 7)}), "5");
}

TEST(KeyMerger, F3_AKeyThatOneWayLosesIsStillOnePress) {
  EXPECT_EQ(
      presses({report(KeyWay::kDtmf, '1', 0, 2), report(KeyWay::kDtmf, '2', 200, 3), report(KeyWay::kRtp, '2', 300),
               report(KeyWay::kDtmf, '1', 400, 4), report(KeyWay::kRtp, '1', 500)}),
      "121");
}

// ---- generated ----

/// How a phone and its network send the presses.
struct Wire {
  bool by_rtp = true;
  bool by_relay = true;
  bool by_dtmf = false;
  int rtp_loss_percent = 0;    // of whole events; the relay has them
  int info_loss_percent = 0;   // lost at first: they come again, later
  int info_again_percent = 0;  // repeated by the network
  bool info_at_release = false;
};

struct Typed {
  std::string keys;
  std::vector<KeyReport> reports;
};

Typed type(std::mt19937& random, const Wire& wire, int length, const std::string& alphabet) {
  const auto pick = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
  const auto happens = [&](int percent) { return pick(1, 100) <= percent; };
  Typed typed;
  int pressed = 0;
  int relay_before = 0;
  int dtmf_before = 0;
  std::uint32_t cseq = 1;
  for (int i = 0; i < length; ++i) {
    const char key = alphabet[static_cast<std::size_t>(pick(0, static_cast<int>(alphabet.size()) - 1))];
    typed.keys += key;
    const int held = pick(0, 9) == 0 ? 2000 : pick(40, 300);
    const int released = pressed + held;
    const bool lost = wire.by_rtp && wire.by_relay && happens(wire.rtp_loss_percent);
    if (wire.by_rtp && !lost) typed.reports.push_back(report(KeyWay::kRtp, key, released + pick(1, 60)));
    // A phone sends one INFO after the other.
    const auto send_info = [&](KeyWay way, int& before) {
      int at = (wire.info_at_release ? released : pressed) + pick(1, 60);
      if (happens(wire.info_loss_percent)) at += 500;
      at = std::max(at, before + 1);
      before = at;
      typed.reports.push_back(report(way, key, at, ++cseq));
      if (happens(wire.info_again_percent)) typed.reports.push_back(report(way, key, at + pick(1, 400), cseq));
    };
    if (wire.by_relay) send_info(KeyWay::kDtmfRelay, relay_before);
    if (wire.by_dtmf) send_info(KeyWay::kDtmf, dtmf_before);
    // Until a late INFO is through nothing else is lost that looks like it.
    pressed = released + pick(60, 400) + (lost ? 600 : 0);
  }
  return typed;
}

void expect_each_key_once(const Wire& wire, unsigned seed) {
  std::mt19937 random(seed);
  for (const std::string alphabet : {"1", "12", "0123456789*#"}) {
    for (int round = 0; round < 400; ++round) {
      Typed typed = type(random, wire, 1 + round % 16, alphabet);
      EXPECT_EQ(presses(std::move(typed.reports)), typed.keys) << "seed " << seed << ", round " << round;
    }
  }
}

TEST(KeyMerger, F3_OneWayAloneGivesEachKey) {
  expect_each_key_once({.by_relay = false}, 1);
  expect_each_key_once({.by_rtp = false}, 2);
  expect_each_key_once({.by_rtp = false, .info_loss_percent = 20, .info_again_percent = 20}, 3);
}

TEST(KeyMerger, F3_BothWaysGiveEachKeyOnce) {
  for (const bool at_release : {false, true}) {
    expect_each_key_once({.info_at_release = at_release}, 4);
    expect_each_key_once({.info_loss_percent = 30, .info_again_percent = 20, .info_at_release = at_release}, 5);
    expect_each_key_once({.by_dtmf = true, .info_again_percent = 20, .info_at_release = at_release}, 6);
  }
}

TEST(KeyMerger, F3_BothWaysGiveEachKeyOnceWhateverRtpLoses) {
  for (const bool at_release : {false, true}) {
    for (const int loss : {5, 30, 90})
      expect_each_key_once({.rtp_loss_percent = loss, .info_at_release = at_release}, 7);
  }
}

}  // namespace
}  // namespace callpark
