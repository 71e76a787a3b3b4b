// What the tables have of lamps and notifications, ours and Kamailio's, and which changes the store reports.
#include <gmock/gmock.h>

#include "parkd/store/sql_presence_store.h"
#include "tests/component/sql_fixture.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class StoreLamps : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    server().execute(
        "DELETE FROM presentity; DELETE FROM active_watchers; DELETE FROM call_info_subscriptions; UPDATE tenants SET "
        "lamp_state = DEFAULT; "
        "UPDATE park_groups SET notify_parker = DEFAULT");
    store_ = make_store();
    store_->set_on_changed([this](const CallChange& change) { changes_.push_back(change); });
    presence_ = make_presence_store();
  }
  std::unique_ptr<SqlPresenceStore> make_presence_store() {
    return std::make_unique<SqlPresenceStore>(
        loop_, SqlPresenceStore::Settings{
                   .address = {server().socket().string(), server().user(), server().password(), "callpark"},
                   .node_name = "node-1"});
  }

  LampFacts read(const std::vector<CallChange>& changes) {
    return *await<Result<LampFacts, StoreUnavailable>>([&](auto answer) {
              presence_->read_lamps(changes, answer);
            }).value();
  }
  PresenceStore::ShownLamps shown(const std::vector<std::string>& users) {
    std::vector<Presentity> presentities;
    for (const std::string& user : users) presentities.push_back({user, kTenant});
    return *await<Result<PresenceStore::ShownLamps, StoreUnavailable>>([&](auto answer) {
              presence_->read_shown(presentities, answer);
            }).value();
  }
  std::vector<Presentity> watched(const std::optional<Presentity>& after, std::size_t most) {
    return *await<Result<std::vector<Presentity>, StoreUnavailable>>([&](auto answer) {
              presence_->read_watched(after, most, answer);
            }).value();
  }
  std::vector<Presentity> unwatched() {
    return *await<Result<std::vector<Presentity>, StoreUnavailable>>([&](auto answer) {
              presence_->read_unwatched(answer);
            }).value();
  }
  /// A subscription in Kamailio's table.
  static void subscribe(const std::string& user, const std::string& call_id, const std::string& event = "dialog") {
    server().execute(
        "INSERT INTO active_watchers (presentity_uri, watcher_username, watcher_domain, to_user, to_domain, event, "
        "to_tag, from_tag, callid, local_cseq, remote_cseq, contact, expires, status, version, socket_info, "
        "local_contact, from_user, from_domain, updated, updated_winfo) VALUES ('sip:" +
        user + "@demo.callpark', '101', 'demo.callpark', '', '', '" + event + "', '', '', '" + call_id +
        "', 1, 1, '', UNIX_TIMESTAMP() + 60, 1, 0, '', '', '', '', 0, 0)");
  }
  std::optional<LivePublication> find(const std::string& user) {
    return *await<Result<std::optional<LivePublication>, StoreUnavailable>>([&](auto answer) {
              presence_->find_publication({user, kTenant}, answer);
            }).value();
  }
  std::vector<CallInfo> call_info(const std::vector<std::string>& extensions) {
    return *await<Result<std::vector<CallInfo>, StoreUnavailable>>([&](auto answer) {
              presence_->read_call_info(kTenant, extensions, answer);
            }).value();
  }
  std::vector<CallInfoSubscription> subscriptions() {
    return *await<Result<std::vector<CallInfoSubscription>, StoreUnavailable>>([&](auto answer) {
              presence_->load_subscriptions(answer);
            }).value();
  }
  bool write_subscription(const CallInfoSubscription& row) {
    return await<Result<bool, StoreUnavailable>>([&](auto answer) { presence_->write_subscription(row, answer); })
        .value()
        .has_value();
  }
  ParkedCallRow park_of(const std::string& park_id, const std::string& orbit, const std::string& caller,
                        const std::string& parker = "102", const std::string& group = "", int minute = 0) {
    ParkedCallRow row = example_row(park_id);
    row.caller.remote_uri = "sip:" + caller;
    row.caller.remote_identity = {"Client", caller.substr(0, caller.find('@'))};
    row.parker = parker;
    row.park_group = group;
    row.parked_at += std::chrono::minutes(minute);
    OrbitRequest request = at(orbit);
    request.park_group = group;
    request.calls_per_orbit_max = 3;
    const Claimed got = claim_orbit(*store_, row, request);
    EXPECT_TRUE(got.has_value());
    row.orbit = got->orbit;
    row.slot = got->slot;
    row.state = RowState::kParked;
    EXPECT_TRUE(write(*store_, row).has_value());
    return row;
  }
  static void publish(const std::string& user, const std::string& etag, const std::string& dialog_id,
                      const std::string& state, const std::string& expires = "UNIX_TIMESTAMP() + 60") {
    server().execute(
        "INSERT INTO presentity (username, domain, event, etag, expires, received_time, body, sender) "
        "VALUES ('" +
        user + "', 'demo.callpark', 'dialog', '" + etag + "', " + expires +
        ", UNIX_TIMESTAMP(), '<dialog-info>\n<dialog id=\"" + dialog_id + "\" direction=\"recipient\">\n<state>" +
        state + "</state></dialog></dialog-info>', '')");
  }
  static CallInfoSubscription subscription(const std::string& id) {
    return {id,
            kTenant,
            "102",
            "101",
            "7",
            example_row("x").caller,
            WallTime(std::chrono::duration_cast<Duration>(wall_now().time_since_epoch()) + Duration(60000))};
  }

  std::unique_ptr<SqlStore> store_;
  std::unique_ptr<SqlPresenceStore> presence_;
  std::vector<CallChange> changes_;
};

