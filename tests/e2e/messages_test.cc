// The recipients of news of parked calls: texts to phones, the events that operators read, and the names on displays.
#include <gmock/gmock.h>

#include "tests/e2e/park_site.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class Told : public ParkTest {
 protected:
  void SetUp() override {
    ParkTest::SetUp();
    site().database().execute("DELETE FROM park_events");
    reset();
    john_ = site().packet_phone("101", kJohn);
  }
  void TearDown() override {
    john_.reset();
    clients_.clear();
    ParkTest::TearDown();
    reset();
  }
  static void reset() {
    set("message_parked = DEFAULT, message_orbit = DEFAULT, message_retrieved = DEFAULT, message_gave_up = DEFAULT, "
        "message_recalled = DEFAULT, recall_mode = DEFAULT, recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, "
        "recall_attempts_max = DEFAULT, fallback_destination = DEFAULT, ring_group = DEFAULT");
  }
  /// For the demo tenant, with times that no operator is allowed but that a test can wait for.
  static void set(const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant = 'demo.callpark'");
  }

  /// Client has called 101, identified by `from` and `headers`, and John has parked the call.
  PacketPhone& parked_client(const std::string& code, const std::string& from = "", const std::string& headers = "") {
    clients_.push_back(site().trunk_caller(kClient, from.empty() ? client_from() : from));
    PacketPhone& client = *clients_.back();
    call_ = client.start_call("+442030000101", headers);
    park_incoming(client, call_, *john_, code);
    return client;
  }
  static void park_incoming(PacketPhone& client, const CallName& call, PacketPhone& parker, const std::string& code) {
    const CallName at_parker = parker.wait_incoming();
    parker.answer(at_parker);
    EXPECT_EQ(client.wait_invite_status(call), 200);
    park(parker, at_parker, code);
    EXPECT_TRUE(hears_music(client));
  }
  static void park(PacketPhone& parker, const CallName& at_parker, const std::string& code) {
    EXPECT_EQ(parker.refer(at_parker, code), 202);
    EXPECT_TRUE(wait_until(kSoon, [&] {
      const auto reports = parker.transfer_reports(at_parker);
      return !reports.empty() && reports.back().starts_with("SIP/2.0 200");
    }));
    parker.hang_up(at_parker);
  }
  static std::string client_from() { return "\"Client\" <sip:" + std::string(kNumber) + "@127.0.0.50>"; }

  static std::vector<std::string> texts(const PacketPhone& phone) {
    std::vector<std::string> bodies;
    for (const SipText& message : phone.messages()) bodies.push_back(message.body());
    return bodies;
  }
  /// Waits for as many texts as are expected, and returns all.
  static std::vector<std::string> texts(const PacketPhone& phone, std::size_t count) {
    wait_until(kSoon, [&] { return phone.messages().size() >= count; });
    return texts(phone);
  }
  static SipText answer_to(const PacketPhone& phone, const CallName& call) {
    for (const SipText& message : phone.received(call)) {
      if (message.method() == "INVITE" && message.status() == 200) return message;
    }
    ADD_FAILURE() << "no 200 in " << call;
    return {};
  }
  static SipText invite_to(const PacketPhone& phone, const CallName& call) {
    for (const SipText& message : phone.received(call)) {
      if (message.is_request() && message.method() == "INVITE") return message;
    }
    ADD_FAILURE() << "no INVITE in " << call;
    return {};
  }
  /// Until it is answered: Kamailio finds a parkd that has been restarted within a second or two.
  static CallName retrieve(PacketPhone& phone, const std::string& code) {
    CallName call;
    EXPECT_TRUE(wait_until(kSoon, [&] {
      call = phone.start_call(code);
      return phone.wait_invite_status(call) == 200;
    }));
    return call;
  }
  static std::string events() {
    return site().database().value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', event, NULLIF(orbit, ''), NULLIF(taken_by, ''), NULLIF(how, '')) "
        "ORDER BY at, event DESC SEPARATOR ', '), '') FROM park_events");
  }
  static testing::AssertionResult events_are(const std::string& wanted) {
    std::string found;
    if (wait_until(kSoon, [&] { return (found = events()) == wanted; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "events should be [" << wanted << "], but are [" << found << "]";
  }

  static constexpr const char* kNumber = "+442079460018";
  std::unique_ptr<PacketPhone> john_;
  std::vector<std::unique_ptr<PacketPhone>> clients_;
  CallName call_;  // Client's
};

// ---- texts ----

TEST_F(Told, N4_EveryPhoneOfTheExtensionIsToldWhoIsParkedThereAndWhatToDial) {
  const auto desk = site().packet_phone("102", kAlice);
  const auto mobile = site().packet_phone("102", kBob);
  const auto carol = site().packet_phone("103", kCarol);
  PacketPhone& client = parked_client("*68102");
  const std::string text = "Parked at 102: Client +442079460018. To pick up, dial *88102";
  EXPECT_THAT(texts(*desk, 1), ElementsAre(text));
  EXPECT_THAT(texts(*mobile, 1), ElementsAre(text));
  const SipText message = desk->messages().front();
  EXPECT_EQ(message.header("Content-Type"), "text/plain;charset=UTF-8");
  EXPECT_EQ(uri_in(message.header("From")), "sip:*88102@demo.callpark") << "a call back retrieves";
  EXPECT_EQ(message.header("Contact"), "") << "RFC 3428 4";
  EXPECT_EQ(message.header("X-Callpark-Tenant"), "");
  client.hang_up(call_);
  EXPECT_THAT(texts(*john_, 1), ElementsAre("Client +442079460018, parked at 102, has hung up."))
      << "the phone got no other text before";
  EXPECT_THAT(texts(*carol), IsEmpty());
  EXPECT_EQ(desk->messages().size(), 1U);
}

TEST_F(Told, N4_ParkedAtTheOwnExtensionTheParkerIsTold) {
  parked_client("*68");
  EXPECT_THAT(texts(*john_, 1), ElementsAre("Parked at 101: Client +442079460018. To pick up, dial *88101"));
}

TEST_F(Told, N4_G2_EveryMemberOfTheGroupButTheParkerIsTold) {
  const auto bob = site().packet_phone("102", kBob);
  const auto carol = site().packet_phone("103", kCarol);
  const std::string text = "Parked at 102: Client +442079460018. To pick up, dial *88102";
  PacketPhone& client = parked_client("*58");
  EXPECT_THAT(texts(*bob, 1), ElementsAre(text));
  EXPECT_THAT(texts(*carol, 1), ElementsAre(text));
  client.hang_up(call_);
  EXPECT_THAT(texts(*john_, 1), ElementsAre(HasSubstr("has hung up")));
  EXPECT_TRUE(nothing_parked());
  site().database().execute("UPDATE park_groups SET notify_parker = TRUE WHERE park_group = 'sales'");
  parked_client("*58");
  site().database().execute("UPDATE park_groups SET notify_parker = FALSE WHERE park_group = 'sales'");
  EXPECT_THAT(texts(*john_, 2), ElementsAre(HasSubstr("has hung up"), text));
}

TEST_F(Told, S5_L2_TheParkerLearnsTheOrbitThatWasChosenForHim) {
  parked_client("*70");
  std::string orbit;
  EXPECT_TRUE(wait_until(kSoon, [&] { return !(orbit = orbits()).empty(); }));
  EXPECT_THAT(texts(*john_, 1),
              ElementsAre("Parked at " + orbit + ": Client +442079460018. To pick up, dial *71" + orbit));
  const auto alice = site().packet_phone("102", kAlice);
  retrieve(*alice, "*71" + orbit);
  parked_client("7000");
  orbit = orbits();
  EXPECT_THAT(texts(*john_, 3).back(), "Parked at " + orbit + ": Client +442079460018. To pick up, dial " + orbit);
}

TEST_F(Told, L4_TheParkerIsToldWhoHasPickedUpButNotWhenItWasHimself) {
  const auto bob = site().packet_phone("102", kBob);
  parked_client("*68103");
  retrieve(*bob, "*88103");
  EXPECT_THAT(texts(*john_, 1), ElementsAre("Client +442079460018, parked at 103, was picked up by 102."));
  parked_client("*68103");
  const CallName back = retrieve(*john_, "*88103");
  EXPECT_TRUE(nothing_parked());
  john_->hang_up(back);
  // The next text, in order, is of another call.
  PacketPhone& client = parked_client("*68103");
  client.hang_up(call_);
  EXPECT_THAT(texts(*john_, 2).back(), HasSubstr("has hung up"));
  EXPECT_EQ(john_->messages().size(), 2U);
}

TEST_F(Told, L4_TheParkerIsToldWhoHasTakenARecallAndWhenNobodyHas) {
  set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 1, recall_attempts_max = 1, "
      "fallback_destination = '103'");
  const auto carol = site().packet_phone("103", kCarol, true);
  parked_client("*68102");
  EXPECT_THAT(texts(*john_, 1),
              ElementsAre("Nobody picked up Client +442079460018, parked at 102. The call was taken by 103."));
  EXPECT_TRUE(events_are("parked 102, recalled 102 103 fallback"));
  set("fallback_destination = NULL");
  parked_client("*68104");
  EXPECT_THAT(texts(*john_, 2).back(), "Nobody picked up Client +442079460018, parked at 104. The call was ended.");
}

TEST_F(Told, L4_OfARingGroupTheMemberWhoAnsweredIsNamed) {
  set("recall_mode = 'ring_group_only', recall_after_seconds = 1, ring_group = '601'");
  const auto erin = site().packet_phone("105", kCarol, true);
  parked_client("*68102");
  EXPECT_THAT(texts(*john_, 1), ElementsAre(HasSubstr("The call was taken by 105.")));
  EXPECT_TRUE(events_are("parked 102, recalled 102 105 ring_group"));
}

// What is switched off does not come; the next text comes after it.
TEST_F(Told, N4_O3_EachTextIsSwitchedOffByItsColumnFromTheNextCallOn) {
  const auto bob = site().packet_phone("102", kBob);
  set("message_parked = FALSE");
  PacketPhone& first = parked_client("*68");
  first.hang_up(call_);
  EXPECT_THAT(texts(*john_, 1), ElementsAre(HasSubstr("has hung up")));
  set("message_parked = TRUE, message_orbit = FALSE, message_gave_up = FALSE");
  PacketPhone& second = parked_client("7003");
  second.hang_up(call_);
  EXPECT_TRUE(nothing_parked());
  parked_client("*68");
  EXPECT_THAT(texts(*john_, 2).back(), HasSubstr("Parked at 101"));
  set("message_retrieved = FALSE, message_gave_up = TRUE");
  retrieve(*bob, "*88101");
  EXPECT_TRUE(nothing_parked());
  PacketPhone& fourth = parked_client("*68103");
  fourth.hang_up(call_);
  EXPECT_THAT(texts(*john_, 3).back(), HasSubstr("parked at 103, has hung up"));
  set("message_recalled = FALSE, recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 1, "
      "recall_attempts_max = 1");
  parked_client("*68104");
  EXPECT_TRUE(nothing_parked());
  set("recall_mode = 'off'");
  parked_client("*68");
  EXPECT_THAT(texts(*john_, 4).back(), HasSubstr("Parked at 101"));
  EXPECT_EQ(john_->messages().size(), 4U);
}

TEST_F(Told, N4_EachIsToldInTheLanguageOfHisExtension) {
  const auto bob = site().packet_phone("102", kBob);
  site().database().execute(
      "UPDATE extensions SET language = 'ru' WHERE tenant = 'demo.callpark' AND extension = '102'");
  PacketPhone& client = parked_client("*68102");
  site().database().execute(
      "UPDATE extensions SET language = NULL WHERE tenant = 'demo.callpark' AND extension = '102'");
  EXPECT_THAT(texts(*bob, 1),
              ElementsAre("Вызов на парковке 102: Client +442079460018. Чтобы ответить, наберите *88102"));
  client.hang_up(call_);
  EXPECT_THAT(texts(*john_, 1), ElementsAre(StartsWith("Client +442079460018, parked at 102")));
}

TEST_F(Told, N4_WithoutAPhoneTheTextIsCountedAndNothingElseHappens) {
  parked_client("*68106");
  EXPECT_TRUE(wait_until(kSoon, [] {
    return site().parkd_http("/metrics").body.find("callpark_messages_total{outcome=\"no_phone\"}") !=
           std::string::npos;
  }));
  EXPECT_TRUE(parked_at("106"));
}

TEST_F(Told, N4_APhoneThatDoesNotAnswerHoldsUpNeitherTheOthersNorTheNextText) {
  const auto bob = site().packet_phone("102", kBob);
  const LoopbackAddress nobody;
  const std::string added =
      site().kamailio().rpc("ul.add", "[\"location\", \"102@demo.callpark\", \"sip:102@" + nobody.text() +
                                          ":5060\", 300, 1.0, \".\", 0, 0, 8191]");
  ASSERT_THAT(added, Not(HasSubstr("error")));
  ASSERT_THAT(site().kamailio().rpc("ul.lookup", "[\"location\", \"102@demo.callpark\"]"), HasSubstr(nobody.text()));
  const auto began = std::chrono::steady_clock::now();
  PacketPhone& first = parked_client("*68102");
  EXPECT_EQ(texts(*bob, 1).size(), 1U);
  first.hang_up(call_);
  EXPECT_TRUE(nothing_parked());
  parked_client("*68102");
  EXPECT_EQ(texts(*bob, 2).size(), 2U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(30))
      << "Kamailio gives the unanswered text up after 30 s";
  EXPECT_THAT(site().kamailio().rpc("ul.rm", "[\"location\", \"102@demo.callpark\"]"), Not(HasSubstr("error")));
}

// ---- events ----

TEST_F(Told, L4_WhatHappenedStandsInTheTableOnceAlsoWhenParkdDies) {
  const auto bob = site().packet_phone("102", kBob);
  parked_client("*68");
  EXPECT_TRUE(events_are("parked 101"));
  EXPECT_EQ(site().database().value("SELECT CONCAT_WS('|', tenant, parker, caller_name, caller_number, park_group) "
                                    "FROM park_events"),
            "demo.callpark|101|Client|+442079460018|");
  // As if it had died between the row and the event.
  site().parkd().kill9();
  site().database().execute("DELETE FROM park_events");
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(events_are("parked 101"));
  const CallName call = retrieve(*bob, "*88101");
  EXPECT_TRUE(events_are("parked 101, retrieved 101 102"));
  EXPECT_TRUE(nothing_parked());
  EXPECT_TRUE(
      wait_until(kSoon, [] { return site().database().value("SELECT state FROM parked_calls") == "retrieved"; }));
  site().parkd().kill9();
  site().database().execute("DELETE FROM park_events WHERE event = 'retrieved'");
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(events_are("parked 101, retrieved 101 102"));
  bob->hang_up(call);
  EXPECT_TRUE(events_are("parked 101, retrieved 101 102, ended hung_up"));
  EXPECT_THAT(site().parkd().log(), HasSubstr("\"event\":\"ended\""));
  EXPECT_THAT(site().parkd_http("/metrics").body, HasSubstr("callpark_park_events_total{event=\"ended\"} 1"));
}

// ---- names ----

TEST_F(Told, N6_TheRetrieverSeesTheCallerAndNotTheCodeAlsoAfterAnotherPark) {
  const auto bob = site().packet_phone("102", kBob);
  const auto carol = site().packet_phone("103", kCarol);
  PacketPhone& client = parked_client("*68");
  const CallName first = retrieve(*bob, "*88101");
  const std::string shown = "\"Client\" <sip:+442079460018@demo.callpark>";
  const SipText answer = answer_to(*bob, first);
  EXPECT_EQ(answer.header("P-Asserted-Identity"), shown);
  EXPECT_EQ(answer.header("Remote-Party-ID"), shown + ";party=called;screen=yes;privacy=off");
  EXPECT_EQ(answer.header("Privacy"), "");
  EXPECT_TRUE(hear_each_other(*bob, client));
  park(*bob, first, "*68");
  EXPECT_TRUE(parked_at("102"));
  const CallName second = retrieve(*carol, "*88102");
  EXPECT_EQ(answer_to(*carol, second).header("P-Asserted-Identity"), shown);
  EXPECT_TRUE(hear_each_other(*carol, client));
  // Client holds and resumes: the offer that Carol gets repeats it.
  EXPECT_EQ(client.offer(call_, "sendonly"), 200);
  EXPECT_EQ(invite_to(*carol, second).header("P-Asserted-Identity"), shown);
  for (const SipText& message : client.received("")) {
    for (const char* header : {"P-Asserted-Identity", "Remote-Party-ID", "Privacy"}) {
      EXPECT_EQ(message.header(header), "") << "a trunk sees nothing new:\n" << message.text();
    }
  }
}

TEST_F(Told, N6_APhoneThatTakesAnotherFromGetsItByUpdateAndTheCallGoesOn) {
  const auto bob = site().packet_phone("102", kBob);
  PacketPhone& client = parked_client("*68");
  const CallName call = bob->start_call("*88101", "Supported: from-change\r\n");
  EXPECT_EQ(bob->wait_invite_status(call), 200);
  std::string from;
  EXPECT_TRUE(wait_until(kSoon, [&] {
    for (const SipText& message : bob->received(call)) {
      if (message.is_request() && message.method() == "UPDATE") from = message.header("From");
    }
    return !from.empty();
  }));
  EXPECT_THAT(from, StartsWith("\"Client\" <sip:+442079460018@demo.callpark>;tag="));
  EXPECT_TRUE(hear_each_other(*bob, client));
  EXPECT_EQ(client.offer(call_, "sendonly"), 200);
  EXPECT_EQ(client.offer(call_, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*bob, client));
  EXPECT_EQ(bob->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return client.is_closed(call_); }));
}

