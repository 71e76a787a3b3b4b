// What the park tests share: John (101) is the parker, Client calls from the telephone network, and the database is
// asked where a call is parked.
#pragma once

#include <stdexcept>
#include <string>

#include "tests/support/scenes.h"
#include "tests/support/test_site.h"

namespace callpark::test {

/// Waits until `phone` has no call.
inline testing::AssertionResult has_no_call(const Phone& phone, std::chrono::milliseconds timeout = kSoon) {
  if (wait_until(timeout, [&] { return phone.calls() == 0; })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << phone.name() << " still has " << phone.calls() << " calls";
}

class ParkTest : public SiteTest {
 protected:
  // Party numbers: each its own tone.
  static constexpr int kJohn = 1;
  static constexpr int kAlice = 2;
  static constexpr int kBob = 3;
  static constexpr int kCarol = 4;
  static constexpr int kClient = 5;
  static constexpr int kSecondClient = 6;

  /// Every orbit that holds a parked call, in order, separated by blanks.
  static std::string orbits() {
    return site().database().value(
        "SELECT COALESCE(GROUP_CONCAT(orbit ORDER BY orbit, slot SEPARATOR ' '), '') FROM parked_calls "
        "WHERE state = 'parked'");
  }
  /// Waits until exactly these orbits hold a parked call.
  static testing::AssertionResult parked_at(const std::string& wanted, std::chrono::milliseconds timeout = kSoon) {
    std::string found;
    const bool right = wait_until(timeout, [&] { return (found = orbits()) == wanted; });
    if (right) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "calls should be parked at [" << wanted << "], but are at [" << found << "]";
  }
  static testing::AssertionResult nothing_parked() { return parked_at(""); }

  /// Blind transfer to `code`: `caller` hears music, `parker` has no call left, and exactly the orbits `wanted` hold a
  /// parked call. Throws like the steps of scenes.h.
  static void park(Phone& parker, const CallName& call, const std::string& code, const Listener& caller,
                   const std::string& wanted) {
    const std::string step = "park(" + parker.name() + ", " + code + ")";
    parker.transfer(call, code);
    require(step, hears_music(caller));
    require(step, has_no_call(parker));
    require(step, parked_at(wanted));
  }
  /// The same from a phone that keeps its call until parkd or the test ends it: the REFER is answered with 202.
  static void park(PacketPhone& parker, const CallName& call, const std::string& code, const std::string& wanted) {
    const std::string step = "park(" + parker.name() + ", " + code + ")";
    const int status = parker.refer(call, code);
    if (status != 202) throw std::runtime_error(step + ": the REFER got " + std::to_string(status));
    require(step, parked_at(wanted));
  }

  void SetUp() override {
    SiteTest::SetUp();
    // A phone that answers by itself would confuse a call of parkd's with the one that the test makes. Tests that are
    // about such calls turn them on.
    site().database().execute(
        "SET check_constraint_checks = 0; UPDATE tenants SET call_back = FALSE, recall_mode = 'off'");
  }

  void TearDown() override {
    // All phones have hung up by now, so nothing may be left of any call.
    std::string rows;
    const bool gone = wait_until(kSoon, [&] {
      rows = site().database().value(
          "SELECT COALESCE(GROUP_CONCAT(state, ' ', COALESCE(orbit, '-')), '') FROM parked_calls");
      return rows.empty();
    });
    EXPECT_TRUE(gone) << "left over in parked_calls: " << rows;
    site().database().execute("DELETE FROM parked_calls");
    SiteTest::TearDown();
  }
};

}  // namespace callpark::test
