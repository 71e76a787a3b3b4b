// The tables of call flows, as calls to their codes use them: the look-up, tries and locks, toggles.
#include <gmock/gmock.h>

#include <thread>

#include "parkd/flow/lock_out.h"
#include "parkd/store/sql_flow_store.h"
#include "parkd/store/sql_presence_store.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StoreFlows : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    server().execute(
        "DELETE FROM call_flow_guesses; UPDATE call_flows SET status = 'on', pin = '1234', enabled = TRUE, "
        "destination_sound = '', alternate_sound = '' WHERE name = 'day-night'; DELETE FROM call_flow_events; "
        "UPDATE extensions SET enabled = TRUE, language = NULL WHERE extension = '105'");
    store_ = make_flow_store();
  }
  void TearDown() override { store_.reset(); }

  std::unique_ptr<SqlFlowStore> make_flow_store() {
    return std::make_unique<SqlFlowStore>(
        loop_, SqlFlowStore::Settings{
                   .address = {server().socket().string(), server().user(), server().password(), "callpark"}});
  }

  std::optional<CallFlow> find(const std::string& code = "*30", const std::string& number = "105") {
    using Found = Result<std::optional<CallFlow>, StoreUnavailable>;
    return await<Found>([&](auto answer) { store_->find_flow(extension(number), code, answer); }).value().value();
  }
  FlowTry count_try(const std::string& number = "105") {
    using Counted = Result<FlowTry, StoreUnavailable>;
    return await<Counted>([&](auto answer) {
             store_->count_try({"day-night", extension(number)}, answer);
           })
        .value()
        .value();
  }
  using Toggled = Result<std::optional<flow::Status>, StoreUnavailable>;
  std::optional<flow::Status> toggle(const std::string& operation_id, const std::string& pin = "1234") {
    return await<Toggled>([&](auto answer) {
             store_->toggle({"day-night", extension("105")}, "*30", pin, operation_id, answer);
           })
        .value()
        .value();
  }
  static std::string flow(const std::string& column) {
    return server().value("SELECT " + column + " FROM call_flows WHERE name = 'day-night'");
  }
  static std::string guess(const std::string& column) {
    return server().value("SELECT " + column + " FROM call_flow_guesses WHERE extension = '105'");
  }
  static std::string events() {
    return server().value(
        "SELECT COALESCE(GROUP_CONCAT(event, ' ', party, ' ', status ORDER BY id SEPARATOR ', '), '') "
        "FROM call_flow_events");
  }
  bool events_become(const std::string& wanted) {
    return run_until([&] { return events() == wanted; });
  }
  static void end_lock() { server().execute("UPDATE call_flow_guesses SET locked_until = UTC_TIMESTAMP(3)"); }

  std::unique_ptr<SqlFlowStore> store_;
};

TEST_F(StoreFlows, F3_ACodeFindsItsEnabledFlow) {
  const auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "day-night");
  EXPECT_EQ(found->pin, "1234");
  EXPECT_EQ(found->on_sound, "");
  EXPECT_EQ(found->language, "en");
  EXPECT_FALSE(found->is_locked);
  server().execute(
      "UPDATE call_flows SET destination_sound = 'open', alternate_sound = 'closed'; "
      "UPDATE extensions SET language = 'es' WHERE extension = '105'");
  EXPECT_EQ(find()->on_sound, "open");
  EXPECT_EQ(find()->off_sound, "closed");
  EXPECT_EQ(find()->language, "es");
  EXPECT_FALSE(find("*31"));
  EXPECT_FALSE(find("*30", "999"));
  server().execute("UPDATE call_flows SET enabled = FALSE WHERE name = 'day-night'");
  EXPECT_FALSE(find());
}

TEST_F(StoreFlows, F3_EachThirdFailureLocksForTwiceAsLong) {
  for (int failures = 1; failures <= 24; ++failures) {
    const auto lock = flow::lock_out(failures);
    EXPECT_EQ(count_try(), lock.count() == 0 ? FlowTry::kCounted : FlowTry::kCountedLocks) << failures;
    EXPECT_EQ(guess("failures"), std::to_string(failures));
    if (lock.count() == 0) {
      EXPECT_EQ(guess("COALESCE(locked_until, '')"), "");
      continue;
    }
    EXPECT_EQ(guess("TIMESTAMPDIFF(SECOND, last_at, locked_until)"), std::to_string(lock.count())) << failures;
    EXPECT_TRUE(find()->is_locked);
    EXPECT_FALSE(find("*30", "104")->is_locked) << "a lock is of one extension";
    EXPECT_EQ(count_try(), FlowTry::kDenied);
    EXPECT_EQ(guess("failures"), std::to_string(failures)) << "a locked extension's tries are not counted";
    end_lock();
  }
}

TEST_F(StoreFlows, F3_ManyFailuresDoNotOverflow) {
  count_try();
  server().execute("UPDATE call_flow_guesses SET failures = 299999");
  EXPECT_EQ(count_try(), FlowTry::kCountedLocks);
  EXPECT_EQ(guess("TIMESTAMPDIFF(SECOND, last_at, locked_until)"), "3600");
}

