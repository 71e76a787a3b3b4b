// The store against a real MariaDB that is well: what is asked, claimed and written.
#include "tests/component/store_fixture.h"

#include <future>
#include <regex>
#include <set>

namespace callpark::test {
namespace {

// ---- look up ----

class StoreLookUp : public StoreTest {
 protected:
  void TearDown() override {
    server().execute(
        "DELETE FROM park_codes WHERE description = 'of a test'; UPDATE tenants SET enabled = 1;"
        "UPDATE extensions SET may_park = 1, may_retrieve = 1, enabled = 1, language = NULL");
  }
};

TEST_F(StoreLookUp, S6_ACodeIsFoundWithWhatStandsBehindIt) {
  const auto store = make_store();
  const LookedUp facts = look_up(*store, "*68102");
  ASSERT_TRUE(facts && facts->code);
  EXPECT_EQ(facts->code->code, "*68");
  EXPECT_EQ(facts->code->action, CodeAction::kPark);
  EXPECT_EQ(facts->code->bare, BareCode::kOwnExtension);
  EXPECT_EQ(facts->code->retrieve_code, "*88");
  EXPECT_EQ(facts->remainder, "102");
  EXPECT_TRUE(facts->remainder_is_extension);
  EXPECT_TRUE(facts->may_park);
  EXPECT_TRUE(facts->may_retrieve);
  EXPECT_EQ(facts->language, "en");
  EXPECT_EQ(facts->music_class, "default");
  EXPECT_EQ(facts->random_orbit_digits, 4);
  EXPECT_EQ(facts->calls_per_orbit_max, 1);
  EXPECT_EQ(facts->parked_calls_max, 1000);
  EXPECT_EQ(facts->extension_parked_calls_max, 100);
  EXPECT_EQ(facts->retrieve_misses_max, 10);
  EXPECT_EQ(facts->park_seconds_max, 3600);
}

TEST_F(StoreLookUp, S6_EachDefaultCodeMeansWhatItShould) {
  const auto store = make_store();
  EXPECT_EQ(look_up(*store, "*70")->code->bare, BareCode::kRandomOrbit);
  EXPECT_EQ(look_up(*store, "*70")->code->retrieve_code, "*71");
  EXPECT_EQ(look_up(*store, "*71")->code->action, CodeAction::kRetrieve);
  EXPECT_EQ(look_up(*store, "*71")->remainder, "");
  EXPECT_EQ(look_up(*store, "*88101")->code->action, CodeAction::kRetrieve);
  EXPECT_EQ(look_up(*store, "*71*7250")->remainder, "*7250");
}

TEST_F(StoreLookUp, S6_ATrailingHashIsAccepted) {
  const auto store = make_store();
  EXPECT_EQ(look_up(*store, "*68102#")->remainder, "102");
  EXPECT_EQ(look_up(*store, "*68#")->remainder, "");
}

TEST_F(StoreLookUp, S6_CodesNeedNoStarAndTheLongestCounts) {
  server().execute(
      "INSERT INTO park_codes (tenant, code, action, description) VALUES"
      " ('demo.callpark', '64', 'retrieve', 'of a test'), ('demo.callpark', '644', 'park', 'of a test')");
  const auto store = make_store();
  EXPECT_EQ(look_up(*store, "644102")->code->code, "644");
  EXPECT_EQ(look_up(*store, "645")->code->code, "64");
  EXPECT_EQ(look_up(*store, "644")->code->retrieve_code, "*71") << "none is named: the first there is";
}

TEST_F(StoreLookUp, ANumberThatIsNoCodeHasNone) {
  const auto store = make_store();
  for (const std::string dialled : {"102", "*", "", "*6", "\xff\x80*68", "*68 102", "*68'; DROP TABLE tenants; --"}) {
    const LookedUp facts = look_up(*store, dialled);
    ASSERT_TRUE(facts) << dialled;
    EXPECT_FALSE(facts->remainder_is_extension) << dialled;
  }
  EXPECT_FALSE(look_up(*store, "102")->code);
  EXPECT_FALSE(look_up(*store, "\xff\x80*68")->code);
}

TEST_F(StoreLookUp, AStrangerMayNothing) {
  const auto store = make_store();
  EXPECT_FALSE(look_up(*store, "*68", "999")->may_park);
  EXPECT_FALSE(look_up(*store, "*68", "101", "nowhere.callpark")->may_park);
  EXPECT_FALSE(look_up(*store, "*68", "101", "nowhere.callpark")->code);
  EXPECT_FALSE(look_up(*store, "*68", "103", "other.callpark")->may_retrieve);
  EXPECT_FALSE(look_up(*store, "*68103", "101", "other.callpark")->remainder_is_extension);
}

TEST_F(StoreLookUp, O3_EditsAreLiveForTheNextCall) {
  const auto store = make_store();
  EXPECT_TRUE(look_up(*store, "*68")->may_park);
  server().execute("UPDATE extensions SET may_park = 0, language = 'fr' WHERE extension = '101'");
  EXPECT_FALSE(look_up(*store, "*68")->may_park);
  EXPECT_EQ(look_up(*store, "*68")->language, "fr");
  server().execute("UPDATE extensions SET enabled = 0 WHERE extension = '101'");
  EXPECT_FALSE(look_up(*store, "*68")->may_retrieve);
  EXPECT_FALSE(look_up(*store, "*99")->code);
  server().execute(
      "INSERT INTO park_codes (tenant, code, action, description) VALUES ('demo.callpark', '*99', 'park', 'of a "
      "test')");
  EXPECT_TRUE(look_up(*store, "*99")->code);
  server().execute("UPDATE tenants SET enabled = 0 WHERE tenant = 'demo.callpark'");
  EXPECT_FALSE(look_up(*store, "*68", "102")->may_park);
}

// ---- claim orbits ----

using StoreClaimOrbit = StoreTest;

TEST_F(StoreClaimOrbit, S8_AnOrbitTakesOneCallUnlessMoreAreAllowed) {
  const auto store = make_store();
  const Claimed first = claim_orbit(*store, example_row("a"), at("102"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->orbit, "102");
  EXPECT_EQ(first->slot, 1);
  EXPECT_EQ(column("state", "a"), "adopting");
  EXPECT_EQ(claim_orbit(*store, example_row("b"), at("102")).error(), ClaimOrbitFailure::kTaken);
  OrbitRequest three = at("102");
  three.calls_per_orbit_max = 3;
  EXPECT_EQ(claim_orbit(*store, example_row("c"), three)->slot, 2);
  EXPECT_EQ(claim_orbit(*store, example_row("d"), three)->slot, 3);
  EXPECT_EQ(claim_orbit(*store, example_row("e"), three).error(), ClaimOrbitFailure::kTaken);
  store->remove(ParkId("c"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  EXPECT_EQ(claim_orbit(*store, example_row("f"), three)->slot, 2);
}

// The release waits for a slow statement before it, and the claim is executed on another connection meanwhile.
TEST_F(StoreClaimOrbit, S10_AnOrbitThatIsBeingFreedIsNotTaken) {
  const auto store = make_store("node-1", true, 2);
  OrbitRequest one_of_parker = at("103");
  one_of_parker.extension_parked_calls_max = 1;
  for (const auto& [request, is_retrieved] :
       {std::pair(at("102"), false), std::pair(at("102"), true), std::pair(one_of_parker, false)}) {
    const ParkedCallRow parked = park(*store, "a", at("102"));
    std::promise<void> go_on;
    store->statements().write_lastingly(parked.park_id,
                                        [wait = go_on.get_future().share()](DatabaseConnection&) { wait.wait(); });
    if (is_retrieved) store->write_retrieved(parked);
    store->remove(parked.park_id, park::EndReason::kHungUp, {});
    std::optional<Claimed> claimed;
    store->claim_orbit(example_row("b"), request, [&](const Claimed& got) { claimed = got; });
    // By then the table has refused the claim: of the two connections one waits.
    EXPECT_TRUE(look_up(*store, "*68"));
    EXPECT_FALSE(claimed);
    go_on.set_value();
    ASSERT_TRUE(run_until([&] { return claimed.has_value(); }));
    EXPECT_TRUE(*claimed) << static_cast<int>(claimed->error());
    store->remove(ParkId("b"), park::EndReason::kHungUp, {});
    finish_writes(*store);
  }
}

TEST_F(StoreClaimOrbit, S10_WhatIsTakenAfterAReleaseIsTaken) {
  const auto store = make_store();
  park(*store, "a", at("102"));
  park(*store, "c", at("103"));
  ParkedCallRow of_other = example_row("o");
  of_other.tenant = "other.callpark";
  ASSERT_TRUE(claim_orbit(*store, of_other, at("104")));
  store->remove(ParkId("a"), park::EndReason::kHungUp, {});
  EXPECT_EQ(claim_orbit(*store, example_row("b"), at("103")).error(), ClaimOrbitFailure::kTaken);
  // A release of another tenant is none.
  std::promise<void> go_on;
  store->statements().write_lastingly(ParkId("o"),
                                      [wait = go_on.get_future().share()](DatabaseConnection&) { wait.wait(); });
  store->remove(ParkId("o"), park::EndReason::kHungUp, {});
  EXPECT_EQ(claim_orbit(*store, example_row("b"), at("103")).error(), ClaimOrbitFailure::kTaken);
  go_on.set_value();
  finish_writes(*store);
}

TEST_F(StoreClaimOrbit, TheSameOrbitOfAnotherTenantIsAnother) {
  const auto store = make_store();
  ASSERT_TRUE(claim_orbit(*store, example_row("a"), at("102")));
  ParkedCallRow other = example_row("b");
  other.tenant = "other.callpark";
  EXPECT_TRUE(claim_orbit(*store, other, at("102")));
}

TEST_F(StoreClaimOrbit, ATenantParksNoMoreThanItsCap) {
  const auto store = make_store();
  OrbitRequest request = at("101");
  request.parked_calls_max = 1;
  ASSERT_TRUE(claim_orbit(*store, example_row("a"), request));
  request.orbits = {"102"};
  EXPECT_EQ(claim_orbit(*store, example_row("b"), request).error(), ClaimOrbitFailure::kTooManyParked);
  request.parked_calls_max = 2;
  EXPECT_TRUE(claim_orbit(*store, example_row("b"), request));
}

TEST_F(StoreClaimOrbit, X44_AnExtensionParksNoMoreThanItsCapAndOthersStillPark) {
  const auto store = make_store();
  OrbitRequest request = at("101");
  request.extension_parked_calls_max = 1;
  ASSERT_TRUE(claim_orbit(*store, example_row("a"), request));
  request.orbits = {"102"};
  EXPECT_EQ(claim_orbit(*store, example_row("b"), request).error(), ClaimOrbitFailure::kTooManyOfParker);
  ParkedCallRow of_another = example_row("c");
  of_another.parker = "103";
  EXPECT_TRUE(claim_orbit(*store, of_another, request));
  store->remove(ParkId("a"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  request.orbits = {"104"};
  EXPECT_TRUE(claim_orbit(*store, example_row("b"), request)) << "its place is free again";
}

TEST_F(StoreClaimOrbit, X44_TheCapsHoldIfManyClaimAtOnceOnTwoNodes) {
  for (const bool of_tenant : {true, false}) {
    const auto one = make_store();
    const auto other = make_store();
    OrbitRequest request;
    (of_tenant ? request.parked_calls_max : request.extension_parked_calls_max) = 3;
    int answers = 0;
    int parked = 0;
    for (int i = 0; i < 20; ++i) {
      const auto id = std::string(of_tenant ? "t" : "e") + std::to_string(i);
      (i % 2 == 0 ? *one : *other)
          .claim_orbit(example_row(id), request, [&](Result<ClaimedOrbit, ClaimOrbitFailure> claimed) {
            ++answers;
            if (claimed) ++parked;
          });
    }
    ASSERT_TRUE(run_until([&] { return answers == 20; }));
    EXPECT_EQ(parked, 3);
    EXPECT_EQ(server().value("SELECT COUNT(*) FROM parked_calls WHERE orbit IS NOT NULL"), std::to_string(parked));
    server().execute("DELETE FROM parked_calls");
  }
}

TEST_F(StoreLookUp, X44_TheCapOfAnExtensionIsItsOwnOrTheTenantsOrAShare) {
  const auto store = make_store();
  const auto cap = [&](const std::string& sql) {
    if (!sql.empty()) server().execute(sql);
    return look_up(*store, "*68")->extension_parked_calls_max;
  };
  EXPECT_EQ(cap(""), 100);
  EXPECT_EQ(cap("UPDATE tenants SET parked_calls_max = 30"), 10);
  EXPECT_EQ(cap("UPDATE tenants SET parked_calls_max = 10"), 9) << "one place is left to the others";
  EXPECT_EQ(cap("UPDATE tenants SET parked_calls_max = 1"), 1);
  EXPECT_EQ(cap("UPDATE tenants SET parked_calls_max = 0"), 0);
  EXPECT_EQ(cap("UPDATE tenants SET extension_parked_calls_max = 7"), 7);
  EXPECT_EQ(cap("UPDATE extensions SET parked_calls_max = 12"), 12);
  EXPECT_EQ(cap("UPDATE extensions SET parked_calls_max = 0"), 0);
  server().execute(
      "UPDATE tenants SET parked_calls_max = 1000, extension_parked_calls_max = NULL; "
      "UPDATE extensions SET parked_calls_max = NULL");
}

TEST_F(StoreClaimOrbit, S4_ARandomOrbitIsAStarAndAsManyDigits) {
  const auto store = make_store();
  std::set<std::string> orbits;
  for (const int digits : {3, 4, 8}) {
    OrbitRequest request;
    request.random_digits = digits;
    for (int call = 0; call < 10; ++call) {
      const Claimed got =
          claim_orbit(*store, example_row(std::to_string(digits) + "-" + std::to_string(call)), request);
      ASSERT_TRUE(got);
      EXPECT_TRUE(std::regex_match(got->orbit, std::regex("[*][0-9]{" + std::to_string(digits) + "}"))) << got->orbit;
      orbits.insert(got->orbit);
    }
  }
  EXPECT_EQ(orbits.size(), 30U);
}

TEST_F(StoreClaimOrbit, S4_TheLastFreeRandomOrbitIsFoundAndThenThereIsNone) {
  // All of *000 to *999 but one: some in use, the others in quarantine.
  server().execute(
      "INSERT INTO parked_calls (park_id, tenant, orbit, slot, state, parker, music_class, caller_dialog, parked_at,"
      " deadline, owner, epoch, operation_id) SELECT seq, 'demo.callpark', CONCAT('*', LPAD(seq, 3, '0')), 1, 'parked',"
      " '101', 'default', '{}', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), 'x', 1, seq FROM seq_0_to_499;"
      "INSERT INTO released_orbits SELECT 'demo.callpark', CONCAT('*', seq), 0, UTC_TIMESTAMP(3),"
      " UTC_TIMESTAMP(3) + INTERVAL 600 SECOND FROM seq_500_to_999 WHERE seq <> 777");
  const auto store = make_store();
  OrbitRequest request;
  request.random_digits = 3;
  const Claimed last = claim_orbit(*store, example_row("a"), request);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->orbit, "*777");
  EXPECT_EQ(claim_orbit(*store, example_row("b"), request).error(), ClaimOrbitFailure::kTaken);
}

TEST_F(StoreClaimOrbit, S4_AReleasedRandomOrbitWaitsInQuarantineAndAnExtensionDoesNot) {
  const auto store = make_store();
  ParkedCallRow random = park(*store, "a", OrbitRequest{});
  park(*store, "b", at("102"));
  ASSERT_TRUE(claim_call(*store, {random.orbit}));
  store->write_retrieved(random);
  store->remove(ParkId("b"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  const std::string quarantine =
      "SELECT ROUND(TIMESTAMPDIFF(MICROSECOND, released_at, quarantined_until) / 1000000) FROM released_orbits ";
  EXPECT_EQ(server().value(quarantine + "WHERE orbit = '" + random.orbit + "'"), "600");
  EXPECT_EQ(server().value(quarantine + "WHERE orbit = '102'"), "0");
  EXPECT_TRUE(claim_orbit(*store, example_row("c"), at("102")));
}

TEST_F(StoreClaimOrbit, S12_ACallThatWasRetrievedIsParkedAgainInItsRow) {
  const auto store = make_store();
  ParkedCallRow row = park(*store, "a", at("102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  store->write_retrieved(row);
  row.parker = "104";
  const Claimed again = claim_orbit(*store, row, at("104"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->orbit, "104");
  EXPECT_EQ(column("CONCAT(orbit, ' ', state, ' ', parker)", "a"), "104 adopting 104");
  EXPECT_EQ(rows(), "1");
}

TEST_F(StoreClaimOrbit, S8_WhenItCannotBeParkedAgainTheRowStaysAsItWas) {
  const auto store = make_store();
  park(*store, "a", at("101"));
  ParkedCallRow row = park(*store, "b", at("102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  store->write_retrieved(row);
  EXPECT_EQ(claim_orbit(*store, row, at("101")).error(), ClaimOrbitFailure::kTaken);
  EXPECT_EQ(column("CONCAT(state, ' ', orbit IS NULL)", "b"), "retrieved 1");
}

// ---- retrieve ----

using StoreClaimCall = StoreTest;

TEST_F(StoreClaimCall, ARetrieverWinsTheWholeRow) {
  const auto store = make_store();
  ParkedCallRow row = example_row("a");
  row.peer = row.caller;
  row.peer->remote_cseq = 7;
  row.media = MediaSnapshot{
      .session = "park-1",
      .local = {"127.0.0.3", 40000},
      .ssrc = 4000000000U,
      .remote = MediaRemote{{"127.0.0.50", 50000},
                            {.name = "opus", .payload_type = 96, .clock_rate = 48000, .telephone_event = 101},
                            false}};
  const Claimed got = claim_orbit(*store, row, at("102"));
  ASSERT_TRUE(got);
  row.orbit = got->orbit;
  row.slot = got->slot;
  row.state = RowState::kParked;
  ASSERT_TRUE(write(*store, row));
  const Won won = claim_call(*store, {"102"});
  ASSERT_TRUE(won);
  EXPECT_EQ(won->park_id, ParkId("a"));
  EXPECT_EQ(won->tenant, kTenant);
  EXPECT_EQ(won->orbit, "102");
  EXPECT_EQ(won->slot, 1);
  EXPECT_EQ(won->state, RowState::kRetrieving);
  EXPECT_EQ(won->parker, "102");
  EXPECT_EQ(won->retriever, Party(extension("104")));
  EXPECT_EQ(won->music_class, "default");
  EXPECT_EQ(won->caller, row.caller);
  EXPECT_EQ(won->peer, row.peer);
  EXPECT_EQ(won->media, row.media);
  EXPECT_EQ(won->parked_at, row.parked_at);
  EXPECT_EQ(won->deadline, row.deadline);
  EXPECT_EQ(won->owner, "node-1");
}

TEST_F(StoreClaimCall, S9_NothingIsParkedAtAnEmptyOrbit) {
  const auto store = make_store();
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kNoneParked);
  ASSERT_TRUE(claim_orbit(*store, example_row("a"), at("102")));
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kNoneParked) << "not adopted yet";
}

TEST_F(StoreClaimCall, S10_WhoComesSecondHearsThatSomebodyWasQuicker) {
  const auto store = make_store();
  const ParkedCallRow row = park(*store, "a", at("102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kAlreadyPickedUp);
  store->write_retrieved(row);
  finish_writes(*store);
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kAlreadyPickedUp);
  server().execute("UPDATE released_orbits SET released_at = released_at - INTERVAL 10 SECOND");
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kNoneParked);
}

TEST_F(StoreClaimCall, S8_TheOldestCallComesFirst) {
  const auto store = make_store();
  OrbitRequest request = at("102");
  request.calls_per_orbit_max = 3;
  for (const std::string id : {"a", "b", "c"}) park(*store, id, request);
  server().execute("UPDATE parked_calls SET parked_at = parked_at - INTERVAL 1 SECOND WHERE park_id = 'b'");
  EXPECT_EQ(claim_call(*store, {"102"})->park_id, ParkId("b"));
  EXPECT_EQ(claim_call(*store, {"102"})->park_id, ParkId("a"));
  EXPECT_EQ(claim_call(*store, {"102"})->park_id, ParkId("c"));
}

TEST_F(StoreClaimCall, P3_TheFirstOrbitThatHasACallCounts) {
  const auto store = make_store();
  park(*store, "a", at("103"));
  EXPECT_EQ(claim_call(*store, {"102", "103"})->park_id, ParkId("a"));
}

TEST_F(StoreClaimCall, ARetrieveThatWasGivenUpLeavesTheCallParked) {
  const auto store = make_store();
  park(*store, "a", at("102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  store->unclaim_call(ParkId("a"));
  finish_writes(*store);
  EXPECT_EQ(column("CONCAT(state, retriever)", "a"), "parked");
  EXPECT_TRUE(claim_call(*store, {"102"}));
}

TEST_F(StoreClaimCall, AWriteThatComesAfterTheCallWasWonLeavesItWon) {
  const auto store = make_store();
  ParkedCallRow row = park(*store, "a", at("102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  row.caller.local_cseq = 77;
  ASSERT_TRUE(write(*store, row));
  EXPECT_EQ(column("CONCAT(state, ' ', retriever)", "a"), "retrieving 104");
  EXPECT_EQ(column("JSON_VALUE(caller_dialog, '$.local_cseq')", "a"), "77");
  store->write_retrieved(row);
  finish_writes(*store);
  EXPECT_EQ(column("state", "a"), "retrieved");
}

TEST_F(StoreClaimCall, ACallWhoseAdoptionWasInterruptedCanBeParkedByAnOrder) {
  const auto store = make_store();
  ASSERT_TRUE(claim_orbit(*store, example_row("a"), at("102")));
  store->unclaim_call(ParkId("a"));
  finish_writes(*store);
  EXPECT_EQ(column("state", "a"), "parked");
}

TEST_F(StoreClaimCall, OrdersOfOneCallAreCarriedOutInTheOrderGiven) {
  const auto store = make_store();
  ParkedCallRow row = park(*store, "a", at("102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  for (int turn = 0; turn < 50; ++turn) {
    row.parker = std::to_string(turn);
    store->write_retrieved(row);
  }
  finish_writes(*store);
  EXPECT_EQ(column("parker", "a"), "49");
}

// ---- recovery ----

using StoreLoad = StoreTest;

TEST_F(StoreLoad, O4_EachRowOfTheNodeIsReadAgain) {
  {
    const auto before = make_store();
    park(*before, "parked", at("101"));
    ASSERT_TRUE(claim_orbit(*before, example_row("adopting"), at("102")));
    park(*before, "retrieving", at("103"));
    ASSERT_TRUE(claim_call(*before, {"103"}));
    ParkedCallRow talking = park(*before, "talking", at("104"));
    ASSERT_TRUE(claim_call(*before, {"104"}));
    talking.peer = talking.caller;
    before->write_retrieved(talking);
    finish_writes(*before);
    const auto elsewhere = make_store("node-2");
    park(*elsewhere, "elsewhere", at("105"));
  }
  const auto store = make_store();
  const Loaded loaded = load(*store);
  ASSERT_TRUE(loaded);
  std::map<std::string, ParkedCallRow> by_id;
  for (const ParkedCallRow& row : *loaded) by_id.emplace(row.park_id.text(), row);
  ASSERT_EQ(by_id.size(), 4U);
  EXPECT_EQ(by_id.at("parked").state, RowState::kParked);
  EXPECT_EQ(by_id.at("parked").deadline, example_row("").deadline);
  EXPECT_EQ(by_id.at("adopting").state, RowState::kAdopting);
  EXPECT_EQ(by_id.at("retrieving").state, RowState::kRetrieving);
  EXPECT_EQ(by_id.at("talking").state, RowState::kRetrieved);
  EXPECT_EQ(by_id.at("talking").orbit, "");
  EXPECT_EQ(by_id.at("talking").peer, by_id.at("talking").caller);
}

TEST_F(StoreTest, S10_WhatAnotherNodeHasParkedStaysThereUnlessItIsWantedOtherwise) {
  const auto one = make_store("node-1", false);
  const auto two = make_store("node-2", false);
  park(*one, "a", at("101"));
  park(*two, "b", at("102"));
  EXPECT_EQ(claim_call(*two, {"101"}).error(), ClaimCallFailure::kNoneParked);
  EXPECT_EQ(column("CONCAT(state, owner)", "a"), "parkednode-1");
  EXPECT_TRUE(claim_call(*one, {"101"}));
  EXPECT_TRUE(claim_call(*two, {"102"}));
}

TEST_F(StoreLoad, ARowThatCannotBeReadTakesNoOtherWithIt) {
  const auto store = make_store();
  park(*store, "a", at("101"));
  park(*store, "b", at("102"));
  server().execute("UPDATE parked_calls SET caller_dialog = '{\"call_id\": 7}' WHERE park_id = 'a'");
  const Loaded loaded = load(*store);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_EQ(loaded->front().park_id, ParkId("b"));
  EXPECT_EQ(claim_call(*store, {"101"}).error(), ClaimCallFailure::kUnavailable);
}

TEST_F(StoreLoad, AProcessThatWasStoppedForLongFindsItsRowsAnothers) {
  const auto stopped = make_store();
  ParkedCallRow row = park(*stopped, "a", at("102"));
  run_for(Duration(5));  // the epoch is a millisecond
  const auto successor = make_store();
  const Loaded loaded = load(*successor);
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_GT(loaded->front().epoch, 0U);
  EXPECT_FALSE(write(*stopped, row));
  stopped->unclaim_call(ParkId("a"));
  stopped->remove(ParkId("a"), park::EndReason::kHungUp, {});
  finish_writes(*stopped);
  EXPECT_EQ(column("state", "a"), "parked");
  EXPECT_TRUE(write(*successor, row));
}

}  // namespace
}  // namespace callpark::test
