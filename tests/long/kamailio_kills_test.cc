// Kamailio is killed again and again under calls and parks.
#include <iostream>

#include "tests/e2e/park_site.h"
#include "tests/support/lamp_watcher.h"
#include "tests/support/load.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kBetweenKills{10};

/// CALLPARK_KILL_MINUTES, or 10.
minutes duration() {
  const char* text = std::getenv("CALLPARK_KILL_MINUTES");
  return minutes(text == nullptr ? 10 : std::max(1, std::atoi(text)));
}

class KamailioKills : public ParkTest {
 protected:
  LampWatcher& watch(const std::string& lamp) {
    addresses_.emplace_back();
    LampWatcher::Options options{.user = "104", .password = "demo-104", .lamp = lamp};
    options.address = addresses_.back().text();
    options.proxy = site().outside();
    options.expires = 3600;  // longer than the test
    watchers_.push_back(std::make_unique<LampWatcher>(options));
    EXPECT_EQ(watchers_.back()->subscribe(), 200) << lamp;
    return *watchers_.back();
  }

  std::vector<LoopbackAddress> addresses_;
  std::vector<std::unique_ptr<LampWatcher>> watchers_;
};

// 5 calls and 2 parks a second.
TEST_F(KamailioKills, X2_NoCallStandsOnOneSideAndEveryParkedCallIsRetrieved) {
  Load load(site());
  load.start(Load::Work::kOrdinaryCalls, 10, seconds(2));
  load.start(Load::Work::kParkCycles, 8, seconds(4));
  for (const auto& number : load.parkers()) {
    watch(number);
    watch("*88" + number);
  }
  int kills = 0;
  const auto end = steady_clock::now() + duration();
  while (steady_clock::now() < end) {
    pass(kBetweenKills);
    site().kamailio().kill9();
    site().kamailio().start();
    ++kills;
  }
  load.stop();

  const LoadCounts& counts = load.counts();
  std::cout << kills << " kills, " << counts.calls << " calls, " << counts.cycles << " parks and retrieves, "
            << counts.refused_calls << " calls and " << counts.refused_parks << " parks refused\n";
  for (const auto& fault : load.faults()) ADD_FAILURE() << fault;
  EXPECT_GT(counts.cycles, kills);
  EXPECT_GT(counts.calls, 10 * kills);
  for (const auto& watcher : watchers_) {
    EXPECT_TRUE(watcher->wait_state("terminated", seconds(5)))
        << watcher->options().lamp << " shows " << watcher->state();
    for (const auto& complaint : watcher->complaints()) ADD_FAILURE() << complaint;
  }
  EXPECT_TRUE(nothing_parked());
}

}  // namespace
}  // namespace callpark::test