TEST_F(StoreFlows, F3_FailuresOfYesterdayAreForgotten) {
  count_try();
  count_try();
  server().execute("UPDATE call_flow_guesses SET last_at = UTC_TIMESTAMP(3) - INTERVAL 25 HOUR");
  EXPECT_EQ(count_try(), FlowTry::kCounted);
  EXPECT_EQ(guess("failures"), "1");
}

TEST_F(StoreFlows, F3_AnOperatorAndTheRightPinEndALock) {
  for (int i = 0; i < 3; ++i) count_try();
  server().execute("UPDATE call_flow_guesses SET failures = 0, locked_until = NULL");
  EXPECT_FALSE(find()->is_locked);
  for (int i = 0; i < 3; ++i) count_try();
  EXPECT_TRUE(find()->is_locked);
  store_->forget_failures({"day-night", extension("105")});
  EXPECT_TRUE(run_until([&] { return server().value("SELECT COUNT(*) FROM call_flow_guesses") == "0"; }));
  EXPECT_FALSE(find()->is_locked);
}

TEST_F(StoreFlows, F3_TriesAtTheSameMomentDoNotGetPastTheLock) {
  int counted = 0;
  int locks = 0;
  int answers = 0;
  const auto other = make_flow_store();
  for (int i = 0; i < 40; ++i) {
    (i % 2 == 0 ? *store_ : *other)
        .count_try({"day-night", extension("105")}, [&](Result<FlowTry, StoreUnavailable> got) {
          ++answers;
          if (got && *got != FlowTry::kDenied) ++counted;
          if (got && *got == FlowTry::kCountedLocks) ++locks;
        });
  }
  EXPECT_TRUE(run_until([&] { return answers == 40; }));
  EXPECT_EQ(counted, 3);
  EXPECT_EQ(locks, 1) << "only one try reports the lock";
  EXPECT_EQ(guess("failures"), "3");
}

TEST_F(StoreFlows, F3_WhatHappensIsRecordedWithoutDigits) {
  const FlowGuesser guesser{"day-night", extension("105")};
  store_->record(guesser, {FlowIncident::kWrongPin, FlowIncident::kLocked});
  EXPECT_TRUE(events_become("wrong_pin 105 on, locked 105 on"));
  store_->record(guesser, {FlowIncident::kRefusedLocked});
  EXPECT_TRUE(events_become("wrong_pin 105 on, locked 105 on, refused_locked 105 on")) << events();
  store_->record(guesser, {FlowIncident::kRefusedLocked, FlowIncident::kWrongPin});
  const std::string once = "wrong_pin 105 on, locked 105 on, refused_locked 105 on, wrong_pin 105 on";
  EXPECT_TRUE(events_become(once)) << "once a minute: " << events();
  store_->record({"day-night", extension("104")}, {FlowIncident::kRefusedLocked});
  EXPECT_TRUE(events_become(once + ", refused_locked 104 on")) << events();
  server().execute("UPDATE call_flow_events SET at = at - INTERVAL 61 SECOND");
  store_->record(guesser, {FlowIncident::kRefusedLocked});
  EXPECT_TRUE(events_become(once + ", refused_locked 104 on, refused_locked 105 on")) << events();
}

TEST_F(StoreFlows, F3_OldEventsAndFailuresThatCountNoMoreAreDeleted) {
  server().execute(
      "INSERT INTO call_flow_events (at, tenant, name, event, party, status) VALUES "
      "(UTC_TIMESTAMP(3) - INTERVAL 31 DAY, 'demo.callpark', 'day-night', 'toggled', 'sql', 'on'), "
      "(UTC_TIMESTAMP(3) - INTERVAL 29 DAY, 'demo.callpark', 'day-night', 'toggled', 'sql', 'off');"
      "INSERT INTO call_flow_guesses (tenant, name, extension, failures, locked_until, last_at) VALUES "
      "('demo.callpark', 'day-night', '101', 1, NULL, UTC_TIMESTAMP(3) - INTERVAL 25 HOUR), "
      "('demo.callpark', 'day-night', '102', 3, UTC_TIMESTAMP(3) - INTERVAL 1 HOUR, UTC_TIMESTAMP(3) - INTERVAL 25 "
      "HOUR), "
      "('demo.callpark', 'day-night', '103', 3, UTC_TIMESTAMP(3) + INTERVAL 1 HOUR, UTC_TIMESTAMP(3) - INTERVAL 25 "
      "HOUR), "
      "('demo.callpark', 'day-night', '104', 1, NULL, UTC_TIMESTAMP(3) - INTERVAL 23 HOUR)");
  DatabaseConnection connection({server().socket().string(), server().user(), server().password(), "callpark"});
  EXPECT_TRUE(CallFlowsTable(connection).forget_old(30)) << "nothing is left";
  EXPECT_EQ(events(), "toggled sql off");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(extension ORDER BY extension) FROM call_flow_guesses"), "103,104");
}

