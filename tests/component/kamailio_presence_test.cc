// Lamps through the real Kamailio: who may watch and publish what, that every watcher sees the true state and no older one
// after it, over loss and restarts, and what the lamps of extensions show of ordinary calls.
#include <gtest/gtest.h>

#include <map>

#include "tests/component/kamailio_house.h"
#include "tests/component/lamp_publisher.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

using testing::Test;

/// Kamailio, with watchers and somebody who publishes as parkd would.
class KamailioPresence : public Test {
 protected:
  std::unique_ptr<LampWatcher> watcher(const std::string& lamp, LampWatcher::Options options = {}) {
    addresses_.emplace_back();
    if (options.user.empty()) options.user = "101";
    options.password = options.domain.substr(0, options.domain.find('.')) + "-" + options.user;
    options.lamp = lamp;
    options.address = addresses_.back().text();
    options.proxy = house.outside();
    return std::make_unique<LampWatcher>(options);
  }
  /// The same, with its subscription.
  std::unique_ptr<LampWatcher> watching(const std::string& lamp, LampWatcher::Options options = {}) {
    auto made = watcher(lamp, std::move(options));
    EXPECT_EQ(made->subscribe(), 200);
    EXPECT_TRUE(made->wait_state("terminated")) << "the first NOTIFY shows one dialog, which is idle";
    return made;
  }
  static void expect_no_complaints(const LampWatcher& watcher) {
    for (const auto& complaint : watcher.complaints()) ADD_FAILURE() << complaint;
  }

  KamailioHouse house;
  LampPublisher parkd{house.seat->own(), house.inside()};

 private:
  std::vector<LoopbackAddress> addresses_;
};

TEST_F(KamailioPresence, N1_AWatcherSeesTheLampGoOnAndOff) {
  const auto lamp = watching("*88102");
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  EXPECT_TRUE(lamp->wait_state("early"));
  EXPECT_EQ(parkd.publish("*88102", "confirmed").status, 200);
  EXPECT_TRUE(lamp->wait_state("confirmed"));
  EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200) << "lit again, after it was off";
  EXPECT_TRUE(lamp->wait_state("early"));
  EXPECT_NE(lamp->now().body.find("display=\"J&#xFC;rgen &quot;JJ&quot; &lt;x&gt;\""), std::string::npos)
      << lamp->now().body;
  expect_no_complaints(*lamp);
}

TEST_F(KamailioPresence, N5_NoWatcherIsLeftWithAWrongStateByFastChangesAndLoss) {
  constexpr int kLamps = 20;
  constexpr int kChangesEach = 100;
  constexpr int kWatchersEach = 3;
  std::map<std::string, std::vector<std::string>> states;
  std::vector<std::unique_ptr<LampWatcher>> watchers;
  for (int i = 0; i < kLamps; ++i) {
    const std::string lamp = "*71*" + std::to_string(7250 + i);
    for (int change = 0; change < kChangesEach; ++change) {
      states[lamp].emplace_back(change % 2 == 0 ? "early" : "terminated");
    }
    // Half of them end lit.
    if (i % 2 == 0) states[lamp].pop_back();
    for (int w = 0; w < kWatchersEach; ++w) {
      watchers.push_back(watching(lamp, {.user = std::to_string(101 + w),
                                         .loss = 0.05,
                                         .seed = static_cast<std::uint32_t>(100 * i + w)}));
    }
  }
  const auto began = std::chrono::steady_clock::now();
  LampPublisher lossy(house.seat->own(), house.inside(), "demo.callpark", 0.05);
  EXPECT_EQ(lossy.publish_all(states), kLamps * kChangesEach - kLamps / 2);
  const auto took = std::chrono::steady_clock::now() - began;
  int overtaken = 0;
  std::size_t seen = 0;
  for (const auto& watcher : watchers) {
    // A NOTIFY that was lost is repeated for 32 s.
    EXPECT_TRUE(watcher->wait_state(states[watcher->options().lamp].back(), std::chrono::seconds(40)))
        << watcher->options().lamp << " shows " << watcher->state();
    expect_no_complaints(*watcher);
    overtaken += watcher->overtaken();
    seen += watcher->history().size();
  }
  RecordProperty("overtaken", overtaken);
  std::cout << "  " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms, " << seen
            << " NOTIFYs seen, " << overtaken << " refused because they came late\n";
}

}  // namespace
}  // namespace callpark::test
