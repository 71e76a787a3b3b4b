// Billing hooks among the facts of a dialled number, and claims of the one call that a hook has permitted.
#include <gmock/gmock.h>

#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using testing::ElementsAre;

constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kNewSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

class StoreBillingTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    server().execute("DELETE FROM billing_hooks; DELETE FROM billing_hook_secrets");
    store_ = make_store();
  }
  void add_hook(const std::string& settings = "") {
    server().execute(
        std::string("INSERT INTO billing_hook_secrets VALUES ('demo.callpark', 1, '") + kSecret +
        "'); INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = 'https://billing.example/hook'" + settings);
  }
  std::optional<BillingHook> hook(const std::string& dialled = "*68", const std::string& tenant = kTenant) {
    const auto facts = look_up(*store_, dialled, "101", tenant);
    EXPECT_TRUE(facts.has_value());
    return facts ? facts->billing : std::nullopt;
  }
  Won claim_only(const std::string& park_id, const std::string& orbit) {
    RetrieveRequest request{{orbit}, ""};
    request.only = ParkId(park_id);
    return await<Won>([&](auto answer) { store_->claim_call(kTenant, request, extension("104"), answer); })
        .value_or(failure(ClaimCallFailure::kUnavailable));
  }

  std::unique_ptr<SqlStore> store_;
};

TEST_F(StoreBillingTest, B1_TenantWithoutAHookHasNone) {
  EXPECT_EQ(hook(), std::nullopt);
}

TEST_F(StoreBillingTest, B2_HookHasTheDefaultsOfTheDocument) {
  add_hook();
  BillingHook expected;
  expected.url = "https://billing.example/hook";
  expected.secrets = {kSecret};
  EXPECT_EQ(hook(), expected);
  EXPECT_EQ(hook("*88101"), expected) << "of a retrieve too";
  EXPECT_EQ(hook("*68", "other.callpark"), std::nullopt);
}

TEST_F(StoreBillingTest, B2_EachSettingIsLiveForTheNextNumber) {
  add_hook();
  server().execute(
      "UPDATE billing_hooks SET ask_park = FALSE, ask_retrieve = FALSE, budget_ms = 801, connect_ms = 251, "
      "first_attempt_ms = 501, retry_least_ms = 51, in_flight_max = 33, breaker_failures_max = 6, breaker_open_ms = "
      "1001, "
      "breaker_open_max_ms = 60001, on_error_park = 'allow', on_error_retrieve = 'deny', ca_file = '/ca.pem', "
      "client_certificate_file = '/c.pem', client_key_file = '/k.pem'");
  BillingHook expected;
  expected.url = "https://billing.example/hook";
  expected.secrets = {kSecret};
  expected.asks_park = expected.asks_retrieve = false;
  expected.budget = Duration(801);
  expected.connect = Duration(251);
  expected.first_attempt = Duration(501);
  expected.retry_least = Duration(51);
  expected.in_flight_max = 33;
  expected.breaker_failures_max = 6;
  expected.breaker_open_first = Duration(1001);
  expected.breaker_open_max = Duration(60001);
  expected.error_permits_park = true;
  expected.error_permits_retrieve = false;
  expected.ca_file = "/ca.pem";
  expected.client_certificate_file = "/c.pem";
  expected.client_key_file = "/k.pem";
  EXPECT_EQ(hook(), expected);
  server().execute("UPDATE billing_hooks SET enabled = FALSE");
  EXPECT_EQ(hook(), std::nullopt);
}

TEST_F(StoreBillingTest, B1_BothSecretsAreThereWhileTheSecretIsExchanged) {
  add_hook();
  server().execute(std::string("INSERT INTO billing_hook_secrets VALUES ('demo.callpark', 2, '") + kNewSecret + "')");
  EXPECT_THAT(hook().value_or(BillingHook{}).secrets, ElementsAre(kSecret, kNewSecret));
  server().execute("DELETE FROM billing_hook_secrets WHERE place = 1");
  EXPECT_THAT(hook().value_or(BillingHook{}).secrets, ElementsAre(kNewSecret));
}

TEST_F(StoreBillingTest, B1_RetrieverWinsThePermittedCallAndNoOther) {
  server().execute("UPDATE tenants SET calls_per_orbit_max = 2");
  OrbitRequest twice = at("102");
  twice.calls_per_orbit_max = 2;
  park(*store_, "first", twice);
  park(*store_, "second", twice);
  EXPECT_EQ(claim_only("", "102").error(), ClaimCallFailure::kNoneParked) << "no call was permitted";
  EXPECT_EQ(claim_only("third", "102").error(), ClaimCallFailure::kNoneParked);
  EXPECT_EQ(claim_only("second", "103").error(), ClaimCallFailure::kNoneParked) << "it is at another orbit";
  const Won won = claim_only("second", "102");
  ASSERT_TRUE(won.has_value());
  EXPECT_EQ(won->park_id, ParkId("second"));
  EXPECT_EQ(claim_only("second", "102").error(), ClaimCallFailure::kAlreadyPickedUp);
  EXPECT_EQ(column("state", "first"), "parked");
}

}  // namespace
}  // namespace callpark::test
