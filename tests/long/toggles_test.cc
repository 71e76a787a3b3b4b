// A thousand toggles of call flows at once, by their codes at two nodes and by SQL, while parkds die and connections
// to the database are cut.
#include <algorithm>
#include <cstdlib>

#include "tests/e2e/park_site.h"
#include "tests/e2e/toggle_storm.h"

namespace callpark::test {
namespace {

/// CALLPARK_TOGGLES, or 1,000: 3 of 5 by code.
int toggles_wanted() {
  const char* text = std::getenv("CALLPARK_TOGGLES");
  return text == nullptr ? 1000 : std::max(100, std::atoi(text));
}

class ThousandToggles : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.prompts = ToggleStorm::sounds();
    start_site(std::move(options));
  }
};

// 40 calls at once at each node: at more the phones need more of two cores than is left.
TEST_F(ThousandToggles, F3_NoneIsLostOrDoubledThoughParkdsDieAndConnectionsBreak) {
  TestSite::Options second;
  second.node_name = "parkd2";
  second.database = &site().database();
  second.prompts = ToggleStorm::sounds();
  TestSite other_site(second);
  const int by_code = toggles_wanted() * 3 / 5;
  ToggleStorm storm(
      site(), other_site,
      {.extensions = 40, .by_code = by_code, .by_sql = toggles_wanted() - by_code, .cuts = 8, .kills = 4});
  storm.run();
  storm.expect_every_toggle_counted();
}

}  // namespace
}  // namespace callpark::test
