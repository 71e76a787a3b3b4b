// Turns is explored: every sequence of findings, claims, ends and waits that three subscribers can cause within a
// number of steps, with what must always hold checked after each.
#include "parkd/webhooks/turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace callpark::webhooks {
namespace {

using namespace std::chrono_literals;

const Subscriber kAnna{"a.callpark", "crm"};
const Subscriber kBert{"b.callpark", "crm"};
const Subscriber kCora{"c.callpark", "crm"};
constexpr MonotonicTime kBegan{1h};

TurnSettings small() {
  TurnSettings settings;
  settings.in_flight_max = 3;
  settings.in_flight_of_one_max = 2;
  settings.breaker = {.failures_max = 2, .open_first = 1s, .open_max = 4s, .probe_lost_after = 60s};
  return settings;
}

/// A turn of the subscriber, all of its events claimed.
Turn turn_of(Turns& turns, const Subscriber& subscriber, MonotonicTime now = kBegan) {
  turns.add({subscriber});
  const auto turn = turns.next(now);
  EXPECT_TRUE(turn && turn->subscriber == subscriber);
  return turn.value_or(Turn{});
}
/// Opens the breaker.
void fail(Turns& turns, const Subscriber& subscriber, MonotonicTime now = kBegan) {
  const Turn turn = turn_of(turns, subscriber, now);
  turns.claimed(turn, 2, now);
  EXPECT_EQ(turns.finish(subscriber, turn.span, false, now), Change::kNone);
  EXPECT_EQ(turns.finish(subscriber, turn.span, false, now), Change::kFails);
}

TEST(Turns, B5_SubscriberHasAFewEventsInFlightAndNoMore) {
  Turns turns(small());
  const Turn turn = turn_of(turns, kAnna);
  EXPECT_EQ(turn.events_max, 2U);
  turns.claimed(turn, 2, kBegan);
  turns.add({kAnna});
  EXPECT_FALSE(turns.next(kBegan));
  EXPECT_EQ(turns.finish(kAnna, turn.span, true, kBegan), Change::kNone);
  const auto again = turns.next(kBegan);
  ASSERT_TRUE(again) << "the next event of that call may be due";
  EXPECT_EQ(again->events_max, 1U);
}

TEST(Turns, B5_AllSubscribersTogetherHaveSoManyInFlightAndNoMore) {
  Turns turns(small());
  turns.add({kAnna, kBert, kCora});
  EXPECT_EQ(turns.next(kBegan)->events_max, 2U);
  EXPECT_EQ(turns.next(kBegan)->events_max, 1U);
  EXPECT_FALSE(turns.next(kBegan));
  EXPECT_EQ(turns.in_flight(), 3U);
  turns.claimed({kAnna, 2, 1}, 0, kBegan);
  EXPECT_EQ(turns.next(kBegan)->subscriber, kCora) << "the one that has waited is next";
}

TEST(Turns, B5_SubscriberWithManyEventsGoesBehindTheOthers) {
  Turns turns(small());
  turns.add({kAnna, kBert, kCora});
  Turn turn = *turns.next(kBegan);
  std::string sequence;
  for (int i = 0; i < 6; ++i) {
    sequence += turn.subscriber.tenant.front();
    turns.claimed(turn, turn.events_max, kBegan);
    for (std::size_t event = 0; event < turn.events_max; ++event)
      turns.finish(turn.subscriber, turn.span, true, kBegan);
    turn = *turns.next(kBegan);
  }
  EXPECT_EQ(sequence, "abcabc");
}

TEST(Turns, B5_SubscriberThatFailsGetsOneEventAtATime) {
  Turns turns(small());
  fail(turns, kAnna);
  turns.add({kAnna});
  EXPECT_FALSE(turns.next(kBegan + 999ms));
  const Turn probe = turn_of(turns, kAnna, kBegan + 1s);
  EXPECT_EQ(probe.events_max, 1U);
  turns.claimed(probe, 1, kBegan + 1s);
  turns.add({kAnna});
  EXPECT_FALSE(turns.next(kBegan + 2s));
  EXPECT_EQ(turns.finish(kAnna, probe.span, false, kBegan + 2s), Change::kNone);
  turns.add({kAnna});
  EXPECT_FALSE(turns.next(kBegan + 3999ms)) << "twice as long as before";
  const Turn second = turn_of(turns, kAnna, kBegan + 4s);
  turns.claimed(second, 1, kBegan + 4s);
  EXPECT_EQ(turns.finish(kAnna, second.span, true, kBegan + 4s), Change::kRecovers);
  EXPECT_EQ(turns.next(kBegan + 4s)->events_max, 2U);
}

TEST(Turns, B5_SubscriberThatFailsKeepsNoOtherWaiting) {
  Turns turns(small());
  fail(turns, kAnna);
  turns.add({kAnna, kBert});
  EXPECT_EQ(turns.next(kBegan)->subscriber, kBert);
}

TEST(Turns, B5_ProbeThatFoundNothingDueProvesNothing) {
  Turns turns(small());
  fail(turns, kAnna);
  turns.claimed(turn_of(turns, kAnna, kBegan + 1s), 0, kBegan + 1s);
  EXPECT_EQ(turn_of(turns, kAnna, kBegan + 1s).events_max, 1U);
}

TEST(Turns, B5_SubscribersWithoutEventsAreForgotten) {
  Turns turns(small());
  turns.claimed(turn_of(turns, kAnna), 0, kBegan);
  EXPECT_EQ(turns.known(), 0U);
  const Turn turn = turn_of(turns, kAnna);
  turns.claimed(turn, 1, kBegan);
  turns.finish(kAnna, turn.span, true, kBegan);
  turns.claimed(*turns.next(kBegan), 0, kBegan);
  EXPECT_EQ(turns.known(), 0U);
}

// ---- every sequence ----

/// Turns, and the facts of the walk that it is compared with.
struct World {
  Turns turns{small()};
  MonotonicTime now = kBegan;
  std::vector<Turn> claiming;
  struct Sent {
    Subscriber subscriber;
    authz::breaker::Span span;
  };
  std::vector<Sent> sent;
  std::map<Subscriber, Change> changes;  // the last change
  std::vector<Subscriber> waiting;       // found, and without a turn since; in sequence
};

class TurnsExplorer {
 public:
  explicit TurnsExplorer(int steps) { walk({}, steps); }
  int walks() const { return walks_; }

