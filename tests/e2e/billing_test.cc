// The billing system is asked before a call is parked and before it is retrieved: it permits, denies, hangs, and the
// parties notice what they should.
#include <gmock/gmock.h>

#include <future>

#include "tests/e2e/billing_site.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;

constexpr const char* kAllow = R"({"decision": "allow"})";

class Billing : public BillingTest {
 protected:
  struct Conversation {
    std::unique_ptr<PacketPhone> john;
    CallName call;
    std::unique_ptr<SippCall> client;
  };
  /// John, on a phone that keeps the call when a transfer fails, in a call from the telephone network.
  static Conversation conversation() {
    Conversation result;
    result.john = site().packet_phone("101", kJohn, true);
    result.client = site().trunk().call_in("+442030000101", tone_hz(kClient));
    result.call = result.john->wait_incoming();
    EXPECT_TRUE(result.client->is_established());
    EXPECT_TRUE(hear_each_other(*result.john, *result.client));
    return result;
  }
  /// The same, and John has parked the call at its own extension.
  static Conversation parked_conversation() {
    Conversation result = conversation();
    park(*result.john, result.call, "*68", "101");
    EXPECT_TRUE(hears_music(*result.client));
    return result;
  }
  static bool rang(const PacketPhone& phone, const CallName& call) {
    return wait_until(kSoon, [&] {
      const auto received = phone.received(call);
      return std::ranges::any_of(received, [](const SipText& message) { return message.status() == 180; });
    });
  }
  static testing::AssertionResult has_text(const PacketPhone& phone, const std::string& wanted) {
    const auto has = [&] {
      const auto texts = phone.messages();
      return std::ranges::any_of(texts, [&](const SipText& text) { return text.body() == wanted; });
    };
    if (wait_until(kSoon, has)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << phone.name() << " has no text: " << wanted;
  }
};

TEST_F(Billing, B1_HeldCallIsParkedAndRetrievedWithTheConsentOfTheBillingSystem) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  const CallName call = talk(*john, *client);
  hold(*john, call, *client);
  const std::int64_t begun = now();
  const CallName feature = john->dial_until_answered("*70333");
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(hears_music(*john)) << "the number is spoken";
  EXPECT_TRUE(parked_at("333"));
  const std::string park_id = site().database().value("SELECT park_id FROM parked_calls");
  john->hang_up(feature);
  const CallName retrieved = retrieve(*alice, "*71333", *client);
  const auto questions = hook_.questions();
  ASSERT_EQ(questions.size(), 2U);
  EXPECT_EQ(questions[0].body["event"], "park");
  EXPECT_EQ(questions[0].body["park_id"], park_id);
  EXPECT_EQ(questions[0].body["parker"]["number"], "101");
  EXPECT_EQ(questions[0].body["orbit"], "333");
  EXPECT_EQ(questions[0].body["direction"], "incoming");
  EXPECT_EQ(questions[1].body["event"], "retrieve");
  EXPECT_EQ(questions[1].body["park_id"], park_id);
  EXPECT_EQ(questions[1].body["retriever"]["number"], "102");
  EXPECT_TRUE(questions[0].is_signed && questions[1].is_signed);
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  alice->hang_up(retrieved);
  EXPECT_TRUE(client->is_closed());
  const auto all = segments();
  EXPECT_THAT(all, testing::ElementsAre(testing::Field(&Recorded::what, "talk_before 101 parked"),
                                        testing::Field(&Recorded::what, "hook 101 allowed"),
                                        testing::Field(&Recorded::what, "parked  retrieved"),
                                        testing::Field(&Recorded::what, "hook 102 allowed"),
                                        testing::Field(&Recorded::what, "talk_after 102 hung_up")));
  expect_as_asked(all, begun);
}

TEST_F(Billing, B2_DeniedTransferIsReportedAndTheCallStaysWithTheParker) {
  hook_.answer(R"({"decision": "deny", "reason": "insufficient_funds", "text": "Your balance is 0."})");
  auto talk = conversation();
  EXPECT_EQ(talk.john->refer(talk.call, "*68"), 402);
  EXPECT_TRUE(hear_each_other(*talk.john, *talk.client));
  EXPECT_TRUE(has_text(*talk.john, "Your balance is 0."));
  EXPECT_TRUE(talk.client->saw_only_ordinary_calls());
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Billing, B2_DeniedCallHearsThePromptAndResumesItsHeldCall) {
  hook_.answer(R"({"decision": "deny", "reason": "blocked"})");
  auto talk = conversation();
  hold(*talk.john, talk.call);
  const CallName feature = talk.john->start_call("*70333");
  EXPECT_TRUE(hears_music(*talk.john));  // speech
  EXPECT_EQ(talk.john->wait_invite_status(feature, seconds(15)), 403);
  EXPECT_EQ(talk.john->offer(talk.call, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*talk.john, *talk.client));
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Billing, B2_DeniedRetrieverHearsThePromptAndTheCallStaysParked) {
  auto talk = parked_conversation();
  hook_.answer(R"({"decision": "deny", "reason": "limit_reached", "text": "Too many calls."})");
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = alice->start_call("*88101");
  EXPECT_TRUE(hears_music(*alice));  // speech
  EXPECT_EQ(alice->wait_invite_status(call, seconds(15)), 486);
  EXPECT_TRUE(has_text(*alice, "Too many calls."));
  EXPECT_TRUE(hears_music(*talk.client));
  EXPECT_TRUE(parked_at("101"));
}

