// What a recall asks of the store, against a real MariaDB: its settings, its columns, and which of two claims wins the
// row.
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

class StoreRecall : public StoreTest {
 protected:
  using WonForTarget = Result<void, ClaimCallFailure>;

  void TearDown() override {
    server().execute(
        "UPDATE tenants SET music_on = DEFAULT, music_class = DEFAULT, recall_mode = DEFAULT, "
        "recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, recall_retry_seconds = DEFAULT, "
        "recall_attempts_max = DEFAULT, alert_ring_group_wait_seconds = DEFAULT, ring_group = NULL, "
        "fallback_destination = NULL, fallback_ring_seconds = DEFAULT; "
        "UPDATE park_groups SET fallback_ring_seconds = NULL");
  }

  static RecallSettings example_recall() {
    return {.mode = park::RecallMode::kParkerThenRingGroup,
            .after_seconds = 60,
            .ring_seconds = 20,
            .retry_seconds = 5,
            .attempts_max = 2,
            .alert_ring_group_wait_seconds = 15,
            .ring_group = "601",
            .fallback_destination = "+442079460000",
            .fallback_ring_seconds = 25};
  }
  /// Parked at `orbit` with a recall: its second attempt rings.
  ParkedCallRow park_with_recall(Store& store, const std::string& park_id, const std::string& orbit) {
    ParkedCallRow row = example_row(park_id);
    row.recall = example_recall();
    const Claimed got = claim_orbit(store, row, at(orbit));
    EXPECT_TRUE(got.has_value());
    row.orbit = got ? got->orbit : "";
    row.slot = got ? got->slot : 0;
    row.state = RowState::kParked;
    row.recall_progress = {.target = park::RecallTarget::kParker, .attempts = 2, .is_calling = true};
    row.recall_deadline = WallTime(Duration(1700000090789));
    EXPECT_TRUE(write(store, row).has_value());
    return row;
  }
  /// The row as it is claimed for the target that the recall has called.
  static ParkedCallRow with_target(ParkedCallRow row, const std::string& number = "102") {
    row.retriever = extension(number);
    row.peer = row.caller;
    row.peer->call_id = "target-of-" + row.park_id.text();
    return row;
  }
  WonForTarget claim_for_target(Store& store, const ParkedCallRow& row) {
    return await<WonForTarget>([&](auto answer) { store.claim_for_target(row, answer); })
        .value_or(failure(ClaimCallFailure::kUnavailable));
  }
};

// ---- settings ----

TEST_F(StoreRecall, R1_R4_WithoutAnyEditTheDefaultsOfFeatures) {
  const auto store = make_store();
  server().execute(
      "UPDATE tenants SET recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, recall_attempts_max = DEFAULT, "
      "fallback_destination = NULL WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(look_up(*store, "*68")->recall, (RecallSettings{.mode = park::RecallMode::kParkerOnly,
                                                            .after_seconds = 90,
                                                            .ring_seconds = 30,
                                                            .retry_seconds = 10,
                                                            .attempts_max = 3,
                                                            .alert_ring_group_wait_seconds = 30,
                                                            .ring_group = "",
                                                            .fallback_destination = "",
                                                            .fallback_ring_seconds = 60}));
}

