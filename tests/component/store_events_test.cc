// What happened to parked calls and which extensions get a text of it, as the tables have it.
#include <gmock/gmock.h>

#include "parkd/store/park_events_table.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoreEvents : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    server().execute("DELETE FROM park_events");
  }
  static ParkEvent event(ParkEventKind kind, const std::string& orbit = "102") {
    ParkEvent event;
    event.kind = kind;
    event.park_id = ParkId("p1");
    event.parked_at = WallTime(Duration(1700000000123));
    event.at = WallTime(Duration(1700000001456));
    event.tenant = kTenant;
    event.orbit = orbit;
    event.parker = "101";
    event.caller = {"J\xc3\xb6rg \"the\" \\ 'Caller'", "+442030000999"};
    event.sip_call_id = "call-1";
    return event;
  }
  std::vector<std::string> recipients(Store& store, const ParkEvent& event) {
    using Found = Result<std::vector<Recipient>, StoreUnavailable>;
    const auto found = await<Found>([&](auto answer) { store.look_up_recipients(event, answer); });
    std::vector<std::string> all;
    if (found && *found) {
      for (const Recipient& one : **found) all.push_back(one.extension + " " + one.language);
    }
    return all;
  }
  std::string events() {
    return server().value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', event, orbit, taken_by) ORDER BY at, orbit, event SEPARATOR ', "
        "'), '') "
        "FROM park_events");
  }
  /// The statements are undone.
  void with(const std::string& statements, const std::string& undo, const std::function<void()>& body) {
    server().execute(statements);
    body();
    server().execute(undo);
  }
};

TEST_F(StoreEvents, L4_AnEventStandsThereAsItWas) {
  const auto store = make_store();
  auto retrieved = event(ParkEventKind::kRetrieved);
  retrieved.by = "103";
  retrieved.park_group = "sales";
  store->append(retrieved);
  finish_writes(*store);
  EXPECT_EQ(server().value("SELECT CONCAT_WS('|', park_id, parked_at, event, at, tenant, orbit, park_group, parker, "
                           "HEX(caller_name), caller_number, call_id, taken_by, how) FROM park_events"),
            "p1|2023-11-14 22:13:20.123|retrieved|2023-11-14 22:13:21.456|demo.callpark|102|sales|101|"
            "4AC3B67267202274686522205C202743616C6C657227|+442030000999|call-1|103|");
}

TEST_F(StoreEvents, L4_ToldAgainItStandsThereOnceAndTheLaterWordCounts) {
  const auto store = make_store();
  auto retrieved = event(ParkEventKind::kRetrieved);
  retrieved.by = "103";
  store->append(retrieved);
  retrieved.by = "104";
  store->append(retrieved);
  store->append(event(ParkEventKind::kEnded));
  finish_writes(*store);
  EXPECT_EQ(events(), "retrieved 102 104, ended 102 ");
}

TEST_F(StoreEvents, L4_WhateverACallerIsCalledHisEventIsKept) {
  const auto store = make_store();
  auto parked = event(ParkEventKind::kParked);
  parked.caller = {std::string(1000, 'x'), std::string(1000, '1')};
  parked.sip_call_id = std::string(1000, 'c');
  store->append(parked);
  finish_writes(*store);
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', LENGTH(caller_name), LENGTH(caller_number), LENGTH(call_id)) "
                           "FROM park_events"),
            "255 255 255");
}

TEST_F(StoreEvents, L4_WhatHappensWhileTheDatabaseIsAwayIsEnteredWhenItIsBack) {
  const auto store = make_store();
  server().stop();
  store->append(event(ParkEventKind::kParked));
  run_for(Duration(300));
  EXPECT_EQ(store->waiting_writes(), 1U);
  server().start();
  finish_writes(*store);
  EXPECT_EQ(events(), "parked 102 ");
}

TEST_F(StoreEvents, L4_ANewParkdEntersWhatTheOldOneDidNotComeTo) {
  {
    const auto store = make_store();
    park(*store, "p1", at("102"));
    park(*store, "p2", at("103"));
    ASSERT_TRUE(claim_call(*store, {"103"}, extension("104")));
    finish_writes(*store);
    EXPECT_EQ(events(), "") << "it is the service that sends the text";
  }
  {
    const auto store = make_store();
    const auto rows = load(*store);
    ASSERT_TRUE(rows);
    EXPECT_EQ(events(), "parked 102 , parked 103 ");
    ParkedCallRow row = rows->at(0).park_id == ParkId("p2") ? rows->at(0) : rows->at(1);
    row.caller.remote_identity = {"Client", "+4420"};
    store->write_retrieved(row);
    finish_writes(*store);
  }
  {
    const auto store = make_store();
    ASSERT_TRUE(load(*store));
    EXPECT_EQ(events(), "parked 102 , parked 103 , retrieved 103 104");
  }
  const auto store = make_store();
  ASSERT_TRUE(load(*store));
  EXPECT_EQ(events(), "parked 102 , parked 103 , retrieved 103 104") << "once";
}