TEST_F(Told, N6_AfterARestartTheRetrieverStillSeesTheCaller) {
  const auto bob = site().packet_phone("102", kBob);
  parked_client("*68");
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  const CallName call = retrieve(*bob, "*88101");
  EXPECT_EQ(answer_to(*bob, call).header("P-Asserted-Identity"), "\"Client\" <sip:+442079460018@demo.callpark>");
}

TEST_F(Told, N6_ARecalledPhoneShowsTheOrbitAndTheCallerAndSoDoesTheSecondPark) {
  set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 5");
  const auto bob = site().packet_phone("102", kBob);
  parked_client("*68102");
  const CallName recall = john_->wait_incoming();
  EXPECT_THAT(invite_to(*john_, recall).header("From"),
              StartsWith("\"Recall 102: Client\" <sip:+442079460018@127.0.0.50>"));
  john_->answer(recall);
  EXPECT_TRUE(nothing_parked());
  set("recall_mode = 'off'");
  park(*john_, recall, "*68102");
  const CallName call = retrieve(*bob, "*88102");
  EXPECT_EQ(answer_to(*bob, call).header("P-Asserted-Identity"), "\"Client\" <sip:+442079460018@demo.callpark>");
}

TEST_F(Told, N6_ANameInAnyLanguageWithQuotesIsShownAsItIsAndNeverCutWithinALetter) {
  const auto bob = site().packet_phone("102", kBob);
  parked_client("*68102", "\"Жанна \\\"Z\\\" d'Arc \\\\ 東京\" <sip:+442079460018@127.0.0.50>");
  EXPECT_THAT(texts(*bob, 1), ElementsAre(HasSubstr("Жанна \"Z\" d'Arc \\ 東京 +442079460018")));
  const CallName call = retrieve(*bob, "*88102");
  EXPECT_EQ(answer_to(*bob, call).header("P-Asserted-Identity"),
            "\"Жанна \\\"Z\\\" d'Arc \\\\ 東京\" <sip:+442079460018@demo.callpark>");
  EXPECT_EQ(site().database().value("SELECT caller_name FROM park_events WHERE event = 'parked'"),
            "Жанна \"Z\" d'Arc \\\\ 東京");  // as the client prints it
  std::string name = "x";
  for (int i = 0; i < 40; ++i) name += "Ж";
  parked_client("*68102", "\"" + name + "\" <sip:+442079460018@127.0.0.50>");
  EXPECT_THAT(texts(*bob, 2).back(), HasSubstr(": " + name.substr(0, 59) + " +44"));
}

