// How many rows the statements of a park, a retrieve and a lamp read while a tenant has 5,000 parked calls. Counted by
// the server, since the speed of a machine proves nothing about a missing index.
#include <gmock/gmock.h>

#include "parkd/store/call_claims.h"
#include "parkd/store/dialled_facts_query.h"
#include "parkd/store/lamps_query.h"
#include "parkd/store/orbit_claims.h"
#include "parkd/store/park_events_table.h"
#include "parkd/store/parked_call_codec.h"
#include "parkd/store/parked_calls_table.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using testing::SizeIs;

// Many times fewer than the calls, and more than any one step of a park needs.
constexpr int kFewRows = 100;

class StoreIndexes : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    // Without what SQL would have to escape.
    DialogSnapshot caller = example_row("").caller;
    caller.remote_display.clear();
    caller.local_sdp.clear();
    server().execute(
        "DELETE FROM park_events; "
        "INSERT INTO parked_calls (park_id, tenant, orbit, slot, state, parker, retriever, retrieve_id, music_class, "
        "park_group, caller_dialog, parked_at, deadline, owner, epoch, operation_id) "
        "SELECT CONCAT('p', seq), 'demo.callpark', CONCAT('*', 10000 + seq), 1, 'parked', '101', '', '', 'default', "
        "'support', JSON_SET('" +
        write_dialog(caller) +
        "', '$.remote_uri', CONCAT('sip:+4420', seq, '@127.0.0.50')), "
        "UTC_TIMESTAMP(3) - INTERVAL (10000 - seq) SECOND, UTC_TIMESTAMP(3), 'node-2', 1, seq FROM seq_1_to_5000; "
        "INSERT INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
        "caller_number, call_id, taken_by, how) SELECT park_id, parked_at, 'parked', parked_at, tenant, orbit, "
        "park_group, parker, '', '', '', '', '' FROM parked_calls; "
        "ANALYZE TABLE parked_calls, park_events");
    DatabaseConnection::start_thread();
    connection_ = std::make_unique<DatabaseConnection>(
        DatabaseAddress{.socket = server().socket().string(), .user = "root", .password = "", .database = "callpark"});
  }
  void TearDown() override {
    connection_.reset();
    DatabaseConnection::stop_thread();
    server().execute("DELETE FROM parked_calls; DELETE FROM park_events");
  }

  /// Rows and index entries that the server reads while `statements` run.
  int rows_read(const std::function<void(DatabaseConnection&)>& statements) {
    connection_->execute("FLUSH STATUS");
    statements(*connection_);
    int rows = 0;
    for (const auto& row : connection_->query("SHOW SESSION STATUS LIKE 'Handler_read%'")) {
      if (row.at(0) != "Handler_read_retry") rows += std::stoi(row.at(1).value_or("0"));
    }
    return rows;
  }
  CallClaim claim_of(const RetrieveRequest& request) const {
    return {kTenant, request, extension("104"), "try", false};
  }

  RowOwner owner_{"node-1", 7, true};
  std::unique_ptr<DatabaseConnection> connection_;
};

TEST_F(StoreIndexes, FullTableIsCounted) {
  EXPECT_GE(rows_read([](auto& connection) { connection.query("SELECT park_id, caller_dialog FROM parked_calls"); }),
            5000);
}

TEST_F(StoreIndexes, LampsReadTheirOwnCallsOnly) {
  const std::vector<CallChange> changes{
      {kTenant, "*10007", "support", extension("104"), extension("105")},
      {kTenant, "102", "", std::nullopt, extension("103")},
  };
  LampFacts facts;
  EXPECT_LT(rows_read([&](auto& connection) { facts = query_lamps(connection, changes); }), kFewRows);
  EXPECT_THAT(facts.calls, SizeIs(1));
}

TEST_F(StoreIndexes, WatchedLampsReadTheirOwnCallsOnly) {
  PresenceStore::ShownLamps shown;
  EXPECT_LT(rows_read([&](auto& connection) {
              shown = query_shown(connection, {{"*88*10007", kTenant}, {"*88102", kTenant}, {"104", kTenant}});
            }),
            kFewRows);
  EXPECT_THAT(shown.facts.calls, SizeIs(1));
}

TEST_F(StoreIndexes, PhonesReadTheOldestCallOnly) {
  std::vector<CallInfo> infos;
  EXPECT_LT(rows_read([&](auto& connection) {
              infos = query_call_info(connection, kTenant, {"101", "104", "105"});
            }),
            kFewRows);
  ASSERT_THAT(infos, SizeIs(3));
  ASSERT_TRUE(infos[1].call);
  EXPECT_EQ(infos[1].call->park_id, ParkId("p1"));
}