 private:
  void walk(const World& world, int steps) {
    ++walks_;
    if (steps == 0 || testing::Test::HasFailure()) return;
    const auto branch = [&](const std::function<void(World&)>& act) {
      World next = world;
      act(next);
      turn(next);
      check(next);
      walk(next, steps - 1);
    };
    branch([](World& next) { found(next, {kAnna}); });
    branch([](World& next) { found(next, {kAnna, kBert, kCora}); });
    branch([](World& next) { next.now += 1s; });
    if (!world.claiming.empty()) {
      for (const std::size_t events : {std::size_t(0), std::size_t(1), world.claiming.front().events_max}) {
        branch([events](World& next) { claim(next, events); });
      }
    }
    if (!world.sent.empty()) {
      for (const bool is_delivered : {true, false}) {
        branch([is_delivered](World& next) { finish(next, is_delivered); });
      }
    }
  }

  static void found(World& world, const std::vector<Subscriber>& due) {
    world.turns.add(due);
    for (const Subscriber& one : due) wait(world, one);
  }
  static void wait(World& world, const Subscriber& one) {
    if (std::ranges::find(world.waiting, one) == world.waiting.end()) world.waiting.push_back(one);
  }
  static void claim(World& world, std::size_t events) {
    const Turn turn = world.claiming.front();
    world.claiming.erase(world.claiming.begin());
    world.turns.claimed(turn, events, world.now);
    for (std::size_t i = 0; i < events; ++i) world.sent.push_back({turn.subscriber, turn.span});
    if (events == turn.events_max) wait(world, turn.subscriber);
  }
  static void finish(World& world, bool is_delivered) {
    const auto [subscriber, span] = world.sent.front();
    world.sent.erase(world.sent.begin());
    const Change change = world.turns.finish(subscriber, span, is_delivered, world.now);
    if (change != Change::kNone) {
      const auto last = world.changes.contains(subscriber) ? world.changes[subscriber] : Change::kRecovers;
      EXPECT_NE(change, last) << "a subscriber fails and recovers in turn";
      EXPECT_EQ(change == Change::kRecovers, is_delivered);
      world.changes[subscriber] = change;
    }
    if (is_delivered) wait(world, subscriber);
  }
  /// All turns that are possible now.
  static void turn(World& world) {
    while (const auto turn = world.turns.next(world.now)) {
      const auto place = std::ranges::find(world.waiting, turn->subscriber);
      ASSERT_NE(place, world.waiting.end()) << "a turn for a subscriber that nothing was due to";
      for (auto passed = world.waiting.begin(); passed != place; ++passed) {
        EXPECT_TRUE(fails(world, *passed) || in_flight(world, &*passed) == small().in_flight_of_one_max)
            << passed->tenant << " is passed over";
      }
      world.waiting.erase(world.waiting.begin(), place + 1);
      EXPECT_GE(turn->events_max, 1U);
      world.claiming.push_back(*turn);
      EXPECT_TRUE(!fails(world, turn->subscriber) || turn->events_max == 1) << "one at a time while it fails";
    }
    if (in_flight(world) < small().in_flight_max) world.waiting.clear();
  }
  static bool fails(const World& world, const Subscriber& one) {
    const auto found = world.changes.find(one);
    return found != world.changes.end() && found->second == Change::kFails;
  }
  static std::size_t in_flight(const World& world, const Subscriber* of = nullptr) {
    std::size_t count = 0;
    for (const Turn& turn : world.claiming) count += of == nullptr || turn.subscriber == *of ? turn.events_max : 0;
    for (const auto& sent : world.sent) count += of == nullptr || sent.subscriber == *of ? 1 : 0;
    return count;
  }
  static void check(const World& world) {
    EXPECT_EQ(world.turns.in_flight(), in_flight(world));
    EXPECT_LE(world.turns.in_flight(), small().in_flight_max);
    for (const Subscriber& one : {kAnna, kBert, kCora}) {
      EXPECT_LE(in_flight(world, &one), small().in_flight_of_one_max) << one.tenant;
    }
  }

  int walks_ = 0;
};

TEST(Turns, B5_WhateverHappensBoundsHoldAndTurnsAlternate) {
  const TurnsExplorer explorer(7);
  EXPECT_GT(explorer.walks(), 10'000);
}

}  // namespace
}  // namespace callpark::webhooks
