// The store against a real MariaDB that is not well, and stores that race with one another.
#include "parkd/store/schema.h"
#include "tests/component/store_fixture.h"
#include "tests/component/store_relay.h"

#include <algorithm>

namespace callpark::test {
namespace {

using Lost = StoreRelay::Lost;

// ---- races ----

using StoreRace = StoreTest;

TEST_F(StoreRace, S10_OfTwoRetrieversOnTwoNodesExactlyOneWins300Times) {
  const auto one = make_store("node-1");
  const auto two = make_store("node-2");
  int won_by_one = 0;
  for (int turn = 0; turn < 300; ++turn) {
    const std::string id = "call-" + std::to_string(turn);
    const ParkedCallRow row = park(*one, id, at("102"));
    std::vector<Won> answers;
    const auto answer = [&](Won won) {
      answers.push_back(std::move(won));
      if (answers.size() == 2) loop_.stop();
    };
    // Each begins as often as the other.
    SqlStore& first = turn % 2 == 0 ? *one : *two;
    SqlStore& second = turn % 2 == 0 ? *two : *one;
    first.claim_call(kTenant, {{"102"}, ""}, extension("104"), answer);
    second.claim_call(kTenant, {{"102"}, ""}, extension("105"), answer);
    run_for(Duration(10000));
    ASSERT_EQ(answers.size(), 2U);
    ASSERT_NE(answers[0].has_value(), answers[1].has_value()) << "turn " << turn;
    const Won& winner = answers[0] ? answers[0] : answers[1];
    const Won& loser = answers[0] ? answers[1] : answers[0];
    EXPECT_EQ(loser.error(), ClaimCallFailure::kAlreadyPickedUp);
    won_by_one += winner->owner == "node-1" ? 1 : 0;
    SqlStore& owner = winner->owner == "node-1" ? *one : *two;
    owner.remove(ParkId(id), park::EndReason::kHungUp, {});
    finish_writes(owner);
  }
  RecordProperty("won_by_node_1", won_by_one);
  EXPECT_EQ(rows(), "0");
}

TEST_F(StoreRace, S8_OfTwoWhoParkAtOneOrbitExactlyOneGetsIt) {
  const auto one = make_store("node-1");
  const auto two = make_store("node-2");
  for (int turn = 0; turn < 100; ++turn) {
    std::vector<Claimed> answers;
    const auto answer = [&](Claimed got) {
      answers.push_back(std::move(got));
      if (answers.size() == 2) loop_.stop();
    };
    one->claim_orbit(example_row("one-" + std::to_string(turn)), at(std::to_string(1000 + turn)), answer);
    two->claim_orbit(example_row("two-" + std::to_string(turn)), at(std::to_string(1000 + turn)), answer);
    run_for(Duration(10000));
    ASSERT_EQ(answers.size(), 2U);
    ASSERT_NE(answers[0].has_value(), answers[1].has_value()) << "turn " << turn;
    EXPECT_EQ((answers[0] ? answers[1] : answers[0]).error(), ClaimOrbitFailure::kTaken);
  }
  EXPECT_EQ(rows(), "100");
}

TEST_F(StoreRace, ManyWhoParkAtRandomOrbitsAtOnceAllGetOne) {
  const auto one = make_store("node-1");
  const auto two = make_store("node-2");
  OrbitRequest request;
  request.random_digits = 3;
  constexpr int kCalls = 200;
  int got = 0;
  int answered = 0;
  for (int call = 0; call < kCalls; ++call) {
    SqlStore& store = call % 2 == 0 ? *one : *two;
    store.claim_orbit(example_row("call-" + std::to_string(call)), request, [&](Claimed claimed) {
      got += claimed ? 1 : 0;
      ++answered;
    });
  }
  EXPECT_TRUE(run_until([&] { return answered == kCalls; }));
  EXPECT_EQ(got, kCalls);
  EXPECT_EQ(server().value("SELECT COUNT(DISTINCT orbit) FROM parked_calls"), std::to_string(kCalls));
}

// ---- error, but committed ----

class StoreCut : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    relay_ = std::make_unique<StoreRelay>(server().socket());
    store_ = make_store_at(relay_->socket());
  }
  void TearDown() override { store_.reset(); }

