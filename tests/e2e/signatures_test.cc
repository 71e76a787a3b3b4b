// What parkd signs, verified by npm's standardwebhooks: real questions and real events, as they arrived.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/e2e/park_site.h"
#include "tests/support/billing_hook_server.h"
#include "tests/support/source_directory.h"
#include "tests/support/webhook_receiver.h"

namespace callpark::test {
namespace {

using testing::HasSubstr;

constexpr const char* kOldSecret = BillingHookServer::kSecret;
// 64 bytes, the most that a secret may have.
constexpr const char* kNewSecret =
    "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==";

class Signatures : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.parkd_values = {{"parkd_billing_permitted_networks", "127.0.0.1"},
                            {"parkd_webhooks_permitted_networks", "127.0.0.0/8"}};
    start_site(std::move(options));
  }
  void SetUp() override {
    ParkTest::SetUp();
    if (!std::filesystem::exists(source_directory() / "build/npm")) {
      GTEST_SKIP() << "tools/install_npm_packages has not been run, or could not ask npm's registry";
    }
    const std::string secrets =
        std::string(" ('demo.callpark', 1, '") + kOldSecret + "'), ('demo.callpark', 2, '" + kNewSecret + "'); ";
    const std::string webhook_secrets = std::string(" ('demo.callpark', 'crm', 1, '") + kOldSecret +
                                        "'), ('demo.callpark', 'crm', 2, '" + kNewSecret + "'); ";
    site().database().execute(
        "SET check_constraint_checks = 0; DELETE FROM park_events; INSERT INTO billing_hook_secrets VALUES" + secrets +
        "INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = '" + hook_.url() +
        "', breaker_failures_max = 0, budget_ms = 20000, first_attempt_ms = 20000;"
        "INSERT INTO webhooks (tenant, webhook, url) VALUES ('demo.callpark', 'crm', '" +
        receiver_.url("/crm") + "'); INSERT INTO webhook_secrets VALUES" + webhook_secrets);
    john_ = site().packet_phone("101", kJohn);
    alice_ = site().packet_phone("102", kAlice, true);
    client_ = site().trunk_caller(kClient, "\"Zoë. Ольга\" <sip:+390212345@127.0.0.50>");
  }
  void TearDown() override {
    john_.reset();
    alice_.reset();
    client_.reset();
    site().database().execute(
        "DELETE FROM billing_hooks; DELETE FROM billing_hook_secrets; DELETE FROM webhooks; DELETE FROM park_events");
    ParkTest::TearDown();
  }

  /// Parked with the consent of the hook; the question about the retrieve fails, and is sent twice.
  void park_and_retrieve() {
    hook_.answer("{}", 500, "retrieve");
    const CallName call = client_->start_call("+442030000101");
    const CallName at_john = john_->wait_incoming();
    john_->answer(at_john);
    ASSERT_EQ(client_->wait_invite_status(call), 200);
    park(*john_, at_john, "*68", "101");
    john_->hang_up(at_john);
    const CallName talk = retrieve(*alice_, "*88101", *client_);
    ASSERT_EQ(client_->hang_up(call), 200);
    ASSERT_TRUE(wait_until(kSoon, [&] { return alice_->is_closed(talk); }));
  }

  std::vector<Json> questions() {
    std::vector<Json> rows;
    for (const auto& question : hook_.questions()) {
      const Json& headers = question.headers;
      rows.push_back({{"about", question.body["event"].get<std::string>() + " " + question.body["attempt"].dump()},
                      {"id", headers["webhook-id"]},
                      {"timestamp", std::stoll(headers["webhook-timestamp"].get<std::string>())},
                      {"signature", headers["webhook-signature"]},
                      {"body", question.raw}});
    }
    return rows;
  }
  std::vector<Json> events() {
    std::vector<Json> rows = receiver_.requests();
    for (Json& row : rows) row["about"] = Json::parse(row["body"].get<std::string>())["type"];
    return rows;
  }

  /// What tests/hook/verify_signatures.js reports of these requests; it accepts each of `secrets`, and no change.
  static CommandResult verified(std::vector<Json> rows, const std::vector<std::string>& secrets) {
    for (Json& row : rows) row["secrets"] = secrets;
    const auto file = site().directory() / "signed.json";
    write_file(file, Json(rows).dump());
    return run_command(
        {"node", (source_directory() / "tests/hook/verify_signatures.js").string(), "--live", file.string()});
  }
  /// All are verified; and none is once its signature, its secret, its body or its time is not the one of parkd.
  static void expect_verified(const std::vector<Json>& rows) {
    const CommandResult right = verified(rows, {kOldSecret, kNewSecret});
    EXPECT_EQ(right.exit_code, 0) << right.output;
    const auto expect_refused = [&](const Json& change, const std::vector<std::string>& secrets) {
      std::vector<Json> changed = rows;
      for (Json& row : changed) row.update(change);
      const CommandResult wrong = verified(changed, secrets);
      EXPECT_NE(wrong.exit_code, 0) << change;
      for (const Json& row : rows) EXPECT_THAT(wrong.output, HasSubstr("refused: " + row["about"].get<std::string>()));
    };
    expect_refused(Json::object(), {"whsec_" + std::string(32, 'B')});
    expect_refused({{"body", "{}"}}, {kOldSecret});
    expect_refused({{"id", "q_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}, {kOldSecret});
    expect_refused({{"timestamp", rows.front()["timestamp"].get<std::int64_t>() - 301}}, {kOldSecret});
    expect_refused({{"signature", "v1,"}}, {kOldSecret});
  }

  BillingHookServer hook_;
  WebhookReceiver receiver_{{kOldSecret, kNewSecret}};
  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::unique_ptr<PacketPhone> client_;
};

TEST_F(Signatures, B1_QuestionsAreVerifiedByAnotherImplementation) {
  ASSERT_NO_FATAL_FAILURE(park_and_retrieve());
  const std::vector<Json> rows = questions();
  ASSERT_EQ(rows.size(), 3U) << "a park, a retrieve, and its retry";
  EXPECT_THAT(rows[0]["body"].get<std::string>(), HasSubstr("Zoë. Ольга"));
  EXPECT_EQ(rows[1]["id"], rows[2]["id"]);
  expect_verified(rows);
}

TEST_F(Signatures, B5_EventsAreVerifiedByAnotherImplementation) {
  receiver_.answer("/crm", "503", 1);
  ASSERT_NO_FATAL_FAILURE(park_and_retrieve());
  ASSERT_TRUE(wait_until(std::chrono::seconds(30), [&] {
    return receiver_.types_by_call("/crm").size() == 1 && receiver_.types_by_call("/crm").begin()->second.size() == 3;
  }));
  const std::vector<Json> rows = events();
  ASSERT_EQ(rows.size(), 4U) << "three events, and the first one twice";
  EXPECT_EQ(rows[0]["id"], rows[1]["id"]);
  expect_verified(rows);
}

}  // namespace
}  // namespace callpark::test