TEST_F(Billing, B3_PartiesTalkOnWhileTheHookHangsAndAParkIsDenied) {
  hook_.hang();
  set("budget_ms = 1500, first_attempt_ms = 1500");
  auto talk = conversation();
  auto transfer = std::async(std::launch::async, [&] { return talk.john->refer(talk.call, "*68"); });
  EXPECT_TRUE(was_asked(1));
  EXPECT_TRUE(hear_each_other(*talk.john, *talk.client));
  EXPECT_EQ(transfer.get(), 503);
  EXPECT_TRUE(hear_each_other(*talk.john, *talk.client));
  EXPECT_TRUE(talk.client->saw_only_ordinary_calls());
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Billing, B3_RetrieverHearsRingingWhileTheHookHangsAndThenHasTheCall) {
  const std::int64_t begun = now();
  auto talk = parked_conversation();
  hook_.hang();
  set("budget_ms = 1500, first_attempt_ms = 1500");
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = alice->start_call("*88101");
  EXPECT_TRUE(rang(*alice, call));
  EXPECT_TRUE(hears_music(*talk.client));
  EXPECT_EQ(alice->wait_invite_status(call), 200) << "on_error_retrieve is allow";
  EXPECT_TRUE(hear_each_other(*alice, *talk.client));
  EXPECT_EQ(alice->hang_up(call), 200);
  const auto all = segments();
  ASSERT_THAT(all, testing::ElementsAre(testing::Field(&Recorded::what, "talk_before 101 parked"),
                                        testing::Field(&Recorded::what, "hook 101 allowed"),
                                        testing::Field(&Recorded::what, "parked  retrieved"),
                                        testing::Field(&Recorded::what, "hook 102 allowed_on_error timeout"),
                                        testing::Field(&Recorded::what, "talk_after 102 hung_up")));
  expect_as_asked(all, begun);
  EXPECT_GE(all[3].ended_at - all[3].began_at, 1500) << "the whole budget";
  EXPECT_LT(all[1].ended_at - all[1].began_at, all[3].ended_at - all[3].began_at);
}

TEST_F(Billing, B3_RetrieverThatCancelsWhileTheHookHangsLeavesTheCallParked) {
  auto talk = parked_conversation();
  hook_.hang();
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = alice->start_call("*88101");
  EXPECT_TRUE(rang(*alice, call));
  alice->cancel(call);
  EXPECT_EQ(alice->wait_invite_status(call), 487);
  EXPECT_TRUE(hears_music(*talk.client));
  EXPECT_TRUE(parked_at("101"));
}

TEST_F(Billing, B3_ParkerThatCancelsWhileTheHookHangsKeepsItsHeldCall) {
  hook_.hang();
  auto talk = conversation();
  hold(*talk.john, talk.call);
  const CallName feature = talk.john->start_call("*70333");
  EXPECT_TRUE(was_asked(1));
  EXPECT_TRUE(rang(*talk.john, feature));
  talk.john->cancel(feature);
  EXPECT_EQ(talk.john->wait_invite_status(feature), 487);
  EXPECT_EQ(talk.john->offer(talk.call, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*talk.john, *talk.client));
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Billing, B2_CallIsParkedUnderTheTermsOfTheAnswer) {
  hook_.answer(R"({"decision": "allow", "max_park_seconds": 10, "display_name": "Gold client"})", 200, "park");
  auto talk = parked_conversation();
  EXPECT_EQ(site().database().value("SELECT CONCAT(caller_display, ' ', TIMESTAMPDIFF(SECOND, parked_at, deadline)) "
                                    "FROM parked_calls"),
            "Gold client 10");
  EXPECT_TRUE(talk.client->is_closed(seconds(20))) << "after 10 seconds";
  EXPECT_TRUE(nothing_parked());
}

