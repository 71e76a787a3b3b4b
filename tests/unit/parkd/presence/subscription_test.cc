#include "parkd/presence/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace callpark::presence::subscription {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Action notify(Serial serial, std::optional<SubscriptionEnd> end = std::nullopt) {
  return Notify{serial, end};
}

struct Machine {
  Subscription state;
  std::vector<Action> tell(const Event& event) {
    Decision decision = decide(state, event);
    state = decision.next;
    return decision.actions;
  }
};

TEST(Subscription, N3_StatesThatComeWhileOneIsUnderWayAreTheLastOneOnly) {
  Machine machine;
  EXPECT_THAT(machine.tell(Wanted{1}), ElementsAre(notify(1)));
  EXPECT_THAT(machine.tell(Wanted{2}), IsEmpty());
  EXPECT_THAT(machine.tell(Wanted{3}), IsEmpty());
  EXPECT_THAT(machine.tell(Accepted{}), ElementsAre(notify(3)));
  EXPECT_THAT(machine.tell(Accepted{}), IsEmpty());
}

TEST(Subscription, N5_OneLostAnswerDoesNotLoseTheWatcher) {
  Machine machine;
  machine.tell(Wanted{1});
  EXPECT_THAT(machine.tell(Failed{}), ElementsAre(Action(StartRetry{1})));
  EXPECT_THAT(machine.tell(RetryDue{}), ElementsAre(notify(1)));
  EXPECT_THAT(machine.tell(Accepted{}), IsEmpty());
  EXPECT_EQ(machine.state.failures, 0U);
}

TEST(Subscription, N3_AWatcherWhoIsSilentAgainAndAgainIsGivenUp) {
  Machine machine;
  machine.tell(Wanted{1});
  for (std::uint32_t failures = 1; failures < kFailuresMax; ++failures) {
    EXPECT_THAT(machine.tell(Failed{}), ElementsAre(Action(StartRetry{failures})));
    machine.tell(RetryDue{});
  }
  EXPECT_THAT(machine.tell(Failed{}), ElementsAre(Action(Remove{})));
}

TEST(Subscription, N3_AWatcherWhoKnowsNothingOfItIsGivenUpAtOnce) {
  Machine machine;
  machine.tell(Wanted{1});
  EXPECT_THAT(machine.tell(Unknown{}), ElementsAre(Action(Remove{})));
  EXPECT_THAT(machine.tell(Wanted{2}), IsEmpty());
}

TEST(Subscription, N3_TheEndIsToldLast) {
  Machine machine;
  machine.tell(Wanted{1});
  EXPECT_THAT(machine.tell(Ended{SubscriptionEnd::kTimeout}), IsEmpty());
  EXPECT_THAT(machine.tell(Accepted{}), ElementsAre(notify(1, SubscriptionEnd::kTimeout)));
  EXPECT_THAT(machine.tell(Accepted{}), ElementsAre(Action(Remove{})));
}

TEST(Subscription, N3_WhatChangesWhileAWatcherIsWaitedForIsToldAtOnce) {
  Machine machine;
  machine.tell(Wanted{1});
  machine.tell(Failed{});
  EXPECT_THAT(machine.tell(Wanted{2}), ElementsAre(notify(2)));
}

// Every order of a few changes, answers and failures: it always rests notified, or over.
TEST(Subscription, N3_WhateverHappensTheLastStateIsToldOrTheSubscriptionIsOver) {
  struct World {
    Subscription state;
    Serial last = 0;
    Serial heard = 0;
    int changes = 3;
    int faults = 5;
    std::optional<Notify> on_the_way;
    bool retry = false;
    bool removed = false;
    std::string key() const {
      return std::to_string(state.phase.index()) + "," + std::to_string(state.wanted) + "," +
             std::to_string(state.end.has_value()) + "," + std::to_string(state.failures) + "," +
             std::to_string(heard) + "," + std::to_string(changes) + "," + std::to_string(faults) + "," +
             std::to_string(on_the_way ? on_the_way->serial + 1 : 0) + "," + std::to_string(retry) + "," +
             std::to_string(removed);
    }
  };
  const auto tell = [](World& world, const Event& event) {
    Decision decision = decide(world.state, event);
    world.state = decision.next;
    for (const Action& action : decision.actions) {
      ASSERT_FALSE(world.removed);
      if (const auto* order = std::get_if<Notify>(&action)) {
        ASSERT_FALSE(world.on_the_way) << "two under way";
        world.on_the_way = *order;
        world.retry = false;
      } else if (std::holds_alternative<StartRetry>(action)) {
        world.retry = true;
      } else {
        world.removed = true;
      }
    }
  };
  std::set<std::string> seen;
  std::deque<World> open{World{}};
  while (!open.empty()) {
    const World world = open.front();
    open.pop_front();
    if (!world.on_the_way && !world.retry && !world.removed && world.last > 0) {
      ASSERT_EQ(world.heard, world.last) << world.key();
    }
    const auto add = [&](const std::function<void(World&)>& step) {
      World next = world;
      step(next);
      if (seen.insert(next.key()).second) open.push_back(std::move(next));
    };
    if (world.changes > 0) {
      add([&](World& next) {
        --next.changes;
        tell(next, Wanted{++next.last});
      });
      add([&](World& next) {
        --next.changes;
        tell(next, Ended{SubscriptionEnd::kTimeout});
      });
    }
    if (world.on_the_way) {
      add([&](World& next) {
        next.heard = std::exchange(next.on_the_way, std::nullopt)->serial;
        tell(next, Accepted{});
      });
      if (world.faults > 0) {
        add([&](World& next) {
          --next.faults;
          next.on_the_way.reset();
          tell(next, Failed{});
        });
        add([&](World& next) {
          --next.faults;
          next.on_the_way.reset();
          tell(next, Unknown{});
        });
      }
    }
    if (world.retry) {
      add([&](World& next) {
        next.retry = false;
        tell(next, RetryDue{});
      });
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(seen.size(), 200U);
}

}  // namespace
}  // namespace callpark::presence::subscription
