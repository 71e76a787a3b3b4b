// The sender of webhooks with MariaDB and a subscriber in a process of its own, which refuses, hangs, closes and dies.
#include "parkd/webhooks/webhook_sender.h"

#include <gmock/gmock.h>

#include "tests/component/webhook_fixture.h"
#include "tests/support/webhook_receiver.h"

namespace callpark::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<std::string> kWholeCall{"park.parked", "park.retrieved", "park.ended"};

class WebhookSenderTest : public WebhookStoreTest {
 protected:
  struct Node {
    Node(EventLoop& loop, const webhooks::WebhookSender::Settings& settings)
        : store(loop, {.address = address()}), sender(loop, store, metrics, settings) {
      sender.start();
    }
    Metrics metrics;
    SqlWebhookStore store;
    webhooks::WebhookSender sender;
  };

  WebhookSenderTest() {
    settings_.poll = Duration(20);
    settings_.tidy = Duration(50);
    settings_.request_timeout = Duration(1500);
    settings_.lease = Duration(6000);
    settings_.turns.breaker.open_first = Duration(50);
    settings_.turns.breaker.open_max = Duration(200);
    settings_.retries.delays.fill(Duration(50));
    settings_.http.addresses = AddressPolicy({IpNetwork::parse("127.0.0.0/8").value()});
  }
  static void TearDownTestSuite() {
    receiver_.reset();
    WebhookStoreTest::TearDownTestSuite();
  }
  void SetUp() override {
    WebhookStoreTest::SetUp();
    if (!receiver_) receiver_ = std::make_unique<WebhookReceiver>(std::vector<std::string>{kSecret});
  }
  static WebhookReceiver& receiver() { return *receiver_; }

  /// A subscriber at a path of the receiver's that has its name.
  static void subscribe_at(const std::string& webhook) { subscribe(webhook, receiver().url("/" + webhook)); }
  /// Runs the loop until nothing is due.
  testing::AssertionResult all_delivered() {
    if (run_until([] { return deliveries("due").empty(); }, 30s)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "still due: " << deliveries("due");
  }
  bool run_until_got(const std::string& webhook, std::size_t requests) {
    return run_until([&] { return receiver().got("/" + webhook).size() >= requests; });
  }
  std::vector<std::string> ids(const std::string& webhook) {
    std::vector<std::string> all;
    for (const auto& got : receiver().got("/" + webhook)) all.push_back(got.id);
    return all;
  }
  static double metric(const Node& node, const std::string& line) {
    const std::string text = node.metrics.serialise();
    const auto at = text.find("\n" + line + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + 1 + line.size()));
  }

  webhooks::WebhookSender::Settings settings_;

 private:
  static inline std::unique_ptr<WebhookReceiver> receiver_;
};

TEST_F(WebhookSenderTest, B5_SignedEventsArriveInSequenceAndOnce) {
  subscribe_at("plain");
  Node node(loop_, settings_);
  append_call("p1");
  append_call("p2");
  ASSERT_TRUE(all_delivered());
  EXPECT_THAT(receiver().got("/plain"), SizeIs(6));
  for (const auto& got : receiver().got("/plain")) EXPECT_TRUE(got.is_genuine) << got.id;
  EXPECT_EQ(receiver().types_by_call("/plain")["p1"], kWholeCall);
  EXPECT_EQ(receiver().types_by_call("/plain")["p2"], kWholeCall);
  EXPECT_EQ(metric(node, "callpark_webhook_attempts_total{outcome=\"delivered\"}"), 6);
}

TEST_F(WebhookSenderTest, B5_WhileSecretsAreExchangedBothSign) {
  WebhookReceiver both({kSecret, kOtherSecret});
  subscribe("both", both.url("/both"));
  server().execute("INSERT INTO webhook_secrets (tenant, webhook, place, secret) VALUES ('" + std::string(kTenant) +
                   "', 'both', 2, '" + kOtherSecret + "')");
  const Node node(loop_, settings_);
  append_call("p1");
  ASSERT_TRUE(all_delivered());
  ASSERT_THAT(both.got("/both"), SizeIs(3));
  for (const auto& got : both.got("/both")) EXPECT_TRUE(got.is_genuine);
}

TEST_F(WebhookSenderTest, B5_EventThatFailsIsSentAgainUnderItsIdAndNoneOvertakesIt) {
  subscribe_at("again");
  receiver().answer("/again", "500", 3);
  const Node node(loop_, settings_);
  append_call("p1");
  ASSERT_TRUE(all_delivered());
  const auto sent = ids("again");
  ASSERT_THAT(sent, SizeIs(6));
  EXPECT_THAT(std::vector(sent.begin(), sent.begin() + 3), testing::Each(sent[3])) << "the first is sent four times";
  EXPECT_EQ(receiver().types_by_call("/again")["p1"], kWholeCall);
}