TEST_F(StoreRecall, R7_O3_TheTenantsSettingsAreLiveForTheNextCall) {
  const auto store = make_store();
  server().execute(
      "UPDATE tenants SET recall_mode = 'parker_then_ring_group', recall_after_seconds = 60, ring_seconds = 20, "
      "recall_retry_seconds = 5, recall_attempts_max = 2, alert_ring_group_wait_seconds = 15, ring_group = '601', "
      "fallback_destination = '+442079460000', fallback_ring_seconds = 25 WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(look_up(*store, "*68")->recall, example_recall());
  for (const auto& [name, mode] : {std::pair{"off", park::RecallMode::kOff},
                                   {"parker_only", park::RecallMode::kParkerOnly},
                                   {"ring_group_only", park::RecallMode::kRingGroupOnly}}) {
    server().execute(std::string("UPDATE tenants SET recall_mode = '") + name + "' WHERE tenant = 'demo.callpark'");
    EXPECT_EQ(look_up(*store, "*68")->recall.mode, mode) << name;
  }
}

TEST_F(StoreRecall, X17_TheFallbackRingsForItsSecondsOfTheGroupOrTheTenant) {
  const auto store = make_store();
  server().execute("UPDATE tenants SET fallback_ring_seconds = 3600");
  EXPECT_EQ(look_up(*store, "*58", "104")->recall.fallback_ring_seconds, 3600);
  server().execute("UPDATE park_groups SET fallback_ring_seconds = 10");
  EXPECT_EQ(look_up(*store, "*58", "104")->recall.fallback_ring_seconds, 10);
  EXPECT_EQ(look_up(*store, "*68", "104")->recall.fallback_ring_seconds, 3600) << "parked in no group";
}

TEST_F(StoreRecall, L6_MusicThatIsOffHasNoClass) {
  const auto store = make_store();
  server().execute("UPDATE tenants SET music_class = 'jazz' WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(look_up(*store, "*68")->music_class, "jazz");
  server().execute("UPDATE tenants SET music_on = FALSE WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(look_up(*store, "*68")->music_class, "");
}

// ---- the columns ----

TEST_F(StoreRecall, O4_WhereARecallStandsIsReadAgain) {
  ParkedCallRow row;
  {
    const auto before = make_store();
    row = park_with_recall(*before, "a", "102");
  }
  const auto store = make_store();
  const Loaded loaded = load(*store);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_EQ(loaded->front().recall, row.recall);
  EXPECT_EQ(loaded->front().recall_progress, row.recall_progress);
  EXPECT_EQ(loaded->front().recall_deadline, row.recall_deadline);
}

TEST_F(StoreRecall, AnOperatorSeesWhenTheNextStepIsAndHowOftenTheParkerWasCalled) {
  const auto store = make_store();
  park_with_recall(*store, "a", "102");
  EXPECT_EQ(column("CONCAT(recall_deadline, ' ', recall_attempts)", "a"), "2023-11-14 22:14:50.789 2");
  EXPECT_EQ(column("CONCAT(JSON_VALUE(recall, '$.mode'), ' ', JSON_VALUE(recall, '$.target'))", "a"),
            "parker_then_ring_group parker");
}

TEST_F(StoreRecall, TheRetrieverOfAnotherNodeGetsTheRecallWithTheRow) {
  const auto elsewhere = make_store("node-2");
  const ParkedCallRow row = park_with_recall(*elsewhere, "a", "102");
  const auto store = make_store();
  const Won won = claim_call(*store, {"102"});
  ASSERT_TRUE(won);
  EXPECT_EQ(won->recall, row.recall);
  EXPECT_EQ(won->recall_progress, row.recall_progress);
  EXPECT_EQ(won->recall_deadline, row.recall_deadline);
}

TEST_F(StoreRecall, WithoutARecallAndOnceRetrievedThereIsNoNextStep) {
  const auto store = make_store();
  park(*store, "a", at("101"));
  EXPECT_EQ(column("recall_deadline IS NULL AND recall IS NULL", "a"), "1");
  ParkedCallRow row = park_with_recall(*store, "b", "102");
  ASSERT_TRUE(claim_for_target(*store, with_target(row)));
  store->write_retrieved(with_target(row));
  finish_writes(*store);
  EXPECT_EQ(column("recall_deadline IS NULL AND recall IS NULL", "b"), "1");
}

TEST_F(StoreRecall, ARowWhoseRecallCannotBeReadTakesNoOtherWithIt) {
  const auto store = make_store();
  park_with_recall(*store, "a", "101");
  park_with_recall(*store, "b", "102");
  server().execute("UPDATE parked_calls SET recall = JSON_SET(recall, '$.target', 'boss') WHERE park_id = 'a'");
  const Loaded loaded = load(*store);
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_EQ(loaded->front().park_id, ParkId("b"));
}

// ---- competing claims ----

TEST_F(StoreRecall, R6_WhoAnsweredARecallWinsTheRowAndIsItsPeer) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"), "601");
  ASSERT_TRUE(claim_for_target(*store, row));
  EXPECT_EQ(column("CONCAT(state, ' ', retriever)", "a"), "retrieving 601");
  const Loaded loaded = load(*store);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->front().peer, row.peer);
  EXPECT_EQ(loaded->front().caller, row.caller);
}

TEST_F(StoreRecall, R6_ARowIsWonOnce) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"));
  ASSERT_TRUE(claim_for_target(*store, row));
  EXPECT_EQ(claim_for_target(*store, row).error(), ClaimCallFailure::kAlreadyPickedUp);
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kAlreadyPickedUp);
  EXPECT_EQ(column("CONCAT(state, ' ', retriever)", "a"), "retrieving 102");
}

