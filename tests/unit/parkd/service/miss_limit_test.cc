#include "parkd/service/miss_limit.h"

#include <gtest/gtest.h>

namespace callpark {
namespace {

using std::chrono::seconds;
using Verdict = MissLimit::Verdict;

const Extension kOne{"demo.callpark", "101"};
const Extension kOther{"demo.callpark", "102"};
const Extension kElsewhere{"other.callpark", "101"};

struct MissLimitTest : testing::Test {
  MissLimit limit;
  MonotonicTime now{seconds(1000)};
};

TEST_F(MissLimitTest, X43_AdmitsSoManyMissesAMinute) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.admit(kOne, 3, now + seconds(i)), Verdict::kAdmitted);
  EXPECT_EQ(limit.admit(kOne, 3, now + seconds(3)), Verdict::kBegins);
  EXPECT_EQ(limit.admit(kOne, 3, now + seconds(59)), Verdict::kGoesOn);
  EXPECT_EQ(limit.admit(kOne, 3, now + seconds(60)), Verdict::kAdmitted) << "the first one is a minute old";
  EXPECT_EQ(limit.admit(kOne, 3, now + seconds(60)), Verdict::kBegins);
}

TEST_F(MissLimitTest, X43_OneExtensionLimitsNoOther) {
  EXPECT_EQ(limit.admit(kOne, 1, now), Verdict::kAdmitted);
  EXPECT_EQ(limit.admit(kOther, 1, now), Verdict::kAdmitted);
  EXPECT_EQ(limit.admit(kElsewhere, 1, now), Verdict::kAdmitted);
  EXPECT_EQ(limit.admit(kOne, 1, now), Verdict::kBegins);
}

TEST_F(MissLimitTest, X43_ARetrieveIsNoMiss) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(limit.admit(kOne, 2, now), Verdict::kAdmitted);
    limit.forgive(kOne);
  }
  EXPECT_EQ(limit.admit(kOne, 2, now), Verdict::kAdmitted);
  EXPECT_EQ(limit.admit(kOne, 2, now), Verdict::kAdmitted);
  EXPECT_EQ(limit.admit(kOne, 2, now), Verdict::kBegins);
}

TEST_F(MissLimitTest, X43_TriesAtTheSameMomentDoNotAllPass) {
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += limit.admit(kOne, 10, now) == Verdict::kAdmitted ? 1 : 0;
  EXPECT_EQ(admitted, 10);
}

TEST_F(MissLimitTest, ForgetsExtensionsAfterAMinute) {
  for (int i = 0; i < 1000; ++i) limit.admit({"demo.callpark", std::to_string(i)}, 10, now);
  EXPECT_EQ(limit.extensions(), 1000U);
  limit.admit(kOne, 10, now + seconds(61));
  EXPECT_EQ(limit.extensions(), 1U);
}

}  // namespace
}  // namespace callpark
