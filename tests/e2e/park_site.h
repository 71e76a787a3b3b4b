// What the park tests share: John (101) is the parker, Client calls from the telephone network, and the database is
// asked where a call is parked.
#pragma once

#include <string>

#include "tests/support/test_site.h"

namespace callpark::test {

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

/// Waits until `phone` has no call.
inline testing::AssertionResult has_no_call(const Phone& phone, std::chrono::milliseconds timeout = kSoon) {
  if (wait_until(timeout, [&] { return phone.calls() == 0; })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << phone.name() << " still has " << phone.calls() << " calls";
}

}  // namespace callpark::test