TEST_F(StoreIndexes, RetrieverReadsTheCallThatItWins) {
  CallClaim at_orbit = claim_of({{"*10007"}, ""});
  EXPECT_LT(rows_read([&](auto& connection) { EXPECT_TRUE(CallClaims(connection, owner_).claim(at_orbit)); }),
            kFewRows);
  EXPECT_LT(rows_read([&](auto& connection) { CallClaims(connection, owner_).undo(kTenant, "try"); }), kFewRows);
}

TEST_F(StoreIndexes, RetrieverOfAGroupReadsTheOldestCallOnly) {
  server().execute("UPDATE parked_calls SET state = 'retrieving' WHERE park_id IN ('p1', 'p2')");
  CallClaim of_group = claim_of({{"102"}, "support"});
  EXPECT_LT(rows_read([&](auto& connection) {
              const auto won = CallClaims(connection, owner_).claim(of_group);
              ASSERT_TRUE(won);
              EXPECT_EQ(won->park_id, ParkId("p3"));
            }),
            kFewRows);
}

TEST_F(StoreIndexes, RetrieverOfNothingReadsNextToNothing) {
  CallClaim of_none = claim_of({{"102", "103"}, "sales"});
  EXPECT_LT(rows_read([&](auto& connection) { EXPECT_FALSE(CallClaims(connection, owner_).claim(of_none)); }),
            kFewRows);
}

TEST_F(StoreIndexes, ParkReadsItsOrbitOnly) {
  OrbitClaim claim{example_row("new"), at("102"), "new-operation", false};
  EXPECT_LT(rows_read([&](auto& connection) { EXPECT_TRUE(OrbitClaims(connection, owner_).claim(claim)); }), kFewRows);
  ParkedCallRow row = claim.row;
  row.state = RowState::kParked;
  EXPECT_LT(rows_read([&](auto& connection) { EXPECT_TRUE(ParkedCallsTable(connection, owner_).write(row, "w")); }),
            kFewRows);
  EXPECT_LT(
      rows_read([&](auto& connection) { EXPECT_TRUE(ParkedCallsTable(connection, owner_).change_of(row.park_id)); }),
      kFewRows);
  EXPECT_LT(rows_read([&](auto& connection) { ParkedCallsTable(connection, owner_).remove(row.park_id, {}); }),
            kFewRows);
}

TEST_F(StoreIndexes, ParkAtARandomOrbitReadsNoOthers) {
  OrbitRequest request;
  request.random_digits = 6;
  OrbitClaim claim{example_row("new"), request, "new-operation", false};
  EXPECT_LT(rows_read([&](auto& connection) { EXPECT_TRUE(OrbitClaims(connection, owner_).claim(claim)); }), kFewRows);
}

TEST_F(StoreIndexes, ParkInARangeReadsTheRangeOnly) {
  OrbitRequest request;
  request.range = OrbitRange{"7001", "7010"};
  OrbitClaim claim{example_row("new"), request, "new-operation", false};
  EXPECT_LT(rows_read([&](auto& connection) { EXPECT_TRUE(OrbitClaims(connection, owner_).claim(claim)); }), kFewRows);
}

TEST_F(StoreIndexes, MaximumOfATenantIsCountedUpToItself) {
  OrbitRequest request = at("102");
  request.parked_calls_max = 10;
  OrbitClaim claim{example_row("new"), request, "new-operation", false};
  EXPECT_LT(rows_read([&](auto& connection) {
              EXPECT_EQ(OrbitClaims(connection, owner_).claim(claim).error(), ClaimOrbitFailure::kTooManyParked);
            }),
            kFewRows);
}

TEST_F(StoreIndexes, DialledNumberAndRecipientsReadNoCalls) {
  EXPECT_LT(rows_read([](auto& connection) { query_dialled_facts(connection, kTenant, "104", "*58"); }), kFewRows);
  ParkEvent event;
  event.park_id = ParkId("p1");
  event.tenant = kTenant;
  event.orbit = "*10001";
  event.parker = "101";
  event.park_group = "support";
  EXPECT_LT(rows_read([&](auto& connection) { ParkEventsTable(connection).recipients(event); }), kFewRows);
  EXPECT_LT(rows_read([&](auto& connection) { ParkEventsTable(connection).append(event); }), kFewRows);
}

}  // namespace
}  // namespace callpark::test