TEST_F(Told, N6_AnExtensionIsShownByItsNameAndNumberHoweverItWasReached) {
  site().database().execute(
      "UPDATE extensions SET display_name = 'Эрин Эллис' WHERE tenant = 'demo.callpark' AND extension = '105'");
  const auto erin = site().packet_phone("105", kBob, true);
  const auto carol = site().packet_phone("103", kCarol);
  // John has called.
  const CallName out = erin->start_call("101");
  park_incoming(*erin, out, *john_, "*68");
  const CallName first = retrieve(*carol, "*88101");
  const std::string shown = "\"Эрин Эллис\" <sip:105@demo.callpark>";
  EXPECT_EQ(answer_to(*carol, first).header("P-Asserted-Identity"), shown);
  carol->hang_up(first);
  EXPECT_TRUE(nothing_parked());
  // John was called, by the number of a ring group.
  const auto dave = site().packet_phone("104", kAlice);
  const CallName group = dave->call("601");
  park(*dave, group, "*68");
  const CallName second = retrieve(*carol, "*88104");
  EXPECT_EQ(answer_to(*carol, second).header("P-Asserted-Identity"), shown);
  site().database().execute(
      "UPDATE extensions SET display_name = 'Erin Ellis' WHERE tenant = 'demo.callpark' AND extension = '105'");
}