  /// Does `once` again and again, cutting its 1st, 2nd, ... request, until it needs no more. Its argument names the
  /// turn.
  void cut_each_request(const std::function<void(const std::string& turn)>& once) {
    for (const Lost lost : {Lost::kRequest, Lost::kReply}) {
      for (int number = 1;; ++number) {
        ASSERT_LT(number, 100);
        SCOPED_TRACE((lost == Lost::kRequest ? "request " : "reply to ") + std::to_string(number));
        relay_->cut(lost, number);
        once((lost == Lost::kRequest ? "q" : "r") + std::to_string(number));
        if (!relay_->has_cut()) break;
        ++cuts_;
      }
    }
    EXPECT_GE(cuts_, 2);
  }

  /// Does `once` again and again on an empty table; its 1st, 2nd, ... request is asked again since the connection
  /// broke, and carried out late: before the 1st, 2nd, ... request that follows.
  void delay_each_request(const std::function<void()>& once) {
    int came_late = 0;
    for (int number = 1; number == 1 || relay_->has_cut(); ++number) {
      for (int late_by = 1; late_by == 1 || relay_->has_come_late(); ++late_by) {
        SCOPED_TRACE("request " + std::to_string(number) + ", late by " + std::to_string(late_by));
        server().execute("DELETE FROM parked_calls");
        relay_->cut_and_delay(number, late_by);
        once();
        came_late += relay_->has_come_late() ? 1 : 0;
      }
    }
    EXPECT_GT(came_late, 5);
  }

  std::unique_ptr<StoreRelay> relay_;
  std::unique_ptr<SqlStore> store_;
  int cuts_ = 0;
};

TEST_F(StoreCut, AnOrbitIsClaimedOnceWhicheverRequestOrReplyIsLost) {
  cut_each_request([this](const std::string& turn) {
    const Claimed got = claim_orbit(*store_, example_row(turn), OrbitRequest{});
    ASSERT_TRUE(got);
    EXPECT_EQ(column("CONCAT(orbit, '/', slot)", turn), got->orbit + "/" + std::to_string(got->slot));
  });
}

// A server that stalled comes to what the first connection asked beside what the second asks.
TEST_F(StoreCut, AnOrbitIsNotFoundTakenByWhatTheServerCameToLate) {
  delay_each_request([this] { ASSERT_TRUE(claim_orbit(*store_, example_row("call"), at("102"))); });
}

TEST_F(StoreCut, ACallIsNotFoundWonByWhatTheServerCameToLate) {
  const auto straight = make_store("node-2");
  delay_each_request([&] {
    park(*straight, "call", at("102"));
    ASSERT_TRUE(claim_call(*store_, {"102"}));
  });
}

TEST_F(StoreCut, ANamedOrbitIsNotFoundTakenByOurOwnLostWrite) {
  cut_each_request([this](const std::string& turn) {
    ASSERT_TRUE(claim_orbit(*store_, example_row(turn), at("102")));
    server().execute("DELETE FROM parked_calls");
  });
}

TEST_F(StoreCut, ACallIsWonOnceAndNoSecondOneWithIt) {
  const auto straight = make_store("node-2");
  OrbitRequest request = at("102");
  request.calls_per_orbit_max = 10;
  cut_each_request([&](const std::string& turn) {
    server().execute("DELETE FROM parked_calls");
    park(*straight, turn + "-a", request);
    park(*straight, turn + "-b", request);
    const Won won = claim_call(*store_, {"102"});
    ASSERT_TRUE(won);
    EXPECT_EQ(won->park_id, ParkId(turn + "-a"));
    EXPECT_EQ(server().value("SELECT COUNT(*) FROM parked_calls WHERE state = 'retrieving'"), "1");
  });
}

