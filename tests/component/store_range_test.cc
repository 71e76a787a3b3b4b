// Orbit ranges and park groups, as the store finds a place in them and a call.
#include <set>

#include "parkd/store/orbit_claims.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

OrbitRequest in_range(const std::string& first, const std::string& last) {
  OrbitRequest request;
  request.range = OrbitRange{first, last};
  return request;
}

using StoreRange = StoreTest;

TEST_F(StoreRange, L2_TheOrbitThatWasNeverUsedThenTheOneThatWasFreedFirst) {
  const auto store = make_store();
  const OrbitRequest request = in_range("7001", "7003");
  for (const char* orbit : {"7001", "7002", "7003"}) EXPECT_EQ(park(*store, orbit, request).orbit, orbit);
  EXPECT_EQ(claim_orbit(*store, example_row("x"), request).error(), ClaimOrbitFailure::kTaken);
  for (const char* orbit : {"7002", "7003", "7001"}) {
    store->remove(ParkId(orbit), park::EndReason::kHungUp, {});
    finish_writes(*store);
    pass(std::chrono::milliseconds(2));
  }
  for (const char* orbit : {"7002", "7003", "7001"})
    EXPECT_EQ(park(*store, std::string("again ") + orbit, request).orbit, orbit);
}

TEST_F(StoreRange, L1_LeadingZerosAndStarsAreKept) {
  const auto store = make_store();
  EXPECT_EQ(park(*store, "a", in_range("0099", "0100")).orbit, "0099");
  EXPECT_EQ(park(*store, "b", in_range("0099", "0100")).orbit, "0100");
  EXPECT_EQ(park(*store, "c", in_range("*09", "*11")).orbit, "*09");
  EXPECT_EQ(park(*store, "d", in_range("*09", "*11")).orbit, "*10");
}

TEST_F(StoreRange, L2_WhatWasFreedLongAgoStillComesInItsOrder) {
  const auto store = make_store();
  const OrbitRequest request = in_range("7001", "7002");
  park(*store, "a", request);
  park(*store, "b", request);
  for (const char* name : {"b", "a"}) {
    store->remove(ParkId(name), park::EndReason::kHungUp, {});
    finish_writes(*store);
    // Of orbits that are released within one millisecond neither is the first.
    pass(std::chrono::milliseconds(2));
  }
  server().execute(
      "UPDATE released_orbits SET released_at = released_at - INTERVAL 1 DAY, "
      "quarantined_until = quarantined_until - INTERVAL 1 DAY");
  DatabaseConnection connection({server().socket().string(), server().user(), server().password(), "callpark"});
  const RowOwner owner{"node-1", 1};
  OrbitClaims(connection, owner).forget_released();
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM released_orbits"), "2");
  EXPECT_EQ(park(*store, "c", request).orbit, "7002");
}

