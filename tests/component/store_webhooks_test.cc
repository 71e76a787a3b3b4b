// What is due to subscribers of events, as the tables have it: what becomes due, which node sends it, and how it ends.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/component/sql_fixture.h"
#include "tests/component/webhook_fixture.h"

namespace callpark::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Subscriber kCrm{kTenant, "crm"};
constexpr Duration kLease = 1min;

class StoreWebhooks : public WebhookStoreTest {
 protected:
  std::vector<WebhookDelivery> claim(std::size_t calls_max = 10, Duration lease = kLease) {
    return table_->claim(kCrm, calls_max, lease);
  }
  static std::vector<std::string> words(const std::vector<WebhookDelivery>& deliveries) {
    std::vector<std::string> all;
    for (const WebhookDelivery& one : deliveries) {
      all.push_back(one.event.park_id.text() + " " + std::string(name_of(one.event.kind)));
    }
    return all;
  }
};

// ---- what becomes due ----

TEST_F(StoreWebhooks, B5_EventIsDueToWhatSubscribesToIt) {
  subscribe("crm");
  subscribe("ends", "http://127.0.0.1:9/", "gave_up,ended");
  subscribe("off");
  server().execute("UPDATE webhooks SET enabled = FALSE WHERE webhook = 'off'");
  subscribe("other", "http://127.0.0.1:9/", "all", "other.callpark");
  append(event("p1", ParkEventKind::kParked));
  append(event("p1", ParkEventKind::kEnded));
  EXPECT_EQ(deliveries("due"), "p1 parked crm, p1 ended crm, p1 ended ends");
  EXPECT_THAT(table_->due_subscribers(), ElementsAre(kCrm, Subscriber{kTenant, "ends"}));
}

TEST_F(StoreWebhooks, B5_WithoutASubscriberNothingIsDue) {
  append_call("p1");
  EXPECT_EQ(deliveries("due"), "");
  subscribe("crm");
  EXPECT_EQ(deliveries("due"), "") << "nor later";
}

TEST_F(StoreWebhooks, B5_EventThatIsStoredAgainIsDueOnce) {
  subscribe("crm");
  append(event("p1", ParkEventKind::kParked));
  append(event("p1", ParkEventKind::kParked));
  EXPECT_EQ(deliveries("due"), "p1 parked crm");
  table_->remove(claim().at(0));
  append(event("p1", ParkEventKind::kParked));
  EXPECT_EQ(deliveries("due"), "") << "nor after its delivery";
}

TEST_F(StoreWebhooks, B5_EventThatADeadParkdDidNotStoreIsDueToo) {
  subscribe("crm");
  const auto store = make_store();
  park(*store, "p1", at("102"));
  ASSERT_TRUE(load(*store));
  EXPECT_EQ(deliveries("due"), "p1 parked crm");
  ASSERT_TRUE(load(*store));
  EXPECT_EQ(deliveries("due"), "p1 parked crm") << "once";
}

TEST_F(StoreWebhooks, B5_EventIsClaimedAsItWas) {
  subscribe("crm", "https://crm.example/hooks");
  server().execute("INSERT INTO webhook_secrets (tenant, webhook, place, secret) VALUES ('" + std::string(kTenant) +
                   "', 'crm', 2, '" + kOtherSecret + "')");
  ParkEvent retrieved = event("p1", ParkEventKind::kRetrieved);
  retrieved.by = "103";
  retrieved.park_group = "sales";
  append(retrieved);
  const auto claimed = claim();
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].event, retrieved);
  EXPECT_EQ(claimed[0].url, "https://crm.example/hooks");
  EXPECT_THAT(claimed[0].secrets, ElementsAre(kSecret, kOtherSecret));
  EXPECT_EQ(claimed[0].attempts, 1U);
  EXPECT_LT(claimed[0].age, 1min);
}

TEST_F(StoreWebhooks, B5_OpenTransactionOfAnOperatorHoldsUpNoEvent) {
  subscribe("crm");
  DatabaseAddress root = address();
  root.user = "root";
  root.password.clear();
  DatabaseConnection operator_(root);
  operator_.execute("SET autocommit = 0");
  operator_.execute("UPDATE webhooks SET description = 'being edited'");
  operator_.execute("UPDATE webhook_secrets SET place = 2");
  append(event("p1", ParkEventKind::kParked));
  EXPECT_THAT(words(claim()), ElementsAre("p1 parked"));
}