TEST_F(StoreCut, AWriteAndAnOrderAreDoneWhicheverRequestOrReplyIsLost) {
  ParkedCallRow row = example_row("a");
  row.orbit = claim_orbit(*store_, row, at("102"))->orbit;
  row.slot = 1;
  row.state = RowState::kParked;
  cut_each_request([&](const std::string& turn) {
    row.parker = turn;
    ASSERT_TRUE(write(*store_, row));
    EXPECT_EQ(column("parker", "a"), turn);
  });
  cut_each_request([&](const std::string& turn) {
    row.parker = turn + "!";
    store_->write_retrieved(row);
    finish_writes(*store_);
    EXPECT_EQ(column("CONCAT(state, parker)", "a"), "retrieved" + turn + "!");
  });
}

// ---- the server is away ----

using StoreAway = StoreTest;

TEST_F(StoreAway, S13_QuestionsAreRefusedAtOnceWhenTheServerIsStopped) {
  const auto store = make_store();
  park(*store, "a", at("102"));
  server().stop();
  const MonotonicTime start = monotonic_now();
  EXPECT_EQ(claim_orbit(*store, example_row("b"), at("103")).error(), ClaimOrbitFailure::kUnavailable);
  EXPECT_EQ(claim_call(*store, {"102"}).error(), ClaimCallFailure::kUnavailable);
  EXPECT_FALSE(look_up(*store, "*68"));
  EXPECT_FALSE(load(*store));
  EXPECT_LT(monotonic_now() - start, Duration(1500)) << "all four together";
  EXPECT_FALSE(store->available());
}

TEST_F(StoreAway, OrdersAreCarriedOutWhenTheServerIsBack) {
  const auto store = make_store();
  ParkedCallRow talking = park(*store, "a", at("102"));
  park(*store, "b", at("103"));
  park(*store, "c", at("104"));
  ASSERT_TRUE(claim_call(*store, {"104"}));
  server().kill9();
  store->write_retrieved(talking);
  store->remove(ParkId("b"), park::EndReason::kHungUp, {});
  store->unclaim_call(ParkId("c"));
  run_for(Duration(1200));
  EXPECT_EQ(store->waiting_writes(), 3U);
  server().start();
  finish_writes(*store);
  EXPECT_EQ(column("state", "a"), "retrieved");
  EXPECT_EQ(column("state", "b"), "");
  EXPECT_EQ(column("state", "c"), "parked");
  EXPECT_TRUE(store->available());
  EXPECT_TRUE(claim_call(*store, {"104"}));
}

TEST_F(StoreAway, OrdersWaitForADatabaseThatTakesNoWrites) {
  const auto store = make_store();
  park(*store, "a", at("102"));
  park(*store, "b", at("103"));
  ASSERT_TRUE(claim_call(*store, {"103"}));
  server().execute("SET GLOBAL read_only = 1");
  store->remove(ParkId("a"), park::EndReason::kHungUp, {});
  store->unclaim_call(ParkId("b"));
  EXPECT_EQ(claim_orbit(*store, example_row("c"), at("104")).error(), ClaimOrbitFailure::kUnavailable);
  run_for(Duration(1200));
  EXPECT_EQ(store->waiting_writes(), 2U);
  server().execute("SET GLOBAL read_only = 0");
  finish_writes(*store);
  EXPECT_EQ(column("state", "a"), "");
  EXPECT_EQ(column("state", "b"), "parked");
}

TEST_F(StoreAway, AfterARestartOfTheServerTheFirstQuestionIsAnswered) {
  const auto store = make_store();
  park(*store, "a", at("102"));
  server().stop();
  server().start();
  EXPECT_TRUE(look_up(*store, "*68"));
  EXPECT_TRUE(claim_call(*store, {"102"}));
}