TEST_F(StoreLamps, N1_EveryChangeOfARowIsToldWhenItIsDone) {
  ParkedCallRow row = park_of("p", "103", "105@demo.callpark");
  const CallChange change{kTenant, "103", "", extension("105"), std::nullopt};
  EXPECT_THAT(changes_, ElementsAre(CallChange{kTenant, "", "", extension("105"), extension("102")}, change))
      << "parked";
  changes_.erase(changes_.begin());
  CallChange won = change;
  won.retriever = extension("104");
  ASSERT_TRUE(claim_call(*store_, {"103"}).has_value());
  EXPECT_THAT(changes_, SizeIs(2)) << "won";
  store_->unclaim_call(ParkId("p"));
  finish_writes(*store_);
  EXPECT_THAT(changes_, SizeIs(3)) << "given back";
  ASSERT_TRUE(claim_call(*store_, {"103"}).has_value());
  row.retriever = extension("104");
  store_->write_retrieved(row);
  finish_writes(*store_);
  EXPECT_THAT(changes_, ElementsAre(change, won, won, won, won));
  store_->remove(ParkId("p"), park::EndReason::kHungUp, {});
  finish_writes(*store_);
  EXPECT_EQ(changes_.back(), (CallChange{kTenant, "", "", extension("105"), extension("104")}));
}

TEST_F(StoreLamps, N1_ACallThatIsGivenUpIsToldWithItsOrbit) {
  park_of("p", "103", "+4930@127.0.0.50", "101", "sales");
  store_->remove(ParkId("p"), park::EndReason::kHungUp, {});
  finish_writes(*store_);
  EXPECT_EQ(changes_.back(), (CallChange{kTenant, "103", "sales", std::nullopt, std::nullopt}));
}

TEST_F(StoreLamps, N1_WhatIsReadIsWhatLampsShow) {
  park_of("b", "103", "105@demo.callpark", "102", "", 1);
  park_of("a", "103", "+4930@127.0.0.50", "102", "", 2);
  park_of("c", "104", "+4930@127.0.0.50");
  const LampFacts facts = read({{kTenant, "103", "", std::nullopt, std::nullopt}});
  ASSERT_THAT(facts.settings, SizeIs(1));
  EXPECT_EQ(facts.settings[0].tenant, kTenant);
  EXPECT_EQ(facts.settings[0].state, LampState::kEarly);
  EXPECT_THAT(facts.settings[0].retrieve_codes, ElementsAre("*71", "*88"));
  EXPECT_THAT(facts.settings[0].ranges, ElementsAre(OrbitRange{"7001", "7010"}));
  ASSERT_THAT(facts.calls, SizeIs(2));
  EXPECT_EQ(facts.calls[0].park_id, ParkId("b")) << "the oldest first";
  EXPECT_EQ(facts.calls[0].caller_extension, "105");
  EXPECT_EQ(facts.calls[0].caller, (PartyIdentity{"Client", "105"}));
  EXPECT_TRUE(facts.calls[0].waits);
  EXPECT_EQ(facts.calls[0].parked_at, example_row("x").parked_at + std::chrono::minutes(1));
  EXPECT_EQ(facts.calls[1].caller_extension, "");
}