// ---- the sequence ----

TEST_F(StoreWebhooks, B5_EventsOfACallAreClaimedOneAfterTheOther) {
  subscribe("crm");
  append_call("p1");
  auto claimed = claim();
  EXPECT_THAT(words(claimed), ElementsAre("p1 parked"));
  EXPECT_THAT(claim(), IsEmpty());
  table_->remove(claimed.at(0));
  claimed = claim();
  EXPECT_THAT(words(claimed), ElementsAre("p1 retrieved"));
  table_->remove(claimed.at(0));
  EXPECT_THAT(words(claim()), ElementsAre("p1 ended"));
}

TEST_F(StoreWebhooks, B5_CallsAndSubscribersDoNotWaitForOneAnother) {
  subscribe("crm");
  subscribe("log");
  append_call("p1");
  append_call("p2");
  append_call("p3");
  const auto claimed = claim(2);
  EXPECT_THAT(words(claimed), ElementsAre("p1 parked", "p2 parked")) << "as many as were asked for";
  table_->postpone(claimed.at(0), 1h, "status 500");
  EXPECT_THAT(words(claim()), ElementsAre("p3 parked"));
  EXPECT_THAT(words(table_->claim({kTenant, "log"}, 10, kLease)), ElementsAre("p1 parked", "p2 parked", "p3 parked"));
}

TEST_F(StoreWebhooks, B5_EventsBehindOneThatWaitsWaitToo) {
  subscribe("crm");
  append(event("p1", ParkEventKind::kParked));
  append(event("p1", ParkEventKind::kRetrieved));
  table_->postpone(claim().at(0), 1h, "status 500");
  append(event("p1", ParkEventKind::kEnded));
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_THAT(table_->due_subscribers(), IsEmpty()) << "nothing keeps asking for them";
  send_now();
  auto claimed = claim();
  EXPECT_THAT(words(claimed), ElementsAre("p1 parked"));
  EXPECT_EQ(claimed.at(0).attempts, 2U);
  table_->remove(claimed.at(0));
  claimed = claim();
  EXPECT_THAT(words(claimed), ElementsAre("p1 retrieved")) << "at once";
  EXPECT_EQ(claimed.at(0).attempts, 1U);
}

TEST_F(StoreWebhooks, B5_EventThatIsStoredDuringAnAttemptIsBehindIt) {
  subscribe("crm");
  append(event("p1", ParkEventKind::kParked));
  const auto claimed = claim();
  append(event("p1", ParkEventKind::kEnded));
  EXPECT_THAT(claim(), IsEmpty());
  table_->remove(claimed.at(0));
  EXPECT_THAT(words(claim()), ElementsAre("p1 ended"));
}

// ---- nodes ----

TEST_F(StoreWebhooks, B5_EventOfANodeThatIsGoneIsClaimedAfterItsLease) {
  subscribe("crm");
  append_call("p1");
  ASSERT_THAT(claim(10, 300ms), SizeIs(1));
  EXPECT_THAT(claim(), IsEmpty());
  std::vector<WebhookDelivery> claimed;
  EXPECT_TRUE(run_until([&] { return !(claimed = claim()).empty(); }));
  EXPECT_THAT(words(claimed), ElementsAre("p1 parked"));
  EXPECT_EQ(claimed.at(0).attempts, 2U);
}