TEST_F(StoreAway, AServerThatAnswersNothingHoldsUpNeitherTheLoopNorAnAnswer) {
  const auto store = make_store();
  park(*store, "a", at("102"));
  server().pause();
  Duration worst_gap(0);
  MonotonicTime last_tick = monotonic_now();
  const LoopHandle ticking = loop_.every(Duration(10), [&] {
    worst_gap = std::max(worst_gap, std::chrono::duration_cast<Duration>(monotonic_now() - last_tick));
    last_tick = monotonic_now();
  });
  constexpr int kQuestions = 40;
  std::vector<Duration> waits;
  const MonotonicTime start = monotonic_now();
  for (int question = 0; question < kQuestions; ++question) {
    store->claim_orbit(example_row("late-" + std::to_string(question)), at(std::to_string(300 + question)),
                       [&](Claimed got) {
                         EXPECT_FALSE(got);
                         waits.push_back(std::chrono::duration_cast<Duration>(monotonic_now() - start));
                       });
  }
  bool lost = false;
  store->claim_call(kTenant, {{"102"}, ""}, extension("104"), [&](Won won) { lost = !won; });
  EXPECT_TRUE(run_until([&] { return waits.size() == kQuestions && lost; }));
  EXPECT_LT(*std::max_element(waits.begin(), waits.end()), Duration(3000));
  EXPECT_LT(worst_gap, Duration(900)) << "a wait for the server lasts a second";
  server().resume();
  // What the server does when it goes on, of what it was asked, is undone.
  EXPECT_TRUE(run_until([&] { return store->waiting_writes() == 0 && store->available(); }));
  EXPECT_TRUE(run_until([&] { return rows() == "1" && column("state", "a") == "parked"; }));
  run_for(Duration(2500));
  finish_writes(*store);
  EXPECT_EQ(rows(), "1");
  EXPECT_EQ(column("state", "a"), "parked");
}

TEST_F(StoreAway, ConnectionsThatAreKilledAgainAndAgainLoseNothing) {
  const auto store = make_store();
  constexpr int kCalls = 150;
  std::map<std::string, std::string> orbits;
  int answered = 0;
  for (int call = 0; call < kCalls; ++call) {
    const std::string id = "call-" + std::to_string(call);
    store->claim_orbit(example_row(id), OrbitRequest{}, [&, id](Claimed got) {
      if (got) orbits[id] = got->orbit;
      ++answered;
    });
    if (call % 10 == 0) {
      server().execute("KILL USER callpark");
      run_for(Duration(5));
    }
  }
  EXPECT_TRUE(run_until([&] { return answered == kCalls && store->waiting_writes() == 0; }));
  EXPECT_GT(orbits.size(), 100U);
  for (const auto& [id, orbit] : orbits) EXPECT_EQ(column("orbit", id), orbit);
  EXPECT_TRUE(run_until([&] { return rows() == std::to_string(orbits.size()); })) << rows() << " rows";
}

TEST_F(StoreAway, ASchemaThatIsNotOursIsRefusedWithASentence) {
  DatabaseAddress address{server().socket().string(), "callpark", "callpark", "callpark"};
  EXPECT_EQ(schema_problem(address), std::nullopt);
  server().execute("INSERT INTO schema_migrations VALUES (99, '0099_later.sql', '', NOW(), NOW())");
  EXPECT_EQ(schema_problem(address), "the database has schema 99, this program needs " +
                                         std::to_string(kSchemaVersion) + ": run sql/migrate.sh of the same release");
  EXPECT_FALSE(look_up(*make_store(), "*68"));
  server().execute("UPDATE schema_migrations SET applied_at = NULL WHERE version = 99");
  EXPECT_EQ(schema_problem(address), "migration 99 stopped half-way: finish it");
  server().execute("DELETE FROM schema_migrations WHERE version = 99");
  server().execute("CREATE DATABASE bare; GRANT SELECT ON bare.* TO callpark@localhost");
  address.database = "bare";
  EXPECT_EQ(schema_problem(address), "the database has no callpark schema: run sql/migrate.sh of the same release");
  server().execute("DROP DATABASE bare");
  server().stop();
  EXPECT_EQ(schema_problem(address), std::nullopt) << "a database that is away may be right";
}

}  // namespace
}  // namespace callpark::test
