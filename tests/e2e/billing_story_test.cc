// A call and its billing system, from the telephone network to the records, with real phones: one of John and Alice is
// a baresip, the other a linphonec. Each of the three questions is permitted, and each is denied.
#include <gmock/gmock.h>

#include <tuple>

#include "tests/e2e/billing_site.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* kDid = "+442030000101";
constexpr const char* kAllow = R"({"decision": "allow"})";

class BillingStory : public BillingTest {
 protected:
  void SetUp() override {
    BillingTest::SetUp();
    set("ask_incoming_call = 1");
  }
  static std::unique_ptr<SippCall> call_john() { return site().trunk().call_in(kDid, tone_hz(kClient)); }

  /// A segment, and two moments between which it ended, in milliseconds since 1970.
  struct Driven {
    std::string what;  // "kind party ended"
    std::int64_t earliest;
    std::int64_t latest;
  };
  /// Each segment ended when the test ended it, and begins when the one before ends. `talk_before` has no beginning.
  static void expect_driven(const std::vector<Recorded>& all, const std::vector<Driven>& driven) {
    ASSERT_EQ(all.size(), driven.size());
    std::int64_t ended = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      SCOPED_TRACE(driven[i].what);
      EXPECT_EQ(all[i].what, driven[i].what);
      EXPECT_GE(all[i].ended_at, driven[i].earliest);
      EXPECT_LE(all[i].ended_at, driven[i].latest);
      EXPECT_EQ(all[i].began_at, ended);
      ended = all[i].ended_at;
    }
  }
  /// The duration in seconds, as the views show it.
  static std::string duration(const Recorded& segment) {
    const std::int64_t milliseconds = segment.ended_at - segment.began_at;
    return site().database().value("SELECT SUM(" + std::to_string(milliseconds) + ") / 1000");
  }

  /// What the questions about the call of `client` have in common; `party`: the member with its name and number.
  static void expect_about(const BillingHookServer::Question& question, const SippCall& client,
                           const std::string& event, const std::string& party) {
    SCOPED_TRACE(question.body.dump());
    EXPECT_TRUE(question.is_signed);
    EXPECT_EQ(question.body["event"], event);
    EXPECT_EQ(question.body["attempt"], 1);
    EXPECT_EQ(question.body["tenant"], "demo.callpark");
    EXPECT_EQ(question.body["direction"], "incoming");
    EXPECT_EQ(question.body["call_id"], client.call_id());
    EXPECT_EQ(question.body[party]["number"], "+442079460018");
    EXPECT_EQ(question.body[party]["name"], "Client");
  }

  /// The events of all questions so far, in their sequence.
  std::vector<std::string> asked() const {
    std::vector<std::string> events;
    for (const auto& question : hook_.questions()) events.push_back(question.body["event"]);
    return events;
  }
};

TEST_F(BillingStory, B1_B4_PermittedCallIsParkedRetrievedAndRecorded) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto alice = site().linphone(site().phone("102", kAlice));

  const auto client = call_john();
  const CallName call = john->wait_incoming();
  EXPECT_THAT(asked(), testing::ElementsAre("incoming_call")) << "before John's phone rings";
  john->answer(call);
  ASSERT_TRUE(client->is_established());
  ASSERT_TRUE(hear_each_other(*john, *client));
  hold(*john, call, *client);

  const std::int64_t dialled_at = now();
  const CallName feature = john->dial_until_answered("*70333");
  const std::int64_t parked_at_latest = now();
  EXPECT_THAT(asked(), testing::ElementsAre("incoming_call", "park"));
  const std::string park_id = site().database().value("SELECT park_id FROM parked_calls");
  EXPECT_TRUE(hears_music(*john)) << "the number is spoken";
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("333"));
  // "Your call is parked. To pick it up, dial star seven one three three three."
  EXPECT_TRUE(john->reaches(feature, CallPhase::kClosed, seconds(20)));
  EXPECT_GT(now() - parked_at_latest, 4000) << "not spoken to its end";
  EXPECT_TRUE(has_no_call(*john));
  EXPECT_TRUE(hears_music(*client));

  const std::int64_t retriever_dialled_at = now();
  const CallName retrieved = retrieve(*alice, "*71333", *client);
  const std::int64_t heard_at = now();
  EXPECT_THAT(asked(), testing::ElementsAre("incoming_call", "park", "retrieve"));
  while (now() - heard_at < 2000) ASSERT_TRUE(hear_each_other(*alice, *client));
  const std::int64_t hung_up_at = now();
  alice->hang_up(retrieved);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  const auto all = segments();
  const std::int64_t over_at = now();

  const auto questions = hook_.questions();
  ASSERT_EQ(questions.size(), 3U);
  const auto& [incoming, park, retrieve] = std::tie(questions[0], questions[1], questions[2]);
  expect_about(incoming, *client, "incoming_call", "caller");
  EXPECT_EQ(incoming.body["called_extension"]["number"], "101");
  EXPECT_FALSE(incoming.body["caller"]["trunk"].get<std::string>().empty());
  EXPECT_FALSE(incoming.body.contains("park_id"));
  expect_about(park, *client, "park", "parked_caller");
  EXPECT_EQ(park.body["park_id"], park_id);
  EXPECT_EQ(park.body["parker"]["number"], "101");
  EXPECT_EQ(park.body["orbit"], "333");
  EXPECT_FALSE(park.body.contains("retriever"));
  expect_about(retrieve, *client, "retrieve", "parked_caller");
  EXPECT_EQ(retrieve.body["park_id"], park_id);
  EXPECT_EQ(retrieve.body["parker"]["number"], "101");
  EXPECT_EQ(retrieve.body["retriever"]["number"], "102");
  EXPECT_EQ(retrieve.body["orbit"], "333");

  ASSERT_NO_FATAL_FAILURE(expect_driven(all, {{"talk_before 101 parked", dialled_at, park.received_at},
                                              {"hook 101 allowed", park.received_at, parked_at_latest},
                                              {"parked  retrieved", retriever_dialled_at, retrieve.received_at},
                                              {"hook 102 allowed", retrieve.received_at, heard_at},
                                              {"talk_after 102 hung_up", hung_up_at, over_at}}));
  EXPECT_EQ(site().database().value("SELECT CONCAT_WS(' ', call_id, parker, orbit, outcome, answered_by, "
                                    "parked_seconds, talk_seconds) FROM billing_calls"),
            client->call_id() + " 101 333 retrieved 102 " + duration(all[2]) + " " + duration(all[4]));
}

