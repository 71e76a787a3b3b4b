// The port Billing over HTTP, against a hook in a process of its own that allows, denies, or fails in every way.
#include "parkd/authz/billing_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/billing_hook_server.h"
#include "tests/support/test_certificates.h"
#include "tests/support/wait.h"

namespace callpark::authz {
namespace {

using test::BillingHookServer;
using testing::HasSubstr;

constexpr const char* kOtherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

class BillingClientTest : public testing::Test {
 protected:
  BillingClientTest() {
    question_.tenant = "demo.callpark";
    question_.call.park_id = ParkId("abcdefghijklmnopqrstuvwxyz");
    question_.call.sip_call_id = "call-1@client";
    question_.call.party = Trunk{"carrier"};
    question_.call.caller = {"Client", "+390212345"};
    question_.call.parker = "101";
    question_.call.orbit = "101";
    question_.call.deadline = wall_now() + std::chrono::hours(1);
    question_.hook.url = hook_.url();
    question_.hook.secrets = {BillingHookServer::kSecret};
    // No test is about time, but for those that set less.
    question_.hook.budget = question_.hook.connect = question_.hook.first_attempt =
        test::patient(std::chrono::duration_cast<Duration>(test::kSoon));
    question_.hook.breaker_failures_max = 0;
  }

  void run_until(const std::function<bool()>& fact) {
    const LoopHandle deadline = loop_.after(test::patient(Duration(20'000)), [this] {
      ADD_FAILURE() << "not in time";
      loop_.stop();
    });
    const LoopHandle look = loop_.every(Duration(1), [&] {
      if (fact()) loop_.stop();
    });
    loop_.run();
  }
  BillingVerdict ask() {
    std::optional<BillingVerdict> verdict;
    client_.ask(question_, [&verdict](BillingVerdict answer) {
      EXPECT_FALSE(verdict) << "a second answer";
      verdict = std::move(answer);
    });
    EXPECT_FALSE(verdict) << "an answer within ask()";
    run_until([&] { return verdict.has_value(); });
    return verdict.value_or(BillingDenied{});
  }
  static bool permits(const BillingVerdict& verdict) { return std::holds_alternative<BillingPermitted>(verdict); }
  /// The status and the prompt of a denial, or "permitted".
  static std::string words_of(const BillingVerdict& verdict) {
    const auto* denied = std::get_if<BillingDenied>(&verdict);
    return denied ? std::to_string(denied->status) + " " + denied->prompt : "permitted";
  }
  testing::AssertionResult counts(const std::string& event, const std::string& outcome, int count) {
    const std::string line = "callpark_billing_questions_total{event=\"" + event + "\",outcome=\"" + outcome + "\"} " +
                             std::to_string(count) + "\n";
    const std::string all = metrics_.serialise();
    if (all.find(line) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no " << line << "in:\n" << all;
  }
  testing::AssertionResult breaker_is(const std::string& state) {
    const std::string line = "callpark_billing_hooks{breaker=\"" + state + "\"} 1\n";
    const std::string all = metrics_.serialise();
    if (all.find(line) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no " << line << "in:\n" << all;
  }

  BillingHookServer hook_;
  EventLoop loop_;
  Metrics metrics_;
  BillingClient client_{loop_, metrics_, AddressPolicy({IpNetwork::parse("127.0.0.0/8").value()})};
  BillingQuestion question_;
};

// ---- the question ----

TEST_F(BillingClientTest, B1_QuestionIsSignedJsonAboutTheCall) {
  EXPECT_TRUE(permits(ask()));
  const auto questions = hook_.questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_TRUE(questions[0].is_signed);
  const Json& body = questions[0].body;
  EXPECT_EQ(body["event"], "park");
  EXPECT_EQ(body["attempt"], 1);
  EXPECT_EQ(body["tenant"], "demo.callpark");
  EXPECT_EQ(body["direction"], "incoming");
  EXPECT_EQ(body["park_id"], "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(body["parker"]["number"], "101");
  EXPECT_EQ(body["orbit"], "101");
  EXPECT_EQ(body["parked_caller"]["name"], "Client");
  EXPECT_EQ(body["parked_caller"]["trunk"], "carrier");
  EXPECT_TRUE(counts("park", "allowed", 1));
  EXPECT_THAT(metrics_.serialise(), HasSubstr("callpark_billing_question_seconds_count{event=\"park\"} 1"));
  EXPECT_THAT(metrics_.serialise(), HasSubstr("callpark_billing_questions_in_flight 0"));
}

TEST_F(BillingClientTest, B1_DirectionIsThatOfTheParkedCall) {
  question_.call.was_called = true;
  ask();
  question_.call.party = Extension{"demo.callpark", "105"};
  ask();
  EXPECT_EQ(hook_.questions().at(0).body["direction"], "outgoing");
  EXPECT_EQ(hook_.questions().at(1).body["direction"], "internal");
}

TEST_F(BillingClientTest, B1_RetrieveNamesTheRetriever) {
  question_.event = BillingEvent::kRetrieve;
  question_.retriever = "102";
  question_.call.parked_at = wall_now();
  EXPECT_TRUE(permits(ask()));
  const Json body = hook_.questions().at(0).body;
  EXPECT_EQ(body["event"], "retrieve");
  EXPECT_EQ(body["retriever"]["number"], "102");
  EXPECT_TRUE(body.contains("parked_at"));
}

TEST_F(BillingClientTest, B1_BothSecretsSignWhileTheSecretIsExchanged) {
  question_.hook.secrets = {kOtherSecret, BillingHookServer::kSecret};
  ask();
  EXPECT_TRUE(hook_.questions().at(0).is_signed);
  question_.hook.secrets = {kOtherSecret};
  ask();
  EXPECT_FALSE(hook_.questions().at(1).is_signed);
}

TEST_F(BillingClientTest, B1_NothingIsSentUnsigned) {
  question_.hook.secrets = {"whsec_short"};
  EXPECT_EQ(words_of(ask()), "503 not_available");
  EXPECT_TRUE(hook_.questions().empty());
  EXPECT_TRUE(counts("park", "unsigned", 1));
}

TEST_F(BillingClientTest, B1_HookThatChangesIsAskedAtItsNewPlace) {
  ask();
  const BillingHookServer moved;
  question_.hook.url = moved.url();
  ask();
  EXPECT_EQ(hook_.questions().size(), 1U);
  EXPECT_EQ(moved.questions().size(), 1U);
}

TEST_F(BillingClientTest, B1_AddressesThatAreNotPermittedAreNotConnectedTo) {
  BillingClient strict(loop_, metrics_, AddressPolicy());
  std::optional<BillingVerdict> verdict;
  strict.ask(question_, [&verdict](BillingVerdict answer) { verdict = std::move(answer); });
  run_until([&] { return verdict.has_value(); });
  EXPECT_EQ(words_of(*verdict), "503 not_available");
  EXPECT_TRUE(hook_.questions().empty());
}

// Also over a connection that is open.
TEST_F(BillingClientTest, O8_AddressesOfAReloadCountFromTheNextQuestion) {
  EXPECT_EQ(words_of(ask()), "permitted");
  client_.set_addresses(AddressPolicy());
  EXPECT_EQ(words_of(ask()), "503 not_available");
  client_.set_addresses(AddressPolicy({IpNetwork::parse("127.0.0.0/8").value()}));
  EXPECT_EQ(words_of(ask()), "permitted");
}

TEST_F(BillingClientTest, B1_HookWithTlsIsTrustedByItsAuthorityAndTrustsTheClientsCertificate) {
  const test::TestCertificates certificates;
  const BillingHookServer hook(
      {certificates.file("server.pem"), certificates.file("server.key"), certificates.file("ca.pem")});
  question_.hook.url = hook.url();
  EXPECT_EQ(words_of(ask()), "503 not_available") << "the system's authorities do not know it";
  question_.hook.ca_file = certificates.file("ca.pem");
  EXPECT_EQ(words_of(ask()), "503 not_available") << "no certificate was sent";
  question_.hook.client_certificate_file = certificates.file("client.pem");
  question_.hook.client_key_file = certificates.file("client.key");
  EXPECT_EQ(words_of(ask()), "permitted");
  EXPECT_EQ(hook.questions().size(), 1U);
  question_.hook.ca_file = certificates.file("other-ca.pem");
  EXPECT_EQ(words_of(ask()), "503 not_available") << "another authority is trusted";
  EXPECT_TRUE(counts("park", "tls", 2));
}

// ---- its answer ----

TEST_F(BillingClientTest, B2_AllowHasItsTerms) {
  hook_.answer(
      R"({"decision": "allow", "max_park_seconds": 60, "display_name": "Gold", "fallback_destination": "+3902"})");
  const BillingVerdict verdict = ask();
  ASSERT_TRUE(permits(verdict));
  const BillingTerms& terms = std::get<BillingPermitted>(verdict).terms;
  EXPECT_EQ(terms.park_seconds_max, 60);
  EXPECT_EQ(terms.shown_name, "Gold");
  EXPECT_EQ(terms.fallback_destination, "+3902");
}

TEST_F(BillingClientTest, B2_DenyHasItsReasonAndItsText) {
  hook_.answer(R"({"decision": "deny", "reason": "insufficient_funds", "text": "0.12 left"})");
  const BillingVerdict verdict = ask();
  EXPECT_EQ(words_of(verdict), "402 not_permitted");
  EXPECT_EQ(std::get<BillingDenied>(verdict).phrase, "Insufficient funds");
  EXPECT_EQ(std::get<BillingDenied>(verdict).text, "0.12 left");
  EXPECT_TRUE(counts("park", "denied", 1));
}

// ---- failures ----

TEST_F(BillingClientTest, B2_FailureDeniesAParkAndPermitsARetrieve) {
  hook_.answer("no JSON");
  EXPECT_EQ(words_of(ask()), "503 not_available");
  EXPECT_TRUE(counts("park", "bad_answer", 1));
  question_.event = BillingEvent::kRetrieve;
  EXPECT_EQ(words_of(ask()), "permitted");
  EXPECT_TRUE(counts("retrieve", "bad_answer", 1));
}

TEST_F(BillingClientTest, B2_FailureMeansWhatTheTenantHasSet) {
  hook_.answer("no JSON");
  question_.hook.error_permits_park = true;
  question_.hook.error_permits_retrieve = false;
  EXPECT_EQ(words_of(ask()), "permitted");
  question_.event = BillingEvent::kRetrieve;
  EXPECT_EQ(words_of(ask()), "503 not_available");
}

TEST_F(BillingClientTest, B4_PermissionNamesTheFailureThatOnErrorPermits) {
  question_.hook.error_permits_park = true;
  EXPECT_EQ(std::get<BillingPermitted>(ask()).failure, "");
  hook_.answer("no JSON");
  EXPECT_EQ(std::get<BillingPermitted>(ask()).failure, "bad_answer");
  question_.hook.secrets = {"whsec_short"};
  EXPECT_EQ(std::get<BillingPermitted>(ask()).failure, "unsigned");
}

TEST_F(BillingClientTest, B2_ServerErrorIsAskedOnceMoreUnderTheSameId) {
  hook_.answer("{}", 500);
  EXPECT_EQ(words_of(ask()), "503 not_available");
  const auto questions = hook_.questions();
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[0].headers["webhook-id"], questions[1].headers["webhook-id"]);
  EXPECT_EQ(questions[0].body["attempt"], 1);
  EXPECT_EQ(questions[1].body["attempt"], 2);
  EXPECT_TRUE(questions[0].is_signed && questions[1].is_signed);
  EXPECT_TRUE(counts("park", "server_error", 1));
}

TEST_F(BillingClientTest, B2_HookThatHangsIsAFailureWithinTheBudget) {
  hook_.hang();
  question_.hook.budget = Duration(300);
  question_.hook.first_attempt = Duration(100);
  EXPECT_EQ(words_of(ask()), "503 not_available");
  EXPECT_EQ(hook_.questions().size(), 2U);
  EXPECT_TRUE(counts("park", "timeout", 1));
}

TEST_F(BillingClientTest, B2_EachFailureHasItsWord) {
  for (const auto& [status, body, word] : {std::tuple(302, "", "redirect"), std::tuple(404, "", "unexpected_status"),
                                           std::tuple(200, "{\"decision\": \"perhaps\"}", "bad_answer")}) {
    hook_.answer(body, status);
    EXPECT_EQ(words_of(ask()), "503 not_available");
    EXPECT_TRUE(counts("park", word, 1));
  }
  hook_.answer(std::string(20'000, ' '));
  ask();
  EXPECT_TRUE(counts("park", "too_long", 1));
  hook_.close_connections();
  ask();
  EXPECT_TRUE(counts("park", "broken", 1));
  question_.hook.url = "http://127.0.0.1:1/";
  ask();
  EXPECT_TRUE(counts("park", "connect", 1));
}

// An integrator sees from it that the hook itself has refused the question, and how.
TEST_F(BillingClientTest, B2_LogHasTheStatusOfAFailure) {
  for (const auto& [status, line] :
       {std::pair(302, "redirect, status 302\n"), std::pair(401, "unexpected_status, status 401\n"),
        std::pair(503, "server_error, status 503\n")}) {
    hook_.answer("", status);
    testing::internal::CaptureStderr();
    ask();
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(line));
  }
}

TEST_F(BillingClientTest, B2_BreakerLeavesAHookAloneThatFails) {
  question_.hook.breaker_failures_max = 2;
  question_.hook.breaker_open_first = question_.hook.breaker_open_max = Duration(3'600'000);
  hook_.answer("no JSON");
  ask();
  EXPECT_TRUE(breaker_is("closed"));
  ask();
  EXPECT_TRUE(breaker_is("open"));
  hook_.answer(R"({"decision": "allow"})");
  EXPECT_EQ(words_of(ask()), "503 not_available");
  EXPECT_EQ(hook_.questions().size(), 2U) << "nothing is sent";
  EXPECT_TRUE(counts("park", "breaker_open", 1));
}

TEST_F(BillingClientTest, B2_BreakerClosesWhenItsProbeIsAnswered) {
  question_.hook.breaker_failures_max = 1;
  question_.hook.breaker_open_first = Duration(1);
  hook_.answer("no JSON");
  ask();
  EXPECT_TRUE(breaker_is("open"));
  hook_.answer(R"({"decision": "allow"})");
  run_until([begun = monotonic_now()] { return monotonic_now() - begun > Duration(5); });
  EXPECT_EQ(words_of(ask()), "permitted");
  EXPECT_TRUE(breaker_is("closed"));
}

TEST_F(BillingClientTest, B2_QuestionsAboveTheLimitFailAtOnce) {
  hook_.hang();
  question_.hook.in_flight_max = 1;
  const BillingQuestionId first = client_.ask(question_, [](const BillingVerdict&) { FAIL() << "withdrawn"; });
  EXPECT_EQ(words_of(ask()), "503 not_available");
  EXPECT_TRUE(counts("park", "too_many_in_flight", 1));
  EXPECT_THAT(metrics_.serialise(), HasSubstr("callpark_billing_questions_in_flight 1"));
  client_.withdraw(first);
  EXPECT_THAT(metrics_.serialise(), HasSubstr("callpark_billing_questions_in_flight 0"));
  hook_.answer(R"({"decision": "allow"})");
  EXPECT_EQ(words_of(ask()), "permitted");
}

TEST_F(BillingClientTest, B3_WithdrawnQuestionIsNotAnswered) {
  hook_.hang();
  const BillingQuestionId question = client_.ask(question_, [](const BillingVerdict&) { FAIL() << "withdrawn"; });
  run_until([this] { return hook_.questions().size() == 1; });
  client_.withdraw(question);
  client_.withdraw(question);
  hook_.answer(R"({"decision": "allow"})");
  EXPECT_EQ(words_of(ask()), "permitted");
}

TEST_F(BillingClientTest, B1_OneTenantsHookThatHangsDelaysNoOther) {
  hook_.hang();
  const BillingQuestionId hanging = client_.ask(question_, [](const BillingVerdict&) { FAIL() << "withdrawn"; });
  const BillingHookServer other;
  question_.tenant = "other.callpark";
  question_.hook.url = other.url();
  EXPECT_EQ(words_of(ask()), "permitted");
  client_.withdraw(hanging);
}

}  // namespace
}  // namespace callpark::authz