TEST_F(Told, N6_WhoWithholdsHisNumberIsKnownToNobody) {
  const std::string asserted = "P-Asserted-Identity: \"Client\" <sip:+442079460018@127.0.0.50>\r\nPrivacy: id\r\n";
  set("recall_mode = 'parker_only', recall_after_seconds = 2, ring_seconds = 10");
  const auto bob = site().packet_phone("102", kBob);
  const auto carol = site().packet_phone("103", kCarol);
  std::size_t times = 0;
  for (const auto& [from, headers] : {std::pair("\"Anonymous\" <sip:anonymous@anonymous.invalid>", std::string()),
                                      std::pair("\"Anonymous\" <sip:anonymous@127.0.0.50>", asserted),
                                      std::pair("\"Client\" <sip:+442079460018@127.0.0.50>", asserted)}) {
    SCOPED_TRACE(from + headers);
    ++times;
    parked_client("*68102", from, headers);
    EXPECT_THAT(texts(*bob, times).back(), "Parked at 102: Withheld number. To pick up, dial *88102");
    const CallName recall = john_->wait_incoming();
    EXPECT_THAT(invite_to(*john_, recall).header("From"),
                StartsWith("\"Recall 102: Anonymous\" <sip:anonymous@anonymous.invalid>"));
    const CallName call = retrieve(*carol, "*88102");
    const SipText answer = answer_to(*carol, call);
    EXPECT_EQ(answer.header("P-Asserted-Identity"), "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
    EXPECT_THAT(answer.header("Remote-Party-ID"), HasSubstr("privacy=full"));
    EXPECT_EQ(answer.header("Privacy"), "id");
    EXPECT_THAT(texts(*john_, times).back(), "Withheld number, parked at 102, was picked up by 103.");
    carol->hang_up(call);
    EXPECT_TRUE(nothing_parked());
  }
  EXPECT_EQ(site().database().value("SELECT GROUP_CONCAT(DISTINCT caller_name, caller_number) FROM park_events"), "");
  for (const PacketPhone* phone : {bob.get(), carol.get()}) {
    for (const SipText& message : phone->received("")) EXPECT_THAT(message.text(), Not(HasSubstr("2079460018")));
  }
  for (const SipText& message : john_->received("")) {
    EXPECT_EQ(message.header("P-Asserted-Identity"), "") << "Kamailio passes it on to no phone";
  }
}

}  // namespace
}  // namespace callpark::test