TEST_F(StoreWebhooks, B5_OfManyNodesOneClaimsAnEvent) {
  constexpr int kCalls = 150;
  constexpr int kNodes = 4;
  subscribe("crm");
  server().execute(
      "INSERT INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
      "caller_number, call_id, taken_by, how) SELECT CONCAT('p', seq), '2026-11-30', 'parked', '2026-11-30', '" +
      std::string(kTenant) + "', '102', '', '101', '', '', '', '', '' FROM seq_1_to_" + std::to_string(kCalls));
  std::array<std::vector<std::string>, kNodes> claimed;
  std::atomic<int> total{0};
  std::vector<std::thread> nodes;
  for (auto& mine : claimed) {
    nodes.emplace_back([&mine, &total] {
      DatabaseConnection::start_thread();
      {
        DatabaseConnection connection(address());
        const auto deadline = monotonic_now() + patient(kSoon);
        while (total < kCalls && monotonic_now() < deadline) {
          try {
            for (const auto& one : WebhookDeliveriesTable(connection).claim(kCrm, 4, kLease)) {
              mine.push_back(one.event.park_id.text());
              ++total;
            }
          } catch (const DatabaseError& error) {
            EXPECT_EQ(error.kind(), DatabaseError::Kind::kBusy) << error.what();
          }
        }
      }
      DatabaseConnection::stop_thread();
    });
  }
  for (std::thread& node : nodes) node.join();
  std::vector<std::string> all;
  for (const auto& mine : claimed) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  EXPECT_TRUE(std::ranges::adjacent_find(all) == all.end()) << "an event was claimed twice";
  EXPECT_THAT(all, SizeIs(kCalls));
}

// ---- ends ----

TEST_F(StoreWebhooks, B5_DeadLetterIsSeenAndSentAgainByAnUpdate) {
  subscribe("crm");
  append_call("p1");
  table_->give_up(claim().at(0), "status 500");
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', tenant, webhook, event, park_id, orbit, failure) "
                           "FROM webhook_dead_letters"),
            "demo.callpark crm parked p1 102 status 500");
  table_->remove(claim().at(0));
  EXPECT_EQ(deliveries("due"), "p1 ended crm") << "the call goes on without it";
  server().execute(
      "UPDATE webhook_deliveries SET since = since - INTERVAL 1 DAY; "
      "UPDATE webhook_deliveries SET state = 'due' WHERE webhook = 'crm' AND state = 'dead'");
  const auto claimed = claim();
  EXPECT_THAT(words(claimed), ElementsAre("p1 parked"));
  EXPECT_EQ(claimed.at(0).attempts, 1U);
  EXPECT_LT(claimed.at(0).age, 1h) << "it has another day";
}

TEST_F(StoreWebhooks, B5_DeadLetterSentAgainDoesNotWaitForThoseBehindIt) {
  subscribe("crm");
  append_call("p1");
  table_->give_up(claim().at(0), "status 500");
  table_->postpone(claim().at(0), 1h, "status 500");
  server().execute("UPDATE webhook_deliveries SET state = 'due' WHERE state = 'dead'");
  const auto claimed = claim();
  EXPECT_THAT(words(claimed), ElementsAre("p1 parked"));
  EXPECT_THAT(claim(), IsEmpty());
  table_->remove(claimed.at(0));
  EXPECT_THAT(words(claim()), ElementsAre("p1 retrieved"));
}

TEST_F(StoreWebhooks, B5_SubscriberThatIsGoneIsDisabled) {
  subscribe("crm");
  append_call("p1");
  const auto claimed = claim();
  table_->disable(claimed.at(0));
  EXPECT_EQ(server().value("SELECT CONCAT(enabled, gone_at IS NULL) FROM webhooks"), "00");
  send_now();
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_THAT(table_->due_subscribers(), IsEmpty());
  append(event("p2", ParkEventKind::kParked));
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM webhook_deliveries WHERE park_id = 'p2'"), "0");
  server().execute("UPDATE webhooks SET enabled = TRUE, url = 'http://127.0.0.1:9/new'");
  EXPECT_EQ(server().value("SELECT gone_at IS NULL FROM webhooks"), "1");
  EXPECT_THAT(words(claim()), ElementsAre("p1 parked")) << "what was due before still is";
  table_->disable(claimed.at(0));
  EXPECT_EQ(server().value("SELECT enabled FROM webhooks"), "1") << "that answer came from the old URL";
}

TEST_F(StoreWebhooks, B5_EventThatIsDueIsKeptAndADeadOneGoesWithItsDay) {
  subscribe("crm");
  for (const std::string park_id : {"p1", "p2", "p3"}) {
    ParkEvent old = event(park_id, ParkEventKind::kParked);
    old.at -= std::chrono::hours(24 * 31);
    append(old);
  }
  const auto claimed = claim();
  table_->give_up(claimed.at(1), "timeout");
  table_->remove(claimed.at(2));
  EXPECT_TRUE(ParkEventsTable(*connection_).forget(30));
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(park_id) FROM park_events"), "p1");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM webhook_dead_letters"), "0");
}

