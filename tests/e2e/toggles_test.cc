// Call flows that are toggled at two nodes and by SQL at once; tests/long/toggles_test.cc does it a thousand times.
#include "tests/e2e/park_site.h"
#include "tests/e2e/toggle_storm.h"

namespace callpark::test {
namespace {

class Toggles : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.prompts = ToggleStorm::sounds();
    start_site(std::move(options));
  }
};

TEST_F(Toggles, F3_TogglesAtTwoNodesAndBySqlAreAllCounted) {
  TestSite::Options second;
  second.node_name = "parkd2";
  second.database = &site().database();
  second.prompts = ToggleStorm::sounds();
  TestSite other_site(second);
  ToggleStorm storm(site(), other_site, {.extensions = 10, .by_code = 60, .by_sql = 40, .cuts = 2});
  storm.run();
  storm.expect_every_toggle_counted();
}

}  // namespace
}  // namespace callpark::test
