#include "parkd/presence/watched_lamps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callpark::presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kTenant = "demo.callpark";

MonotonicTime at(int ms) {
  return MonotonicTime(Duration(ms));
}

CallChange at_orbit(const std::string& orbit, const std::string& tenant = kTenant) {
  return {tenant, orbit, "", std::nullopt, std::nullopt};
}

TEST(WatchedLamps, N1_ChangeOfAnOrbitConcernsEachNumberThatEndsWithIt) {
  WatchedLamps watched;
  EXPECT_FALSE(watched.may_concern(at_orbit("101")));
  watched.add({"*88101", kTenant}, at(0));
  EXPECT_TRUE(watched.may_concern(at_orbit("101")));
  EXPECT_FALSE(watched.may_concern(at_orbit("102")));
  EXPECT_FALSE(watched.may_concern(at_orbit("*88101*88101")));
  EXPECT_FALSE(watched.may_concern(at_orbit("101", "other.callpark")));
  EXPECT_FALSE(watched.may_concern(at_orbit("")));
  watched.add({"7001", "other.callpark"}, at(0));
  EXPECT_TRUE(watched.may_concern(at_orbit("7001", "other.callpark")));
  EXPECT_FALSE(watched.may_concern(at_orbit("7001")));
}

TEST(WatchedLamps, N2_ChangeConcernsTheLampsOfItsParties) {
  WatchedLamps watched;
  watched.add({"105", kTenant}, at(0));
  CallChange change = at_orbit("101");
  EXPECT_FALSE(watched.may_concern(change));
  change.caller = Extension{kTenant, "105"};
  EXPECT_TRUE(watched.may_concern(change));
  change.caller = Extension{kTenant, "5"};
  EXPECT_FALSE(watched.may_concern(change)) << "an extension is no orbit";
  change.retriever = Extension{kTenant, "105"};
  EXPECT_TRUE(watched.may_concern(change));
}

TEST(WatchedLamps, N5_WhatIsNotAddedAgainIsDropped) {
  WatchedLamps watched;
  watched.add({"*88101", kTenant}, at(1));
  watched.add({"*88102", kTenant}, at(1));
  watched.add({"*88102", kTenant}, at(5));
  EXPECT_THAT(watched.drop_older(at(1)), IsEmpty());
  EXPECT_THAT(watched.drop_older(at(2)), ElementsAre(Presentity{"*88101", kTenant}));
  EXPECT_FALSE(watched.may_concern(at_orbit("101")));
  EXPECT_TRUE(watched.may_concern(at_orbit("102")));
  EXPECT_EQ(watched.size(), 1U);
}

}  // namespace
}  // namespace callpark::presence