TEST_F(StoreWebhooks, B5_WhatIsDueForTooLongIsGivenUpAndCounted) {
  subscribe("crm");
  append_call("p1");
  append_call("p2");
  server().execute(
      "UPDATE webhook_deliveries SET since = since - INTERVAL 25 HOUR WHERE park_id = 'p1'; "
      "UPDATE webhook_deliveries SET since = since - INTERVAL 1 HOUR WHERE park_id = 'p2'");
  table_->give_up_older_than(24h);
  const WebhookBacklog backlog = table_->backlog();
  EXPECT_EQ(backlog.due, 3);
  EXPECT_EQ(backlog.dead, 3);
  EXPECT_GE(backlog.oldest_due, 1h);
  EXPECT_LT(backlog.oldest_due, 2h);
  EXPECT_EQ(deliveries("dead"), "p1 parked crm, p1 retrieved crm, p1 ended crm");
  server().execute("DELETE FROM webhooks");
  EXPECT_EQ(table_->backlog().oldest_due, Duration(0));
  EXPECT_EQ(deliveries("dead"), "") << "nothing is due to a subscriber that is deleted";
}

TEST_F(StoreWebhooks, B5_BacklogOfASubscriberIsNotRead) {
  subscribe("crm");
  subscribe("log");
  server().execute(
      "INSERT INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
      "caller_number, call_id, taken_by, how) SELECT CONCAT('p', seq), '2026-11-30', 'parked', '2026-11-30', '" +
      std::string(kTenant) +
      "', '102', '', '101', '', '', '', '', '' FROM seq_1_to_5000; "
      "UPDATE webhook_deliveries SET due_at = due_at + INTERVAL 1 HOUR WHERE delivery % 3 = 0; "
      "ANALYZE TABLE webhooks, webhook_secrets, webhook_deliveries, park_events");
  const auto rows_read = [this](const std::function<void()>& statements) {
    connection_->execute("FLUSH STATUS");
    statements();
    int rows = 0;
    for (const auto& row : connection_->query("SHOW SESSION STATUS LIKE 'Handler_read%'")) {
      if (row.at(0) != "Handler_read_retry") rows += std::stoi(row.at(1).value_or("0"));
    }
    return rows;
  };
  connection_ = std::make_unique<DatabaseConnection>(
      DatabaseAddress{.socket = server().socket().string(), .user = "root", .password = "", .database = "callpark"});
  table_ = std::make_unique<WebhookDeliveriesTable>(*connection_);
  EXPECT_LT(rows_read([&] { EXPECT_THAT(table_->due_subscribers(), SizeIs(2)); }), 50);
  std::vector<WebhookDelivery> claimed;
  EXPECT_LT(rows_read([&] { claimed = claim(4); }), 200);
  EXPECT_THAT(claimed, SizeIs(4));
  EXPECT_LT(rows_read([&] { table_->remove(claimed.at(0)); }), 50);
  EXPECT_LT(rows_read([&] { append(event("p2", ParkEventKind::kEnded)); }), 50);
}

// ---- the store ----

TEST_F(StoreWebhooks, B5_OutcomeIsStoredWhenTheDatabaseIsBack) {
  subscribe("crm");
  append_call("p1");
  const auto claimed = claim();
  SqlWebhookStore store(loop_, {.address = address()});
  connection_.reset();
  server().stop();
  bool is_done = false;
  store.remove(claimed.at(0), [&] { is_done = true; });
  using Due = Result<std::vector<Subscriber>, StoreUnavailable>;
  EXPECT_FALSE(await<Due>([&](auto answer) { store.find_due(answer); })->has_value());
  EXPECT_FALSE(is_done);
  server().start();
  EXPECT_TRUE(run_until([&] { return is_done; }));
  EXPECT_EQ(deliveries("due"), "p1 retrieved crm, p1 ended crm");
  using Deliveries = Result<std::vector<WebhookDelivery>, StoreUnavailable>;
  const auto next = await<Deliveries>([&](auto answer) { store.claim(kCrm, 1, kLease, answer); });
  ASSERT_TRUE(next && *next);
  EXPECT_THAT(words(**next), ElementsAre("p1 retrieved"));
}