TEST_F(StoreLamps, N1_AnEditOfTheTenantIsRead) {
  server().execute("UPDATE tenants SET lamp_state = 'confirmed' WHERE tenant = 'demo.callpark'");
  EXPECT_EQ(read({{kTenant, "103", "", std::nullopt, std::nullopt}}).settings.at(0).state, LampState::kConfirmed);
}

TEST_F(StoreLamps, N2_CallsOfAnExtensionAreReadWhereverTheyAre) {
  park_of("p", "103", "105@demo.callpark");
  ASSERT_TRUE(claim_call(*store_, {"103"}).has_value());
  ParkedCallRow row = example_row("p");
  row.caller.remote_uri = "sip:105@demo.callpark";
  row.caller.remote_identity = {"Client", "105"};
  store_->write_retrieved(row);
  finish_writes(*store_);
  const LampFacts facts = read({{kTenant, "103", "", extension("105"), std::nullopt}});
  ASSERT_THAT(facts.calls, SizeIs(1));
  EXPECT_FALSE(facts.calls[0].waits);
  EXPECT_EQ(facts.calls[0].caller_extension, "105");
  EXPECT_THAT(read({{kTenant, "103", "", extension("106"), std::nullopt}}).calls, IsEmpty());
}

TEST_F(StoreLamps, N2_WhoHasRetrievedIsReadUntilTheRowIsGone) {
  ParkedCallRow row = park_of("p", "103", "105@demo.callpark");
  const std::vector<CallChange> of_retriever{{kTenant, "", "", std::nullopt, extension("104")}};
  EXPECT_THAT(read(of_retriever).calls, IsEmpty());
  ASSERT_TRUE(claim_call(*store_, {"103"}, extension("104")).has_value());
  EXPECT_EQ(changes_.back().retriever, extension("104"));
  ASSERT_THAT(read(of_retriever).calls, SizeIs(1));
  EXPECT_EQ(read(of_retriever).calls[0].retriever_extension, "104");
  store_->unclaim_call(ParkId("p"));
  finish_writes(*store_);
  EXPECT_EQ(changes_.back().retriever, extension("104")) << "the retriever's lamp";
  EXPECT_THAT(read(of_retriever).calls, IsEmpty());
  ASSERT_TRUE(claim_call(*store_, {"103"}, extension("104")).has_value());
  row.retriever = extension("104");
  store_->write_retrieved(row);
  finish_writes(*store_);
  ASSERT_THAT(shown({"104"}).facts.calls, SizeIs(1));
  EXPECT_EQ(shown({"104"}).facts.calls[0].retriever_extension, "104");
  EXPECT_THAT(read({{kTenant, "", "", extension("104"), std::nullopt}}).calls, SizeIs(1)) << "named as a caller";
  EXPECT_THAT(read({{kTenant, "", "", std::nullopt, extension("105")}}).calls, SizeIs(1))
      << "the caller, named as a retriever";
  store_->remove(ParkId("p"), park::EndReason::kHungUp, {});
  finish_writes(*store_);
  EXPECT_EQ(changes_.back().retriever, extension("104"));
}

TEST_F(StoreLamps, N2_WhoTransfersTheCallerOnIsToldOfToo) {
  ParkedCallRow row = park_of("p", "103", "105@demo.callpark");
  ASSERT_TRUE(claim_call(*store_, {"103"}, extension("104")).has_value());
  row.retriever = extension("104");
  store_->write_retrieved(row);
  finish_writes(*store_);
  changes_.clear();
  row.orbit.clear();
  row.retriever = extension("106");
  store_->write_retrieved(row);
  finish_writes(*store_);
  EXPECT_TRUE(std::any_of(changes_.begin(), changes_.end(), [](const CallChange& change) {
    return change.retriever == extension("104");
  })) << "104 talks no more, and its lamp is to go out";
}

TEST_F(StoreLamps, N2_ARetrieverFromATrunkHasNoLamp) {
  park_of("p", "103", "105@demo.callpark");
  ASSERT_TRUE(claim_call(*store_, {"103"}, Trunk{"demo"}).has_value());
  EXPECT_EQ(shown({"103"}).facts.calls.at(0).retriever_extension, "");
}