// As text 701 lies between 70 and 79.
TEST_F(StoreRange, L2_AnOrbitOfAnotherLengthIsNoneOfTheRange) {
  const auto store = make_store();
  const OrbitRequest request = in_range("70", "79");
  server().execute(
      "INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) "
      "VALUES ('demo.callpark', 'short', '69', '70', '79')");
  park(*store, "three digits", at("701"));
  store->remove(ParkId("three digits"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  for (int orbit = 70; orbit <= 79; ++orbit) {
    EXPECT_EQ(park(*store, std::to_string(orbit), request).orbit, std::to_string(orbit));
  }
  const Claimed one_too_many = claim_orbit(*store, example_row("one too many"), request);
  EXPECT_FALSE(one_too_many) << one_too_many->orbit;

  server().execute(
      "UPDATE released_orbits SET released_at = released_at - INTERVAL 1 DAY, "
      "quarantined_until = quarantined_until - INTERVAL 1 DAY");
  DatabaseConnection connection({server().socket().string(), server().user(), server().password(), "callpark"});
  const RowOwner owner{"node-1", 1};
  OrbitClaims(connection, owner).forget_released();
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM released_orbits WHERE orbit = '701'"), "0");
  server().execute("DELETE FROM orbit_ranges WHERE orbit_range = 'short'");
}

// The unique key decides, on however many nodes.
TEST_F(StoreRange, L2_FiftyAtOnceOnTwoNodesGetTenOrbitsAndFortyRefusals) {
  const auto first = make_store("node-1");
  const auto second = make_store("node-2");
  std::set<std::string> orbits;
  int refused = 0;
  int failed = 0;
  for (int call = 0; call < 50; ++call) {
    (call % 2 == 0 ? first : second)
        ->claim_orbit(example_row("call-" + std::to_string(call)), in_range("7001", "7010"), [&](Claimed got) {
          if (got) {
            EXPECT_TRUE(orbits.insert(got->orbit).second) << got->orbit << " was given out twice";
          } else {
            ++(got.error() == ClaimOrbitFailure::kTaken ? refused : failed);
          }
        });
  }
  ASSERT_TRUE(run_until([&] { return orbits.size() + static_cast<std::size_t>(refused + failed) == 50; }));
  EXPECT_EQ(orbits.size(), 10U);
  EXPECT_EQ(refused, 40);
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM parked_calls"), "10");
}

TEST_F(StoreRange, G1_TheFirstFreeMember) {
  const auto store = make_store();
  OrbitRequest request;
  request.orbits = {"102", "103", "101"};
  park(*store, "busy", at("103"));
  EXPECT_EQ(park(*store, "a", request).orbit, "102");
  EXPECT_EQ(park(*store, "b", request).orbit, "101");
  EXPECT_EQ(claim_orbit(*store, example_row("c"), request).error(), ClaimOrbitFailure::kTaken);
}

TEST_F(StoreRange, G1_AMemberWhoseOlderCallWasRetrievedStillHasTheOther) {
  const auto store = make_store();
  OrbitRequest two = at("102");
  two.calls_per_orbit_max = 2;
  park(*store, "older", two);
  park(*store, "newer", two);
  store->remove(ParkId("older"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  OrbitRequest group;
  group.orbits = {"102", "103", "101"};
  EXPECT_EQ(park(*store, "of the group", group).orbit, "103") << "at 102 a call is parked";
}

TEST_F(StoreRange, S8_WhereFewerCallsAreAllowedThanBeforeThoseThereCount) {
  const auto store = make_store();
  OrbitRequest two = at("102");
  two.calls_per_orbit_max = 2;
  park(*store, "older", two);
  park(*store, "newer", two);
  store->remove(ParkId("older"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  EXPECT_FALSE(claim_orbit(*store, example_row("third"), at("102")).has_value()) << "one is allowed and one is there";
}

TEST_F(StoreRange, S10_WhoComesSecondForACallOfTheGroupHearsThatSomebodyWasQuicker) {
  const auto store = make_store();
  ParkedCallRow row = example_row("p");
  row.park_group = "sales";
  const Claimed got = claim_orbit(*store, row, at("102"));
  ASSERT_TRUE(got);
  row.orbit = got->orbit;
  row.slot = got->slot;
  row.state = RowState::kParked;
  ASSERT_TRUE(write(*store, row));
  const auto bare = [&](const std::string& user) {
    return *await<Won>([&](auto answer) { store->claim_call(kTenant, {{user}, "sales"}, extension(user), answer); });
  };
  EXPECT_TRUE(bare("101").has_value());
  EXPECT_EQ(bare("103").error(), ClaimCallFailure::kAlreadyPickedUp);
}

TEST_F(StoreRange, O3_AParkGroupIsRenamedWhenNoCallIsParkedInIt) {
  const auto store = make_store();
  ParkedCallRow row = example_row("p");
  row.park_group = "sales";
  ASSERT_TRUE(claim_orbit(*store, row, at("102")));
  const auto rename = [](const std::string& from, const std::string& to) {
    server().execute("UPDATE park_groups SET park_group = '" + to +
                     "' WHERE tenant = 'demo.callpark' AND park_group = '" + from + "'");
  };
  EXPECT_THAT([&] { rename("sales", "trade"); },
              testing::ThrowsMessage<std::runtime_error>(
                  testing::HasSubstr("calls are parked in this park group: rename it when they have ended")));
  server().execute("UPDATE park_groups SET recall_mode = recall_mode WHERE park_group = 'sales'");
  store->remove(ParkId("p"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  EXPECT_NO_THROW(rename("sales", "trade"));
  rename("trade", "sales");
}

TEST_F(StoreRange, P3_TheOwnExtensionGoesBeforeTheGroupAndItsOldestCallFirst) {
  const auto store = make_store();
  const auto park_in_group = [&](const std::string& name, const std::string& orbit, int second) {
    ParkedCallRow row = example_row(name);
    row.park_group = "sales";
    row.parked_at += std::chrono::seconds(second);
    const Claimed got = claim_orbit(*store, row, at(orbit));
    ASSERT_TRUE(got);
    row.orbit = got->orbit;
    row.slot = got->slot;
    row.state = RowState::kParked;
    ASSERT_TRUE(write(*store, row));
  };
  park_in_group("newer", "102", 2);
  park_in_group("older", "103", 1);
  park(*store, "alone", at("101"));
  const auto next = [&] {
    const auto won = await<Won>([&](auto answer) {
      store->claim_call(kTenant, {{"101"}, "sales"}, extension("101"), answer);
    });
    return won && *won ? (*won)->park_id.text() : "";
  };
  EXPECT_EQ(next(), "alone");
  EXPECT_EQ(next(), "older");
  EXPECT_EQ(next(), "newer");
  EXPECT_EQ(next(), "");
}

// The demo tenant: sales are 101, 102, 103; *58 parks in it; 7000 and 7001 to 7010 are a range.
TEST_F(StoreRange, G1_TheFactsOfAGroup) {
  const auto store = make_store();
  server().execute("UPDATE park_groups SET recall_mode = 'off', music_on = FALSE, recall_after_seconds = 40");
  const auto in_group = look_up(*store, "*58", "102");
  ASSERT_TRUE(in_group);
  EXPECT_EQ(in_group->code->action, CodeAction::kGroupPark);
  EXPECT_EQ(in_group->park_group, "sales");
  EXPECT_EQ(in_group->park_group_members, (std::vector<std::string>{"101", "102", "103"}));
  EXPECT_EQ(in_group->recall.mode, park::RecallMode::kOff);
  EXPECT_EQ(in_group->recall.after_seconds, 40);
  EXPECT_EQ(in_group->recall.ring_seconds, 10) << "as the tenant";
  EXPECT_EQ(in_group->music_class, "") << "ringback";
  // What the member parks elsewhere is none of the group's.
  const auto alone = look_up(*store, "*68", "102");
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->recall.mode, park::RecallMode::kParkerOnly);
  EXPECT_EQ(alone->music_class, "default");
  const auto nobody = look_up(*store, "*58", "106");
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->park_group, "");
  server().execute("UPDATE park_groups SET recall_mode = NULL, music_on = NULL, recall_after_seconds = NULL");
}

TEST_F(StoreRange, L2_L3_TheFactsOfARange) {
  const auto store = make_store();
  const auto park_number = look_up(*store, "7000");
  ASSERT_TRUE(park_number);
  EXPECT_EQ(park_number->range, (OrbitRange{"7001", "7010"}));
  EXPECT_EQ(park_number->range_orbit, "");
  EXPECT_EQ(look_up(*store, "7010")->range_orbit, "7010");
  for (const char* outside : {"7011", "700", "70010", "6999"}) EXPECT_FALSE(look_up(*store, outside)->range) << outside;
  server().execute("UPDATE orbit_ranges SET enabled = FALSE");
  EXPECT_FALSE(look_up(*store, "7001")->range);
  server().execute("UPDATE orbit_ranges SET enabled = TRUE");
}

}  // namespace
}  // namespace callpark::test