// ---- refusals ----

const std::string kWebhook = "INSERT INTO webhooks (tenant, webhook, url, events) VALUES ('demo.callpark', ";
const std::string kOfSecret = "INSERT INTO webhook_secrets (tenant, webhook, place, secret) VALUES ('demo.callpark', ";

TEST_F(SqlRefusal, B5_SubscriberThatCannotBeIsRefusedWithASentence) {
  const std::string url = "the URL of a webhook is http or https, has a host and no user";
  const std::string events = "events are all, or of parked,retrieved,gave_up,recalled,ended";
  const std::string secret = "a secret is whsec_ and 24 to 64 bytes in base64 with its padding";
  const std::string crm = kWebhook + "'crm', 'https://crm.example', 'all'); ";
  expect({{kWebhook + "'a b', 'https://x/', 'all')", "the name of a webhook is letters, digits, _ or -"},
          {kWebhook + "'', 'https://x/', 'all')", "the name of a webhook is letters, digits, _ or -"},
          {kWebhook + "'a', 'ftp://x/', 'all')", url},
          {kWebhook + "'a', 'x.example', 'all')", url},
          {kWebhook + "'a', 'https:///path', 'all')", url},
          {kWebhook + "'a', 'https://user:password@x/', 'all')", url},
          {kWebhook + "'a', 'https://x/#part', 'all')", url},
          {kWebhook + "'a', 'https://x/a b', 'all')", url},
          {kWebhook + "'a', 'https://x:0/', 'all')", url},
          {kWebhook + "'a', 'https://x/', '')", events},
          {kWebhook + "'a', 'https://x/', 'parked, ended')", events},
          {kWebhook + "'a', 'https://x/', 'parked,all')", events},
          {kWebhook + "'a', 'https://x/', 'answered')", events},
          {"INSERT INTO webhooks (tenant, webhook, url) VALUES ('no.callpark', 'a', 'https://x/')",
           "the tenant of a webhook exists"},
          {crm + "UPDATE webhooks SET enabled = 2", "a webhook is enabled or not: 1 or 0"},
          {crm + "UPDATE webhooks SET tenant = 'other.callpark'", "a webhook cannot move to another tenant"},
          {kOfSecret + "'nothing', 1, '" + std::string("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz") + "')",
           "the webhook of a secret exists"},
          {crm + kOfSecret + "'crm', 3, 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz')",
           "a webhook has at most two secrets, at place 1 and 2"},
          {crm + kOfSecret + "'crm', 1, 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz')", secret},
          {crm + kOfSecret + "'crm', 1, 'whsec_')", secret},
          {crm + kOfSecret + "'crm', 1, 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMT=')", secret},
          {crm + kOfSecret + "'crm', 1, 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI')", secret},
          {crm + kOfSecret + "'crm', 1, 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzx')", secret},
          {crm + kOfSecret + "'crm', 1, CONCAT('whsec_', TO_BASE64(REPEAT('k', 23))))", secret}});
}

TEST_F(SqlSchema, B5_SubscriberMayBeRenamedAndKeepsWhatIsDue) {
  server().execute(kWebhook + "'crm', 'http://[2001:db8::1]:8080/a?b=[c]&d=%20', 'retrieved,ended'); " + kOfSecret +
                   "'crm', 2, CONCAT('whsec_', REPLACE(TO_BASE64(REPEAT('k', 64)), '\\n', ''))); "
                   "INSERT INTO park_events SELECT 'p1', NOW(3), 'ended', NOW(3), 'demo.callpark', '', '', '101', '', "
                   "'', '', '', 'hung_up'; UPDATE webhooks SET webhook = 'sales' WHERE webhook = 'crm'");
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', d.webhook, s.webhook) FROM webhook_deliveries d, webhook_secrets s"),
            "sales sales");
  server().execute("DELETE FROM park_events; DELETE FROM webhooks");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM webhook_secrets"), "0");
}

}  // namespace
}  // namespace callpark::test