TEST_F(StoreLamps, N5_CallsAndPublicationsOfTheAskedLampsAreReadAndNoOthers) {
  park_of("p", "103", "+4930@127.0.0.50");
  park_of("q", "104", "+4930@127.0.0.50");
  park_of("r", "7001", "105@demo.callpark");
  publish("*88103", "a.1", "park-p-1", "early");
  publish("*71103", "a.2", "park-p-1", "terminated");
  publish("*88104", "a.3", "park-q-1", "early", "UNIX_TIMESTAMP() - 1");
  publish("103", "a.4", "call-x", "confirmed");
  publish("*71104", "a.5", "park-q-1", "early");
  server().execute("UPDATE presentity SET domain = 'other.callpark' WHERE etag = 'a.5'");
  const auto now = shown({"*88103", "*71103", "*88104", "103", "*71104"});
  ASSERT_THAT(now.facts.settings, SizeIs(1));
  EXPECT_THAT(now.facts.settings[0].retrieve_codes, ElementsAre("*71", "*88"));
  EXPECT_THAT(now.facts.calls, SizeIs(2));
  ASSERT_THAT(now.published, SizeIs(2));
  for (const PublishedLamp& lamp : now.published) {
    EXPECT_EQ(lamp.dialog_id, "park-p-1");
    EXPECT_EQ(lamp.state, lamp.presentity.user == "*88103" ? "early" : "terminated");
  }
  EXPECT_THAT(shown({"7001"}).facts.calls, SizeIs(1)) << "an orbit by itself";
  EXPECT_THAT(shown({"105"}).facts.calls, SizeIs(1)) << "a parked extension";
  EXPECT_THAT(shown({"*88101", "106"}).facts.calls, IsEmpty());
}

TEST_F(StoreLamps, N5_OneCallThatIsAskedForTwiceIsReadOnce) {
  park_of("p", "103", "105@demo.callpark");
  EXPECT_THAT(shown({"*88103", "*71103", "103", "105"}).facts.calls, SizeIs(1));
}