TEST_F(StoreEvents, L4_OldEventsAreForgottenAndNewOnesAreNot) {
  const auto store = make_store();
  store->append(event(ParkEventKind::kParked));
  auto young = event(ParkEventKind::kEnded);
  young.at = wall_now() - std::chrono::hours(24 * 29);
  store->append(young);
  finish_writes(*store);
  DatabaseConnection connection({server().socket().string(), server().user(), server().password(), "callpark"});
  EXPECT_TRUE(ParkEventsTable(connection).forget(30)) << "nothing is left";
  EXPECT_EQ(events(), "ended 102 ");
}

TEST_F(StoreEvents, N6_TheRowSaysWhoTheCallerIsToPeople) {
  const auto store = make_store();
  ParkedCallRow row = example_row("p1");
  row.caller.remote_identity = {"Client", "+4420"};
  ASSERT_TRUE(claim_orbit(*store, row, at("102")));
  EXPECT_EQ(column("CONCAT_WS('|', caller_display, caller_number)", "p1"), "Client|+4420");
  EXPECT_EQ(load(*store)->at(0).caller.remote_identity, row.caller.remote_identity);
  // The row of a parkd that knew nothing of it.
  server().execute(
      "UPDATE parked_calls SET caller_dialog = JSON_REMOVE(caller_dialog, '$.remote_name', '$.remote_number')");
  EXPECT_EQ(load(*store)->at(0).caller.remote_identity, (PartyIdentity{row.caller.remote_display, "+442030000999"}));
}

// ---- recipients ----

TEST_F(StoreEvents, N4_OfAParkTheExtensionThatIsTheOrbit) {
  const auto store = make_store();
  EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked)), ElementsAre("102 en"));
  EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked, "101")), ElementsAre("101 en"));
  with("UPDATE extensions SET language = 'fr' WHERE extension = '102'; UPDATE tenants SET language = 'it'",
       "UPDATE extensions SET language = NULL; UPDATE tenants SET language = 'en'", [&] {
         EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked)), ElementsAre("102 fr"));
         EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked, "103")), ElementsAre("103 it"));
       });
  with("UPDATE tenants SET message_parked = FALSE", "UPDATE tenants SET message_parked = TRUE",
       [&] { EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked)), IsEmpty()); });
  with("UPDATE extensions SET enabled = FALSE WHERE extension = '102'", "UPDATE extensions SET enabled = TRUE",
       [&] { EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked)), IsEmpty()); });
}

TEST_F(StoreEvents, S5_OfAnOrbitThatIsNobodysTheParker) {
  const auto store = make_store();
  EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked, "*7250")), ElementsAre("101 en"));
  EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked, "7001")), ElementsAre("101 en"));
  with("UPDATE tenants SET message_orbit = FALSE", "UPDATE tenants SET message_orbit = TRUE", [&] {
    EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked, "*7250")), IsEmpty());
    EXPECT_THAT(recipients(*store, event(ParkEventKind::kParked)), ElementsAre("102 en"));
  });
}

TEST_F(StoreEvents, N4_G2_OfAGroupParkEveryMemberButTheParkerUnlessTheGroupWantsHimToo) {
  const auto store = make_store();
  auto parked = event(ParkEventKind::kParked);
  parked.park_group = "sales";
  EXPECT_THAT(recipients(*store, parked), ElementsAre("102 en", "103 en"));
  with("UPDATE park_groups SET notify_parker = TRUE", "UPDATE park_groups SET notify_parker = FALSE",
       [&] { EXPECT_THAT(recipients(*store, parked), ElementsAre("101 en", "102 en", "103 en")); });
  with("UPDATE tenants SET message_parked = FALSE", "UPDATE tenants SET message_parked = TRUE",
       [&] { EXPECT_THAT(recipients(*store, parked), IsEmpty()); });
}

TEST_F(StoreEvents, L4_OfWhatBecameOfItTheParkerEachByItsOwnSwitch) {
  const auto store = make_store();
  for (const auto& [kind, column] :
       {std::pair(ParkEventKind::kRetrieved, "message_retrieved"), std::pair(ParkEventKind::kGaveUp, "message_gave_up"),
        std::pair(ParkEventKind::kRecalled, "message_recalled"),
        std::pair(ParkEventKind::kEnded, "message_recalled")}) {
    EXPECT_THAT(recipients(*store, event(kind)), ElementsAre("101 en"));
    with("UPDATE tenants SET " + std::string(column) + " = FALSE",
         "UPDATE tenants SET " + std::string(column) + " = TRUE",
         [&] { EXPECT_THAT(recipients(*store, event(kind)), IsEmpty()); });
  }
}

// ---- wrong edits ----

TEST_F(StoreEvents, N4_ASwitchIsOnOrOffAndAnEventIsOneOfFive) {
  for (const char* column :
       {"message_parked", "message_orbit", "message_retrieved", "message_gave_up", "message_recalled"}) {
    EXPECT_THAT(server().refusal("UPDATE tenants SET " + std::string(column) + " = 2"),
                HasSubstr("a text is switched on or off: 1 or 0"));
    EXPECT_THAT(server().refusal("UPDATE tenants SET " + std::string(column) + " = NULL"),
                HasSubstr(std::string(column)));
  }
  EXPECT_THAT(server().refusal("INSERT INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, "
                               "parker, caller_name, caller_number, call_id, taken_by, how) VALUES ('p', NOW(), "
                               "'lost', NOW(), 't', '', '', '', '', '', '', '', '')"),
              HasSubstr("event"));
}

}  // namespace
}  // namespace callpark::test