TEST_F(Billing, B2_FailureMeansWhatTheTenantHasSet) {
  set("on_error_park = 'allow', on_error_retrieve = 'deny'");
  hook_.answer("{}", 404);
  auto talk = parked_conversation();
  const auto alice = site().packet_phone("102", kAlice);
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("*88101"), seconds(15)), 503);
  EXPECT_TRUE(hears_music(*talk.client));
  hook_.answer(kAllow);
  retrieve(*alice, "*88101", *talk.client);
  EXPECT_THAT(
      site().parkd_http("/metrics").body,
      testing::HasSubstr("callpark_billing_questions_total{event=\"retrieve\",outcome=\"unexpected_status\"} 1"));
}

TEST_F(Billing, B1_RecallIsNotAskedAbout) {
  site().database().execute(
      "SET SESSION check_constraint_checks = 0; UPDATE tenants SET recall_mode = 'parker_only', recall_after_seconds = "
      "1 "
      "WHERE tenant = 'demo.callpark'");
  auto talk = parked_conversation();
  talk.john->hang_up(talk.call);
  const CallName recall = talk.john->wait_incoming();
  EXPECT_TRUE(hear_each_other(*talk.john, *talk.client));
  EXPECT_EQ(hook_.questions().size(), 1U);
  EXPECT_EQ(talk.john->hang_up(recall), 200);
  site().database().execute("UPDATE tenants SET recall_after_seconds = DEFAULT");
}

// ----- calls that come in

TEST_F(Billing, B1_CallFromATrunkRingsWithTheConsentOfTheBillingSystem) {
  set("ask_incoming_call = 1");
  const auto john = site().packet_phone("101", kJohn, true);
  const auto client = site().trunk().call_in("+442030000101", tone_hz(kClient));
  EXPECT_TRUE(client->is_established());
  EXPECT_TRUE(hear_each_other(*john, *client));
  const auto questions = hook_.questions();
  ASSERT_EQ(questions.size(), 1U);
  EXPECT_EQ(questions[0].body["event"], "incoming_call");
  EXPECT_EQ(questions[0].body["called_extension"]["number"], "101");
  EXPECT_EQ(questions[0].body["direction"], "incoming");
  EXPECT_FALSE(questions[0].body["caller"]["trunk"].get<std::string>().empty());
  EXPECT_TRUE(questions[0].is_signed);
}

TEST_F(Billing, B1_CallBetweenExtensionsIsAskedAboutAndMayBeDenied) {
  set("ask_incoming_call = 1");
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice);
  hook_.answer(R"({"decision": "deny", "reason": "insufficient_funds"})");
  EXPECT_EQ(alice->wait_invite_status(alice->start_call("101")), 402);
  hook_.answer(kAllow);
  const CallName call = alice->call("101");
  EXPECT_EQ(john->wait_incoming(), call);
  EXPECT_EQ(alice->hang_up(call), 200);
  ASSERT_EQ(hook_.questions().size(), 2U);
  EXPECT_EQ(hook_.questions()[0].body["direction"], "internal");
  EXPECT_EQ(hook_.questions()[0].body["caller"]["number"], "102");
}

TEST_F(Billing, B2_CallDoesWhatTheTenantHasSetWhenTheHookHangs) {
  set("ask_incoming_call = 1, budget_ms = 1000, first_attempt_ms = 1000");
  hook_.hang();
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice);
  const CallName permitted = alice->call("101");
  EXPECT_EQ(john->wait_incoming(), permitted) << "on_error_incoming_call is allow";
  EXPECT_EQ(alice->hang_up(permitted), 200);
  set("on_error_incoming_call = 'deny'");
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->wait_invite_status(alice->start_call("101")) == 503; }));
}

TEST_F(Billing, B3_CallerThatHangsUpWhileTheHookHangsIsForgotten) {
  set("ask_incoming_call = 1");
  hook_.hang();
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice);
  const CallName call = alice->start_call("101");
  EXPECT_TRUE(was_asked(1));
  alice->cancel(call);
  EXPECT_EQ(alice->wait_invite_status(call), 487);
  hook_.answer(kAllow);
  const CallName next = alice->call("101");
  EXPECT_EQ(john->wait_incoming(), next) << "the first one has not rung";
  EXPECT_EQ(alice->hang_up(next), 200);
}

TEST_F(Billing, B2_CallIsNoCallOfADeadParkd) {
  set("ask_incoming_call = 1, budget_ms = 1000, first_attempt_ms = 1000");
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice);
  site().parkd().kill9();
  const CallName call = alice->call("101");
  EXPECT_EQ(john->wait_incoming(), call);
  EXPECT_EQ(alice->hang_up(call), 200);
  site().parkd().start();
}

}  // namespace
}  // namespace callpark::test