TEST_F(StoreLamps, N1_WatchedLampsAreReadInPiecesAndEachOnce) {
  EXPECT_THAT(watched(std::nullopt, 10), IsEmpty());
  subscribe("*88103", "c1");
  subscribe("*88103", "c2");
  subscribe("7001", "c3");
  subscribe("101", "c4");
  subscribe("102", "c5", "presence");
  const auto all = watched(std::nullopt, 10);
  EXPECT_THAT(all, testing::UnorderedElementsAre(Presentity{"*88103", kTenant}, Presentity{"7001", kTenant},
                                                 Presentity{"101", kTenant}));
  std::vector<Presentity> pieces;
  for (std::vector<Presentity> piece = watched(std::nullopt, 2); !piece.empty(); piece = watched(piece.back(), 2)) {
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  EXPECT_EQ(pieces, all);
}

TEST_F(StoreLamps, N1_PublicationsThatNobodyWatchesAreFoundAndRemoved) {
  subscribe("*88103", "c1");
  publish("*88103", "a.1", "park-p-1", "early");
  publish("*71103", "a.2", "park-p-1", "early");
  publish("*71103", "a.3", "call-x", "confirmed");
  publish("104", "a.4", "call-x", "confirmed");
  EXPECT_THAT(unwatched(), ElementsAre(Presentity{"*71103", kTenant}));
  const auto removed = await<Result<bool, StoreUnavailable>>([&](auto answer) {
    presence_->remove_publication({"*71103", kTenant}, answer);
  });
  EXPECT_TRUE(removed && *removed);
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(etag ORDER BY etag) FROM presentity"), "a.1,a.3,a.4");
}

TEST_F(StoreLamps, N5_TheNewestLitPublicationIsCarriedOnAndTheOthersGo) {
  EXPECT_FALSE(find("*88103"));
  publish("*88103", "a.1", "park-old-1", "early");
  publish("*88103", "a.2", "park-p-1", "early");
  publish("*88103", "a.3", "park-q-1", "terminated");
  publish("*88103", "a.4", "call-x", "confirmed");
  const auto live = find("*88103");
  ASSERT_TRUE(live);
  EXPECT_EQ(live->etag, "a.2");
  EXPECT_EQ(live->dialog_id, "park-p-1");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(etag ORDER BY etag) FROM presentity"), "a.2,a.4");
}

TEST_F(StoreLamps, N3_APhoneShowsTheOldestCallAtItsExtension) {
  park_of("b", "103", "+4931@127.0.0.50", "102", "", 2);
  park_of("a", "103", "+4930@127.0.0.50", "102", "", 1);
  const auto infos = call_info({"103", "104", "999"});
  ASSERT_THAT(infos, SizeIs(2));
  EXPECT_EQ(infos[0].extension, "103");
  ASSERT_TRUE(infos[0].call);
  EXPECT_EQ(infos[0].call->caller.number, "+4930");
  EXPECT_EQ(infos[1].extension, "104");
  EXPECT_FALSE(infos[1].call);
}

TEST_F(StoreLamps, G2_EveryMemberButTheParkerIsToldOfACallOfTheGroup) {
  park_of("p", "102", "+4930@127.0.0.50", "101", "sales");
  auto infos = call_info({"101", "102", "103", "104"});
  ASSERT_THAT(infos, SizeIs(4));
  EXPECT_FALSE(infos[0].call) << "the parker";
  EXPECT_TRUE(infos[1].call) << "the extension's orbit";
  EXPECT_TRUE(infos[2].call);
  EXPECT_FALSE(infos[3].call) << "in no group";
  server().execute("UPDATE park_groups SET notify_parker = TRUE");
  EXPECT_TRUE(call_info({"101"}).at(0).call);
}

TEST_F(StoreLamps, N3_TheOwnExtensionsCallComesBeforeTheGroups) {
  park_of("p", "102", "+4930@127.0.0.50", "101", "sales", 1);
  park_of("q", "103", "+4931@127.0.0.50", "104", "", 2);
  EXPECT_EQ(call_info({"103"}).at(0).call->caller.number, "+4931");
}

TEST_F(StoreLamps, N5_SubscriptionsOfTheNodeAreReadAsTheyWereWritten) {
  ASSERT_TRUE(write_subscription(subscription("s")));
  CallInfoSubscription later = subscription("s");
  later.dialog.local_cseq = 1500;
  later.expires_at += Duration(60000);
  ASSERT_TRUE(write_subscription(later));
  const auto read = subscriptions();
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].subscription_id, "s");
  EXPECT_EQ(read[0].extension, "102");
  EXPECT_EQ(read[0].watcher, "101");
  EXPECT_EQ(read[0].event_id, "7");
  EXPECT_EQ(read[0].dialog, later.dialog);
  EXPECT_EQ(read[0].expires_at, later.expires_at);
  presence_->remove_subscription("s");
  EXPECT_TRUE(run_until([] { return server().value("SELECT COUNT(*) FROM call_info_subscriptions") == "0"; }));
}

TEST_F(StoreLamps, N5_WhatHasExpiredIsNotReadAndForgotten) {
  CallInfoSubscription old = subscription("s");
  old.expires_at -= Duration(120000);
  ASSERT_TRUE(write_subscription(old));
  EXPECT_THAT(subscriptions(), IsEmpty());
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM call_info_subscriptions"), "0");
}

class SqlLamps : public SqlRefusal {};

TEST_F(SqlLamps, N1_WrongEditsAreRefusedWithASentence) {
  const std::string row =
      "INSERT INTO call_info_subscriptions (subscription_id, tenant, extension, watcher, dialog, expires_at, owner) "
      "VALUES ('s', 'demo.callpark', ";
  expect({{"UPDATE tenants SET lamp_state = 'blinking'", "lamp_state"},
          {row + "'999', '101', '{}', UTC_TIMESTAMP(3), 'n')", "calls are told of an extension that exists"},
          {row + "'101', '999', '{}', UTC_TIMESTAMP(3), 'n')", "calls are told to an extension that exists"},
          {row + "'101', '102', 'no', UTC_TIMESTAMP(3), 'n')", "a subscription's dialog is JSON"}});
}

TEST_F(SqlLamps, N3_SubscriptionsGoWithTheirExtension) {
  EXPECT_EQ(refusal_of("INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '199', 'x'); "
                       "INSERT INTO call_info_subscriptions (subscription_id, tenant, extension, watcher, dialog, "
                       "expires_at, owner) VALUES ('s', 'demo.callpark', '199', '105', '{}', UTC_TIMESTAMP(3), 'n'); "
                       "DELETE FROM extensions WHERE tenant = 'demo.callpark' AND extension = '199'"),
            "");
}

}  // namespace
}  // namespace callpark::test
