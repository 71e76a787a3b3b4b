// Webhooks through the whole product: phones park and retrieve, a subscriber in a process of its own gets the events,
// and parkd, MariaDB and the subscriber die in between.
#include <gmock/gmock.h>

#include <set>

#include "tests/e2e/park_site.h"
#include "tests/support/webhook_receiver.h"

namespace callpark::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
const std::vector<std::string> kWholeCall{"park.parked", "park.retrieved", "park.ended"};

class Webhooks : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    start_site({.parkd_settings = "", .parkd_values = {{"parkd_webhooks_permitted_networks", "127.0.0.0/8"}}});
  }

  void SetUp() override {
    ParkTest::SetUp();
    receiver_ = std::make_unique<WebhookReceiver>(std::vector<std::string>{kSecret});
    site().database().execute("DELETE FROM park_events");
    subscribe("crm");
  }
  void TearDown() override {
    john_.reset();
    alice_.reset();
    client_.reset();
    site().database().execute("DELETE FROM webhooks; DELETE FROM park_events");
    ParkTest::TearDown();
  }
  void subscribe(const std::string& webhook) {
    const std::string key = "('demo.callpark', '" + webhook + "', '";
    site().database().execute("INSERT INTO webhooks (tenant, webhook, url) VALUES " + key +
                              receiver_->url("/" + webhook) +
                              "'); INSERT INTO webhook_secrets (tenant, webhook, "
                              "secret) VALUES " +
                              key + kSecret + "')");
  }
  void start_phones() {
    john_ = site().packet_phone("101", kJohn);
    alice_ = site().packet_phone("102", kAlice, true);
    client_ = site().trunk_caller(kClient);
  }
  void park_a_call() {
    call_ = client_->start_call("+442030000101");
    const CallName at_john = john_->wait_incoming();
    john_->answer(at_john);
    ASSERT_EQ(client_->wait_invite_status(call_), 200);
    park(*john_, at_john, "*68", "101");
    john_->hang_up(at_john);
  }
  void retrieve_and_end() {
    const CallName talk = retrieve(*alice_, "*88101", *client_);
    ASSERT_EQ(client_->hang_up(call_), 200);
    ASSERT_TRUE(wait_until(kSoon, [&] { return alice_->is_closed(talk); }));
  }
  /// The types that arrived of the only call.
  std::vector<std::string> types(const std::string& webhook = "crm") const {
    const auto calls = receiver_->types_by_call("/" + webhook);
    return calls.size() == 1 ? calls.begin()->second : std::vector<std::string>();
  }
  bool arrived(const std::vector<std::string>& wanted, std::chrono::milliseconds timeout = kSoon) const {
    return wait_until(timeout, [&] { return types() == wanted; });
  }
  static void restart_parkd() {
    site().parkd().kill9();
    site().parkd().start();
    site().wait_parkd_ready();
  }
  /// What waits for a retry, or for the end of the lease of a parkd that is dead, need wait no longer.
  static void send_now() {
    // Refused if a claim is under way in the other direction (a deadlock): the caller asks again.
    static_cast<void>(site().database().refusal("UPDATE webhook_deliveries SET due_at = UTC_TIMESTAMP(3)"));
  }
  static std::string due() { return site().database().value("SELECT COUNT(*) FROM webhook_deliveries"); }

  std::unique_ptr<WebhookReceiver> receiver_;
  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::unique_ptr<PacketPhone> client_;
  CallName call_;
};

TEST_F(Webhooks, B5_EventsOfACallArriveSignedAsTheyHappen) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  park(*john, talk(*john, *client), "*68", *client, "101");
  EXPECT_TRUE(arrived({"park.parked"}));
  const CallName call = retrieve(*alice, "*88101", *client);
  EXPECT_TRUE(arrived({"park.parked", "park.retrieved"}));
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(arrived(kWholeCall));
  EXPECT_THAT(receiver_->got("/crm"), SizeIs(3)) << "each once";
  for (const auto& got : receiver_->got("/crm")) EXPECT_TRUE(got.is_genuine);
  EXPECT_TRUE(wait_until(kSoon, [] { return due() == "0"; }));
  EXPECT_THAT(site().parkd_http("/metrics").body,
              testing::HasSubstr("callpark_webhook_attempts_total{outcome=\"delivered\"} 3"));
}

TEST_F(Webhooks, B5_SubscriberIsAddedAndChangedWhileParkdRuns) {
  start_phones();
  park_a_call();
  ASSERT_TRUE(arrived({"park.parked"}));
  subscribe("late");
  site().database().execute("UPDATE webhooks SET events = 'ended' WHERE webhook = 'crm'");
  retrieve_and_end();
  EXPECT_TRUE(wait_until(kSoon, [&] { return types("late").size() == 2; }));
  EXPECT_THAT(types("late"), ElementsAre("park.retrieved", "park.ended"));
  EXPECT_TRUE(arrived({"park.parked", "park.ended"}));
}

TEST_F(Webhooks, B5_ParkdKilledInEachPartOfACallLosesNoEvent) {
  start_phones();
  park_a_call();
  restart_parkd();
  retrieve_and_end();
  ASSERT_TRUE(wait_until(kSoon, [] { return site().database().value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
  restart_parkd();
  EXPECT_TRUE(wait_until(std::chrono::seconds(40), [&] {
    send_now();
    return types() == kWholeCall;
  }));
}

TEST_F(Webhooks, B5_WhateverDiesEachCallArrivesWholeAndInSequence) {
  constexpr int kCalls = 250;
  subscribe("log");
  receiver_->answer("/log", "hang", 6);
  receiver_->answer("/crm", "500", 10);
  // Events as parkd stores them, faster than phones can make them.
  for (const std::string event : {"parked", "retrieved", "ended"}) {
    site().database().execute(
        "INSERT INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
        "caller_number, call_id, taken_by, how) SELECT CONCAT('p', seq), '2026-11-30', '" +
        event + "', UTC_TIMESTAMP(3), 'demo.callpark', '102', '', '101', '', '+4420', 'c', '', '' FROM seq_1_to_" +
        std::to_string(kCalls));
  }
  const auto got = [this] { return receiver_->got("/crm").size() + receiver_->got("/log").size(); };
  for (int round = 0; round < 8; ++round) {
    const std::size_t before = got();
    ASSERT_TRUE(wait_until(std::chrono::seconds(60), [&] { return got() >= before + 40; })) << round;
    restart_parkd();
    if (round == 2) {
      receiver_->kill9();
      receiver_->start();
    }
    if (round == 4) {
      site().database().kill9();
      site().database().start();
    }
    if (round == 5) receiver_->answer("*", "503", 5);
    send_now();
  }
  EXPECT_TRUE(wait_until(std::chrono::seconds(120), [&] {
    send_now();
    return due() == "0";
  })) << due();
  for (const std::string webhook : {"crm", "log"}) {
    const auto calls = receiver_->types_by_call("/" + webhook);
    EXPECT_THAT(calls, SizeIs(kCalls)) << webhook;
    for (const auto& [park_id, types] : calls) EXPECT_EQ(types, kWholeCall) << webhook << " " << park_id;
    std::set<std::string> ids;
    for (const auto& one : receiver_->got("/" + webhook)) ids.insert(one.id);
    EXPECT_THAT(ids, SizeIs(3 * kCalls)) << webhook << ": an event keeps its id";
    std::cout << "  " << webhook << ": " << receiver_->got("/" + webhook).size() << " requests for " << ids.size()
              << " events\n";
  }
}

}  // namespace
}  // namespace callpark::test
