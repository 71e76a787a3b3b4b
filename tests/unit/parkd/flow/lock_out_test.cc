#include "parkd/flow/lock_out.h"

#include <gtest/gtest.h>

namespace callpark::flow {
namespace {

using std::chrono::seconds;

TEST(LockOut, F3_EachThirdFailureLocks) {
  for (const int failures : {0, 1, 2, 4, 5, 7, 8, 100, -3}) EXPECT_EQ(lock_out(failures), seconds(0)) << failures;
  EXPECT_EQ(lock_out(3), seconds(60));
}

TEST(LockOut, F3_EachLockIsTwiceAsLong) {
  EXPECT_EQ(lock_out(6), seconds(120));
  EXPECT_EQ(lock_out(9), seconds(240));
  EXPECT_EQ(lock_out(18), seconds(1920));
}

TEST(LockOut, F3_NoLockIsLongerThanAnHour) {
  EXPECT_EQ(lock_out(21), seconds(3600));
  EXPECT_EQ(lock_out(24), seconds(3600));
  EXPECT_EQ(lock_out(3'000'000), seconds(3600));
}

}  // namespace
}  // namespace callpark::flow
