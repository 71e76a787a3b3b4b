// What the tests of the billing hook share: a site with a hook of its tenant, and the segments that are recorded.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/e2e/park_site.h"
#include "tests/support/billing_hook_server.h"

namespace callpark::test {

/// A tenant with a billing hook that the test answers. Records and hook are new in each test.
class BillingTest : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.parkd_values = {{"parkd_billing_permitted_networks", "127.0.0.1"}};
    start_site(std::move(options));
    site().database().execute(
        "INSERT INTO extensions (tenant, extension, password, display_name) "
        "VALUES ('demo.callpark', '333', 'demo-333', 'Room 333')");
  }
  void SetUp() override {
    ParkTest::SetUp();
    // With more time than an operator may give: no test is to end before the phone does what the test is about.
    site().database().execute(std::string("DELETE FROM park_segments; SET check_constraint_checks = 0; INSERT INTO "
                                          "billing_hook_secrets VALUES ('demo.callpark', 1, '") +
                              BillingHookServer::kSecret +
                              "'); INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = '" + hook_.url() +
                              "', breaker_failures_max = 0, budget_ms = 20000, first_attempt_ms = 20000");
  }
  void TearDown() override {
    site().database().execute("DELETE FROM billing_hooks; DELETE FROM billing_hook_secrets");
    ParkTest::TearDown();
  }
  static std::int64_t now() { return wall_now().time_since_epoch().count(); }
  /// The segments of the only call in the records, once it is over: "kind party ended hook_failure", and when they
  /// began and ended, in milliseconds since 1970; 0: unknown.
  struct Recorded {
    std::string what;
    std::int64_t began_at = 0;
    std::int64_t ended_at = 0;
  };
  static std::vector<Recorded> segments() {
    EXPECT_TRUE(wait_until(kSoon, [] { return site().database().value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
    std::vector<Recorded> all;
    const auto milliseconds = [](const std::string& column) {
      return "COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " + column + ") DIV 1000, 0)";
    };
    for (const auto& row : site().database().query("SELECT TRIM(CONCAT_WS(' ', kind, party, ended, hook_failure)), " +
                                                   milliseconds("began_at") + ", " + milliseconds("ended_at") +
                                                   " FROM park_segments ORDER BY segment")) {
      all.push_back({row[0], std::stoll(row[1]), std::stoll(row[2])});
    }
    return all;
  }
  /// The questions to the hook, one a segment, begin before the hook's own record of them and not before `earliest`;
  /// and each segment begins when the one before ends.
  void expect_as_asked(const std::vector<Recorded>& all, std::int64_t earliest) {
    const auto questions = hook_.questions();
    std::size_t asked = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
      EXPECT_EQ(all[i].began_at, all[i - 1].ended_at) << all[i].what;
      EXPECT_LE(all[i].began_at, all[i].ended_at) << all[i].what;
      if (!all[i].what.starts_with("hook ")) continue;
      ASSERT_LT(asked, questions.size());
      const std::int64_t received_at = questions[asked++].received_at;
      EXPECT_GE(all[i].began_at, earliest) << all[i].what;
      EXPECT_LE(all[i].began_at, received_at) << all[i].what;
      EXPECT_GE(all[i].ended_at, received_at) << all[i].what;
      earliest = all[i].ended_at;
    }
    EXPECT_EQ(asked, questions.size());
  }
  static void set(const std::string& assignments) {
    site().database().execute("SET check_constraint_checks = 0; UPDATE billing_hooks SET " + assignments);
  }
  testing::AssertionResult was_asked(std::size_t questions) {
    if (wait_until(kSoon, [&] { return hook_.questions().size() == questions; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "asked " << hook_.questions().size() << " times";
  }

  BillingHookServer hook_;
};

}  // namespace callpark::test