TEST_F(WebhookSenderTest, B5_WhateverASubscriberDoesTheEventsArriveInTheEnd) {
  settings_.request_timeout = Duration(300);
  for (const std::string answer : {"500", "404", "302", "429+0", "hang", "close"}) {
    const std::string webhook = "bad" + answer.substr(0, 3);
    subscribe_at(webhook);
    receiver().answer("/" + webhook, answer, 5);
  }
  const Node node(loop_, settings_);
  for (const std::string park_id : {"p1", "p2", "p3"}) append_call(park_id);
  ASSERT_TRUE(all_delivered());
  for (const std::string webhook : {"bad500", "bad404", "bad302", "bad429", "badhan", "badclo"}) {
    for (const std::string park_id : {"p1", "p2", "p3"}) {
      EXPECT_EQ(receiver().types_by_call("/" + webhook)[park_id], kWholeCall) << webhook;
    }
  }
}

TEST_F(WebhookSenderTest, B5_SubscriberThatHangsDelaysNoOther) {
  settings_.request_timeout = Duration(5000);
  subscribe_at("hangs");
  subscribe_at("works");
  receiver().answer("/hangs", "hang");
  Node node(loop_, settings_);
  for (int call = 0; call < 20; ++call) append_call("p" + std::to_string(call));
  ASSERT_TRUE(run_until_got("works", 60));
  EXPECT_EQ(receiver().types_by_call("/works").size(), 20U);
  EXPECT_LE(receiver().got("/hangs").size(), settings_.turns.in_flight_of_one_max);
}

TEST_F(WebhookSenderTest, B5_SubscriberThatDiesGetsItsEventsWhenItIsBack) {
  WebhookReceiver dying({kSecret});
  subscribe("dying", dying.url("/dying"));
  const Node node(loop_, settings_);
  append_call("p1");
  ASSERT_TRUE(all_delivered());
  dying.kill9();
  for (int call = 2; call < 12; ++call) append_call("p" + std::to_string(call));
  ASSERT_TRUE(run_until([&] { return metric(node, "callpark_webhook_attempts_total{outcome=\"retry\"}") >= 5; }));
  EXPECT_EQ(metric(node, "callpark_webhooks_due"), 30);
  dying.start();
  ASSERT_TRUE(all_delivered());
  EXPECT_EQ(dying.types_by_call("/dying").size(), 11U);
  for (const auto& [park_id, types] : dying.types_by_call("/dying")) EXPECT_EQ(types, kWholeCall) << park_id;
}

TEST_F(WebhookSenderTest, B5_GoneDisablesTheSubscriber) {
  subscribe_at("gone");
  receiver().answer("/gone", "410");
  const Node node(loop_, settings_);
  append_call("p1");
  ASSERT_TRUE(run_until([] { return server().value("SELECT enabled FROM webhooks") == "0"; }));
  EXPECT_THAT(receiver().got("/gone"), SizeIs(1));
  receiver().answer("/gone", "200");
  server().execute("UPDATE webhooks SET enabled = TRUE");
  send_now();
  ASSERT_TRUE(all_delivered());
  EXPECT_EQ(receiver().types_by_call("/gone")["p1"], kWholeCall);
}

TEST_F(WebhookSenderTest, B5_DeadLetterIsSentAgainByAnUpdate) {
  subscribe_at("dead");
  receiver().answer("/dead", "500");
  const Node node(loop_, settings_);
  append(event("p1", ParkEventKind::kParked));
  ASSERT_TRUE(run_until_got("dead", 2));
  server().execute("UPDATE webhook_deliveries SET since = since - INTERVAL 1 DAY");
  ASSERT_TRUE(run_until([] { return deliveries("dead") == "p1 parked dead"; }));
  EXPECT_EQ(server().value("SELECT failure FROM webhook_dead_letters"), "status 500");
  ASSERT_TRUE(run_until([&] { return metric(node, "callpark_webhooks_dead") == 1; }));
  append(event("p1", ParkEventKind::kEnded));
  receiver().answer("/dead", "200");
  ASSERT_TRUE(all_delivered());
  server().execute("UPDATE webhook_deliveries SET state = 'due' WHERE state = 'dead'");
  ASSERT_TRUE(all_delivered());
  EXPECT_THAT(receiver().types_by_call("/dead")["p1"], ElementsAre("park.ended", "park.parked"));
}