TEST_F(BillingStory, B2_DeniedClientIsRefusedAndNoPhoneRings) {
  const auto john = site().baresip(site().phone("101", kJohn));
  hook_.answer(R"({"decision": "deny", "reason": "insufficient_funds"})", 200, "incoming_call");
  const auto denied = call_john();
  EXPECT_TRUE(denied->is_closed());
  EXPECT_EQ(denied->status(), 402);
  hook_.answer(kAllow);
  const auto client = call_john();
  const CallName call = talk(*john, *client);
  EXPECT_EQ(asked().size(), 2U);
  std::size_t rings = 0;
  const std::string log = john->log();
  for (auto at = log.find("\nINVITE sip:"); at != std::string::npos; at = log.find("\nINVITE sip:", at + 1)) ++rings;
  EXPECT_EQ(rings, 1U) << "the denied call rang";
  john->hang_up(call);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(segments().empty());
}

TEST_F(BillingStory, B2_DeniedParkerHearsSoAndTalksOn) {
  const auto john = site().baresip(site().phone("101", kJohn));
  const auto client = call_john();
  const CallName call = talk(*john, *client);
  hold(*john, call, *client);
  hook_.answer(R"({"decision": "deny", "reason": "insufficient_funds", "text": "Your balance is 0."})", 200, "park");
  const CallName feature = john->dial("*70333");
  EXPECT_TRUE(hears_music(*john)) << "the refusal is spoken";
  EXPECT_TRUE(john->reaches(feature, CallPhase::kClosed, seconds(15)));
  EXPECT_THAT(john->closing_reason(feature), HasSubstr("402"));
  EXPECT_TRUE(wait_until(kSoon, [&] { return john->log().find("Your balance is 0.") != std::string::npos; }));
  EXPECT_THAT(asked(), testing::ElementsAre("incoming_call", "park"));
  john->resume(call);
  EXPECT_TRUE(hear_each_other(*john, *client));
  EXPECT_TRUE(nothing_parked());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  john->hang_up(call);
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(segments().empty());
}

TEST_F(BillingStory, B2_B4_DeniedRetrieverLeavesTheCallParkedForTheNext) {
  const auto john = site().linphone(site().phone("101", kJohn));
  const auto alice = site().baresip(site().phone("102", kAlice));
  const auto client = call_john();
  const CallName call = talk(*john, *client);
  hold(*john, call, *john);  // linphonec sends its file on hold, too
  const std::int64_t dialled_at = now();
  const CallName feature = john->dial_until_answered("*70333");
  const std::int64_t parked_at_latest = now();
  EXPECT_TRUE(hears_music(*john)) << "the number is spoken";
  EXPECT_TRUE(parked_at("333"));
  john->hang_up(feature);
  EXPECT_TRUE(has_no_call(*john));

  hook_.answer(R"({"decision": "deny", "reason": "limit_reached", "text": "Too many calls."})", 200, "retrieve");
  const CallName denied = alice->dial("*71333");
  EXPECT_TRUE(hears_music(*alice)) << "the refusal is spoken";
  EXPECT_TRUE(alice->reaches(denied, CallPhase::kClosed, seconds(15)));
  EXPECT_THAT(alice->closing_reason(denied), HasSubstr("486"));
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->log().find("Too many calls.") != std::string::npos; }));
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("333"));

  hook_.answer(kAllow);
  const std::int64_t retriever_dialled_at = now();
  const CallName retrieved = retrieve(*alice, "*71333", *client);
  const std::int64_t heard_at = now();
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  const std::int64_t hung_up_at = now();
  alice->hang_up(retrieved);
  EXPECT_TRUE(client->is_closed());
  const auto all = segments();
  const std::int64_t over_at = now();
  ASSERT_THAT(asked(), testing::ElementsAre("incoming_call", "park", "retrieve", "retrieve"));
  const std::int64_t park = hook_.questions()[1].received_at;
  const std::int64_t permitted = hook_.questions()[3].received_at;
  expect_driven(all, {{"talk_before 101 parked", dialled_at, park},
                      {"hook 101 allowed", park, parked_at_latest},
                      {"parked  retrieved", retriever_dialled_at, permitted},
                      {"hook 102 allowed", permitted, heard_at},
                      {"talk_after 102 hung_up", hung_up_at, over_at}});
}

}  // namespace
}  // namespace callpark::test
