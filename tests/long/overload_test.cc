// Twice as many parks as the servers can do. How many they do then is for overload_bench.
#include <gtest/gtest.h>

#include "tests/bench/overload.h"

namespace callpark::bench {
namespace {

TEST(Overload, X46_WhatIsTooMuchIsRefusedWithRetryAfterAndTheCallsStay) {
  OverloadBench bench;
  bench.most(2);
  const double most = bench.most(8);
  const Outcome overload = bench.offer("twice the most", 2.2 * most, 10);
  EXPECT_GT(overload.parked, 0);
  EXPECT_GT(overload.refused, 0);
  EXPECT_EQ(overload.refused_well, overload.refused);
  EXPECT_EQ(overload.failed, 0);
  EXPECT_EQ(overload.silent, 0);
  const Outcome afterwards = bench.offer("half the most", most / 2, 5);
  EXPECT_EQ(afterwards.parked, afterwards.requested) << "at once when the overload is over";
}

}  // namespace
}  // namespace callpark::bench