TEST_F(StoreFlows, F3_AnOperationTogglesOnce) {
  EXPECT_EQ(toggle("a"), flow::Status::kOff);
  EXPECT_EQ(toggle("a"), flow::Status::kOff) << "as after a lost connection";
  EXPECT_EQ(flow("CONCAT_WS(' ', status, toggled_by, toggle_operation)"), "off 105 a");
  EXPECT_EQ(toggle("b"), flow::Status::kOn);
  EXPECT_EQ(toggle("a"), flow::Status::kOff) << "what it did";
  EXPECT_EQ(flow("status"), "on") << "and it does nothing more";
  EXPECT_EQ(events(), "toggled 105 off, toggled 105 on");
}

TEST_F(StoreFlows, F3_AFlowThatWasChangedMeanwhileIsNotToggled) {
  EXPECT_EQ(toggle("a", "4321"), std::nullopt) << "it has another PIN";
  server().execute("UPDATE call_flows SET enabled = FALSE WHERE name = 'day-night'");
  EXPECT_EQ(toggle("b"), std::nullopt);
  const std::string enabled = "UPDATE call_flows SET enabled = TRUE WHERE name = 'day-night'";
  for (const auto& [change, undo] : std::vector<std::pair<std::string, std::string>>{
           {"UPDATE call_flows SET feature_code = '*35' WHERE name = 'day-night'",
            "UPDATE call_flows SET feature_code = '*30' WHERE name = 'day-night'"},
           {"UPDATE call_flows SET feature_code = NULL WHERE name = 'day-night'",
            "UPDATE call_flows SET feature_code = '*30' WHERE name = 'day-night'"},
           {"UPDATE extensions SET enabled = FALSE WHERE extension = '105'",
            "UPDATE extensions SET enabled = TRUE WHERE extension = '105'"},
           {"UPDATE tenants SET enabled = FALSE WHERE tenant = 'demo.callpark'",
            "UPDATE tenants SET enabled = TRUE WHERE tenant = 'demo.callpark'"}}) {
    server().execute(enabled);
    server().execute(change);
    EXPECT_EQ(toggle("c"), std::nullopt) << change;
    server().execute(undo);
  }
  EXPECT_EQ(flow("status"), "on");
  EXPECT_EQ(events(), "");
}

TEST_F(StoreFlows, F3_NoToggleIsLostOrDoubled) {
  constexpr int kToggles = 201;
  int done = 0;
  int toggled = 0;
  const auto other = make_flow_store();
  std::thread by_sql([] {
    for (int i = 0; i < 100; ++i) {
      server().execute("UPDATE call_flows SET status = IF(status = 'on', 'off', 'on') WHERE name = 'day-night'");
    }
  });
  for (int i = 0; i < kToggles; ++i) {
    (i % 2 == 0 ? *store_ : *other)
        .toggle({"day-night", extension("105")}, "*30", "1234", "operation-" + std::to_string(i), [&](Toggled got) {
          ++done;
          if (got && *got) ++toggled;
        });
  }
  EXPECT_TRUE(run_until([&] { return done == kToggles; }));
  by_sql.join();
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM call_flow_events WHERE party = '105'"), std::to_string(toggled));
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM call_flow_events WHERE party = 'sql'"), "100");
  EXPECT_EQ(flow("status"), (toggled + 100) % 2 == 0 ? "on" : "off");
  EXPECT_EQ(toggled, kToggles);
}

TEST_F(StoreFlows, F5_TheTablesSayWhichLampsAreLit) {
  SqlPresenceStore presence(loop_,
                            {.address = {server().socket().string(), server().user(), server().password(), "callpark"},
                             .node_name = "node-1"});
  const auto lit = [&] {
    using Lit = Result<std::vector<LitFlow>, StoreUnavailable>;
    return await<Lit>([&](auto answer) { presence.read_lit_flows(answer); }).value().value();
  };
  const auto shown = [&] {
    using Shown = Result<PresenceStore::ShownLamps, StoreUnavailable>;
    return await<Shown>([&](auto answer) {
             presence.read_shown({{"*30", kTenant}}, answer);
           })
        .value()
        .value()
        .facts.settings.at(0)
        .flows;
  };
  EXPECT_THAT(lit(), IsEmpty());
  EXPECT_THAT(shown(), IsEmpty());
  server().execute(
      "UPDATE call_flows SET status = 'off', toggled_at = '2026-01-01 00:00:00.007' WHERE name = "
      "'day-night'");
  const LitFlow expected{kTenant, "300", "*30", "Night", 1767225600007};
  EXPECT_THAT(lit(), ElementsAre(expected));
  EXPECT_THAT(shown(), ElementsAre(expected));
  server().execute("UPDATE call_flows SET enabled = FALSE WHERE name = 'day-night'");
  EXPECT_THAT(lit(), IsEmpty());
  EXPECT_THAT(shown(), IsEmpty());
}

}  // namespace
}  // namespace callpark::test