TEST_F(StoreRecall, R6_ARetrieverWhoWasFirstStaysFirst) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"));
  ASSERT_TRUE(claim_call(*store, {"102"}));
  EXPECT_EQ(claim_for_target(*store, row).error(), ClaimCallFailure::kAlreadyPickedUp);
  EXPECT_EQ(column("CONCAT(state, ' ', retriever, ' ', peer_dialog IS NULL)", "a"), "retrieving 104 1");
}

TEST_F(StoreRecall, R6_OfARetrieverAndAnAnswerAtOnceOneWins) {
  const auto one = make_store("node-1");
  const auto two = make_store("node-2");
  int won_by_target = 0;
  int won_by_retriever = 0;
  for (int turn = 0; turn < 100; ++turn) {
    const std::string id = "call-" + std::to_string(turn);
    const ParkedCallRow row = with_target(park_with_recall(*one, id, "102"));
    std::optional<bool> target;
    std::optional<bool> retriever;
    const auto claim_target = [&] {
      one->claim_for_target(row, [&](const WonForTarget& won) { target = won.has_value(); });
    };
    const auto claim_retriever = [&] {
      two->claim_call(kTenant, {{"102"}, ""}, extension("104"), [&](const Won& won) { retriever = won.has_value(); });
    };
    if (turn % 2 == 0) claim_target();
    claim_retriever();
    if (turn % 2 == 1) claim_target();
    ASSERT_TRUE(run_until([&] { return target && retriever; }));
    ASSERT_NE(*target, *retriever) << "turn " << turn;
    (*target ? won_by_target : won_by_retriever) += 1;
    EXPECT_EQ(column("retriever", id), *target ? "102" : "104");
    server().execute("DELETE FROM parked_calls");
  }
  std::cout << "won by the recall " << won_by_target << ", by the retriever " << won_by_retriever << "\n";
}

TEST_F(StoreRecall, ARowThatIsGoneOrAnothersIsNotWon) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"));
  store->remove(ParkId("a"), park::EndReason::kGaveUp, {});
  EXPECT_EQ(claim_for_target(*store, row).error(), ClaimCallFailure::kAlreadyPickedUp);
  const auto elsewhere = make_store("node-2");
  const ParkedCallRow theirs = with_target(park_with_recall(*elsewhere, "b", "103"));
  EXPECT_EQ(claim_for_target(*store, theirs).error(), ClaimCallFailure::kAlreadyPickedUp);
  EXPECT_EQ(column("state", "b"), "parked");
}

TEST_F(StoreRecall, R6_ARowThatWasWonAndLetGoIsFoundParkedAgain) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"));
  ASSERT_TRUE(claim_for_target(*store, row));
  store->unclaim_call(ParkId("a"));
  finish_writes(*store);
  EXPECT_EQ(column("CONCAT(state, retriever)", "a"), "parked");
  EXPECT_TRUE(claim_for_target(*store, row));
  store->unclaim_call(ParkId("a"));
  finish_writes(*store);
  EXPECT_TRUE(claim_call(*store, {"102"}));
}

TEST_F(StoreRecall, S13_WithoutADatabaseNobodyWinsAndTheRowStaysParked) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"));
  server().pause();
  EXPECT_EQ(claim_for_target(*store, row).error(), ClaimCallFailure::kUnavailable);
  server().resume();
  // What the server did of it, when it went on, is undone.
  EXPECT_TRUE(run_until([&] { return store->waiting_writes() == 0 && column("state", "a") == "parked"; }));
  EXPECT_EQ(column("retriever", "a"), "");
}

TEST_F(StoreRecall, R6_AClaimThatIsUndoneTakesTheCallFromNobodyElse) {
  const auto store = make_store();
  const ParkedCallRow row = with_target(park_with_recall(*store, "a", "102"));
  server().pause();
  EXPECT_EQ(claim_for_target(*store, row).error(), ClaimCallFailure::kUnavailable);
  server().resume();
  EXPECT_TRUE(run_until([&] { return claim_call(*store, {"102"}).has_value(); }));
  // It is undone a second time, in case the server did it late.
  run_for(Duration(3000));
  EXPECT_EQ(column("CONCAT(state, ' ', retriever)", "a"), "retrieving 104");
}

}  // namespace
}  // namespace callpark::test