TEST_F(WebhookSenderTest, B5_RetryAfterIsHeeded) {
  subscribe_at("busy");
  receiver().answer("/busy", "503+600");
  const Node node(loop_, settings_);
  append(event("p1", ParkEventKind::kParked));
  ASSERT_TRUE(run_until([] { return server().value("SELECT failure FROM webhook_deliveries") == "status 503"; }));
  EXPECT_EQ(server().value("SELECT due_at BETWEEN UTC_TIMESTAMP() + INTERVAL 5 MINUTE AND UTC_TIMESTAMP() + INTERVAL "
                           "11 MINUTE FROM webhook_deliveries"),
            "1");
}

TEST_F(WebhookSenderTest, B5_WithoutASecretNothingIsSentUntilThereIsOne) {
  subscribe_at("open");
  server().execute("DELETE FROM webhook_secrets");
  const Node node(loop_, settings_);
  append(event("p1", ParkEventKind::kParked));
  ASSERT_TRUE(run_until([] { return server().value("SELECT failure FROM webhook_deliveries") == "no usable secret"; }));
  EXPECT_THAT(receiver().got("/open"), IsEmpty());
  server().execute("INSERT INTO webhook_secrets (tenant, webhook, secret) VALUES ('" + std::string(kTenant) +
                   "', 'open', '" + kSecret + "')");
  ASSERT_TRUE(all_delivered());
  EXPECT_THAT(receiver().got("/open"), SizeIs(1));
}

TEST_F(WebhookSenderTest, B5_AddressOfThisHostIsRefusedUnlessItIsPermitted) {
  subscribe_at("inner");
  settings_.http.addresses = AddressPolicy();
  const Node node(loop_, settings_);
  append(event("p1", ParkEventKind::kParked));
  ASSERT_TRUE(run_until([] { return server().value("SELECT failure FROM webhook_deliveries") != ""; }));
  EXPECT_EQ(server().value("SELECT failure FROM webhook_deliveries"), name(HttpFailureKind::kAddressRefused));
  EXPECT_THAT(receiver().got("/inner"), IsEmpty());
}

// Also over a connection that is open.
TEST_F(WebhookSenderTest, O8_AddressesOfAReloadCountFromTheNextAttempt) {
  subscribe_at("inner");
  Node node(loop_, settings_);
  append(event("p1", ParkEventKind::kParked));
  ASSERT_TRUE(all_delivered());
  node.sender.set_addresses(AddressPolicy());
  append(event("p1", ParkEventKind::kRetrieved));
  ASSERT_TRUE(
      run_until([] { return server().value("SELECT COALESCE(MAX(failure), '') FROM webhook_deliveries") != ""; }));
  EXPECT_THAT(receiver().got("/inner"), SizeIs(1));
  node.sender.set_addresses(settings_.http.addresses);
  EXPECT_TRUE(all_delivered());
  EXPECT_THAT(receiver().got("/inner"), SizeIs(2));
}

TEST_F(WebhookSenderTest, B5_TwoNodesSendEachEventOnce) {
  subscribe_at("nodes");
  const Node one(loop_, settings_);
  const Node other(loop_, settings_);
  for (int call = 0; call < 40; ++call) append_call("p" + std::to_string(call));
  ASSERT_TRUE(all_delivered());
  EXPECT_THAT(receiver().got("/nodes"), SizeIs(120));
  for (const auto& [park_id, types] : receiver().types_by_call("/nodes")) EXPECT_EQ(types, kWholeCall) << park_id;
  EXPECT_GT(metric(one, "callpark_webhook_attempts_total{outcome=\"delivered\"}"), 0);
  EXPECT_GT(metric(other, "callpark_webhook_attempts_total{outcome=\"delivered\"}"), 0);
}

TEST_F(WebhookSenderTest, B5_NothingIsLostWhileTheDatabaseIsAway) {
  subscribe_at("away");
  Node node(loop_, settings_);
  for (int call = 0; call < 20; ++call) append_call("p" + std::to_string(call));
  ASSERT_TRUE(run_until_got("away", 10));
  connection_.reset();
  server().kill9();
  run_for(Duration(700));
  server().start();
  ASSERT_TRUE(all_delivered());
  EXPECT_EQ(receiver().types_by_call("/away").size(), 20U);
  for (const auto& [park_id, types] : receiver().types_by_call("/away")) EXPECT_EQ(types, kWholeCall) << park_id;
}

}  // namespace
}  // namespace callpark::test
