#include "parkd/service/load_gate.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct LoadGateTest : testing::Test {
  LoadGate gate;
  MonotonicTime now{seconds(1000)};
  std::size_t under_way = 20;

  bool admits() { return gate.admit(now, under_way); }
  void round_trips(int count, Duration took, Duration every = milliseconds(20)) {
    for (int i = 0; i < count; ++i) {
      now += every;
      gate.note_round_trip(took, now);
    }
  }
  /// How many of the parks that are asked for every 25 ms are admitted.
  int admitted_in(Duration duration, Duration round_trip) {
    int admitted = 0;
    for (const MonotonicTime end = now + duration; now < end;) {
      round_trips(1, round_trip, milliseconds(25));
      if (admits()) ++admitted;
    }
    return admitted;
  }
};

TEST_F(LoadGateTest, X46_AdmitsWhatTheServersServeInTime) {
  EXPECT_TRUE(admits()) << "nothing is measured yet";
  EXPECT_EQ(admitted_in(seconds(10), milliseconds(60)), 400);
  EXPECT_FALSE(gate.is_refusing(now));
}

TEST_F(LoadGateTest, X46_RefusesParksWhilePhonesAnswersComeLate) {
  round_trips(10, milliseconds(5));
  admitted_in(seconds(2), milliseconds(500));
  EXPECT_EQ(admitted_in(seconds(5), milliseconds(500)), 0);
  EXPECT_TRUE(gate.is_refusing(now));
}

TEST_F(LoadGateTest, X46_ABurstIsServedLateRatherThanRefused) {
  round_trips(10, milliseconds(5));
  EXPECT_EQ(admitted_in(milliseconds(1500), milliseconds(500)), 60);
}

TEST_F(LoadGateTest, X46_AdmitsAgainAtOnce) {
  round_trips(10, milliseconds(5));
  admitted_in(seconds(3), milliseconds(500));
  round_trips(1, milliseconds(50));
  EXPECT_TRUE(admits());
}

TEST_F(LoadGateTest, X46_TheSameOverloadHasNoSecondBurst) {
  round_trips(10, milliseconds(5));
  admitted_in(seconds(3), milliseconds(500));
  round_trips(1, milliseconds(50));
  ASSERT_TRUE(admits());
  round_trips(4, milliseconds(500));
  EXPECT_FALSE(admits());
}

TEST_F(LoadGateTest, OneSlowPhoneIsNoOverload) {
  round_trips(10, milliseconds(5));
  for (int i = 0; i < 100; ++i) {
    round_trips(3, milliseconds(1500));
    round_trips(1, milliseconds(5));
    EXPECT_TRUE(admits());
  }
}

TEST_F(LoadGateTest, SlowPhonesAloneAreNoOverload) {
  round_trips(10, milliseconds(5));
  under_way = 5;
  EXPECT_EQ(admitted_in(seconds(10), milliseconds(1500)), 400);
}

TEST_F(LoadGateTest, ATrunkFarAwayIsNoOverload) {
  EXPECT_EQ(admitted_in(seconds(10), milliseconds(600)), 400) << "it never was faster";
  EXPECT_LT(admitted_in(seconds(2), milliseconds(2500)), 80);
  EXPECT_EQ(admitted_in(seconds(1), milliseconds(2500)), 0);
}

TEST_F(LoadGateTest, ATrunkThatMovesFarAwayIsUsualAfterAWhile) {
  round_trips(10, milliseconds(5));
  now += minutes(5);
  round_trips(10, milliseconds(600), minutes(1));
  EXPECT_EQ(admitted_in(seconds(10), milliseconds(600)), 400);
}

TEST_F(LoadGateTest, OldRoundTripsShowNothing) {
  round_trips(10, milliseconds(5));
  round_trips(4, milliseconds(500));
  admits();
  now += seconds(10);
  EXPECT_TRUE(admits());
  EXPECT_TRUE(admits());
}

TEST_F(LoadGateTest, X46_RefusesParksWhileALookUpWaits) {
  const auto look_up = gate.begin_look_up(now);
  now += milliseconds(550);
  EXPECT_TRUE(admits()) << "it may be a burst";
  now += milliseconds(1600);
  EXPECT_FALSE(admits());
  gate.end_look_up(look_up, now);
  EXPECT_TRUE(admits());
}

TEST_F(LoadGateTest, X46_RefusesAtOnceWhatWouldWaitForHalfASecond) {
  under_way = 39;
  EXPECT_TRUE(admits());
  under_way = 40;
  EXPECT_FALSE(admits());
  EXPECT_TRUE(gate.is_refusing(now));
  under_way = 39;
  EXPECT_TRUE(admits()) << "at once";
}

TEST_F(LoadGateTest, X46_AFastServerHasALongerQueue) {
  gate.note_parks(0, now);
  now += seconds(1);
  gate.note_parks(200, now);
  under_way = 99;
  EXPECT_TRUE(admits());
  under_way = 100;
  EXPECT_FALSE(admits());
}

TEST_F(LoadGateTest, ALookUpThatIsLostRefusesNothing) {
  gate.begin_look_up(now);
  now += seconds(1);
  admits();
  now += seconds(4);
  EXPECT_TRUE(admits());
}

TEST_F(LoadGateTest, TheRateIsTheBestOfTheLastSeconds) {
  EXPECT_EQ(gate.parks_per_second(), 1);
  std::uint64_t parks = 0;
  for (const int per_second : {4, 18, 9, 3}) {
    gate.note_parks(parks, now);
    parks += static_cast<std::uint64_t>(per_second);
    now += seconds(1);
  }
  gate.note_parks(parks, now);
  EXPECT_EQ(gate.parks_per_second(), 18);
  for (int i = 0; i < 12; ++i) {
    now += seconds(1);
    gate.note_parks(++parks, now);
  }
  EXPECT_EQ(gate.parks_per_second(), 1);
}

}  // namespace
}  // namespace callpark
