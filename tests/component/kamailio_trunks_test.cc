// Several trunks of a tenant through the real Kamailio: which one carries a call to an outside number.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

/// The demo tenant with the trunks a, b and c, each at an address of its own.
class KamailioTrunks : public testing::Test {
 protected:
  void SetUp() override {
    execute("UPDATE trunks SET trunk = 'a'");
    for (const auto& [name, address] : {std::pair("b", &b_), std::pair("c", &c_)}) {
      execute(fmt::format("INSERT INTO trunks (tenant, trunk, address) VALUES ('demo.callpark', '{}', '{}')", name,
                          address->text()));
    }
    alice = site.phone("101");
  }
  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log() << "\n";
  }

  void execute(const std::string& sql) const { site.database.execute("USE callpark; " + sql); }
  /// A count of Kamailio's, "script:NAME = N" in its answer.
  [[nodiscard]] int statistic(const std::string& name) const {
    const std::string answer = site.kamailio->rpc("stats.get_statistics", R"(["script:"])");
    const auto at = answer.find(":" + name + " = ");
    return at == std::string::npos ? -1 : std::stoi(answer.substr(answer.find('=', at) + 2));
  }
  [[nodiscard]] int failures() const { return statistic("trunk_failures"); }
  [[nodiscard]] const std::string& address(const std::string& trunk) const {
    return trunk == "a" ? site.trunk_address.text() : trunk == "b" ? b_.text() : c_.text();
  }
  /// That trunk as a phone.
  [[nodiscard]] std::unique_ptr<PacketPhone> carrier(const std::string& trunk, bool auto_answer = true) const {
    return std::make_unique<PacketPhone>(PacketPhone::Options{.user = trunk,
                                                              .password = "",
                                                              .domain = site.outside().text(),
                                                              .address = address(trunk),
                                                              .proxy = site.outside(),
                                                              .auto_answer = auto_answer});
  }

  KamailioSite site;
  std::unique_ptr<PacketPhone> alice;

 private:
  LoopbackAddress b_;
  LoopbackAddress c_;
};

/// All three trunks, which answer at once.
class AnsweringTrunks : public KamailioTrunks {
 protected:
  void SetUp() override {
    KamailioTrunks::SetUp();
    for (const std::string name : {"a", "b", "c"}) trunks_.emplace(name, carrier(name));
  }
  /// The trunk that carries a call of 101 to that number, which is then hung up; the status of one that is refused.
  std::string carrier_of(const std::string& number) {
    const CallName call = alice->start_call(number);
    const int status = alice->wait_invite_status(call);
    if (status != 200) return std::to_string(status);
    const std::string names = carriers_of(call);
    EXPECT_EQ(alice->hang_up(call), 200);
    return names;
  }
  /// The trunks that have got that call.
  [[nodiscard]] std::string carriers_of(const CallName& call) const {
    std::string names;
    for (const auto& [name, phone] : trunks_) {
      if (count(*phone, call, "INVITE") > 0) names += name;
    }
    return names;
  }
  [[nodiscard]] PacketPhone& trunk(const std::string& name) const { return *trunks_.at(name); }

 private:
  std::map<std::string, std::unique_ptr<PacketPhone>> trunks_;
};

TEST_F(AnsweringTrunks, T2_TheFirstByNameCarriesCallsUntilAnotherHasPriority) {
  EXPECT_EQ(carrier_of("+15551234"), "a");
  execute("UPDATE trunks SET priority = 7 WHERE trunk = 'c'");
  EXPECT_EQ(carrier_of("+15551234"), "c");
  execute("UPDATE trunks SET priority = 8 WHERE trunk = 'a'; UPDATE trunks SET enabled = FALSE WHERE trunk = 'c'");
  EXPECT_EQ(carrier_of("+15551234"), "a");
  execute("UPDATE trunks SET enabled = FALSE WHERE trunk <> 'b'");
  EXPECT_EQ(carrier_of("+15551234"), "b");
  execute("UPDATE trunks SET enabled = FALSE");
  EXPECT_EQ(carrier_of("+15551234"), "404");
}

TEST_F(AnsweringTrunks, T2_TheLongestPrefixDecidesWhichTrunksCarryACall) {
  execute(
      "INSERT INTO trunk_prefixes VALUES ('demo.callpark', 'b', '+44'), ('demo.callpark', 'C', '+4420'), "
      "('demo.callpark', 'c', '+49')");
  EXPECT_EQ(carrier_of("+442030000"), "c");
  EXPECT_EQ(carrier_of("+44161"), "b");
  EXPECT_EQ(carrier_of("+4930"), "c");
  EXPECT_EQ(carrier_of("+15551234"), "a");
  execute("UPDATE trunks SET enabled = FALSE WHERE trunk = 'c'");
  EXPECT_EQ(carrier_of("+442030000"), "b");
  EXPECT_EQ(carrier_of("+4930"), "a");
  execute("INSERT INTO trunk_prefixes VALUES ('demo.callpark', 'a', '+1555')");
  EXPECT_EQ(carrier_of("+15551234"), "a");
  EXPECT_EQ(carrier_of("+16"), "404") << "no trunk without prefixes is left";
  execute("DELETE FROM trunk_prefixes WHERE trunk = 'b'");
  EXPECT_EQ(carrier_of("+16"), "b");
  execute("UPDATE trunks SET trunk = 'd' WHERE trunk = 'a'");
  EXPECT_EQ(carrier_of("+15551234"), "a") << "the prefixes have followed the name";
}

TEST_F(AnsweringTrunks, T2_WeightsShareTheCallsAmongTrunksOfOnePriority) {
  execute("UPDATE trunks SET weight = 1 WHERE trunk <> 'a'");
  std::map<std::string, int> calls;
  // None of two with equal shares gets all of so many, but once in 2^29.
  for (int i = 0; i < 30; ++i) ++calls[carrier_of("+15551234")];
  EXPECT_EQ(calls["a"], 0);
  EXPECT_EQ(calls["b"] + calls["c"], 30);
  EXPECT_GT(calls["b"], 0);
  EXPECT_GT(calls["c"], 0);
}

// ----- failover

class FailingTrunks : public KamailioTrunks {
 protected:
  /// That trunk, which answers calls with `status`; 0: with nothing.
  [[nodiscard]] std::unique_ptr<ParkdSeat> refusing(const std::string& trunk, int status) const {
    auto made = std::make_unique<ParkdSeat>(Endpoint{address(trunk), 5060});
    made->answer_with(status);
    return made;
  }
  /// The final answers to the INVITE of a call of `phone`, but the challenge.
  static std::vector<int> final_answers(const PacketPhone& phone, const CallName& call) {
    std::vector<int> answers;
    for (const auto& message : phone.received(call)) {
      const bool is_one = !message.is_request() && message.method() == "INVITE" && message.status() >= 200;
      if (is_one && message.status() != 407) answers.push_back(message.status());
    }
    return answers;
  }
  static bool stays_answered(const PacketPhone& phone, const CallName& call, int status) {
    return holds_for(300ms, [&] { return final_answers(phone, call) == std::vector<int>{status}; });
  }
};

TEST_F(FailingTrunks, T2_ATrunkThatRefusesIsFollowedByTheNext) {
  const auto a = refusing("a", 503);
  const auto b = refusing("b", 500);
  auto c = carrier("c");
  const CallName call = alice->call("+15551234");
  EXPECT_EQ(c->wait_incoming(), call);
  EXPECT_EQ(a->received("INVITE").size(), 1U);
  EXPECT_EQ(b->received("INVITE").size(), 1U);
  EXPECT_EQ(b->received("INVITE").front().request_uri(), "sip:+15551234@" + address("b") + ":5060;transport=udp");
  EXPECT_EQ(count(*c, call, "INVITE"), 1U);
  EXPECT_TRUE(stays_answered(*alice, call, 200));
  EXPECT_EQ(failures(), 2);
  EXPECT_EQ(alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(c->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice->is_closed(call); }));
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return site.database.value("SELECT GROUP_CONCAT(callee_number, ' ', callee_trunk) FROM callpark.cdrs") ==
           "+15551234 c";
  }));
}

TEST_F(FailingTrunks, T2_ASilentTrunkIsFollowedByTheNext) {
  const auto a = refusing("a", 0);
  auto b = carrier("b");
  const CallName call = alice->start_call("+15551234");
  EXPECT_EQ(alice->wait_invite_status(call, 2 * kSoon), 200);
  EXPECT_EQ(b->wait_incoming(), call);
  EXPECT_FALSE(a->received("INVITE").empty());
  EXPECT_EQ(failures(), 1);
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(stays_answered(*alice, call, 200));
}

TEST_F(FailingTrunks, T2_ATrunkThatCannotBeSentToIsFollowedByTheNext) {
  execute("UPDATE trunks SET port = 5097, transport = 'tcp' WHERE trunk <> 'c'");
  auto c = carrier("c");
  const CallName call = alice->call("+15551234");
  EXPECT_EQ(c->wait_incoming(), call);
  EXPECT_EQ(failures(), 2);
  EXPECT_EQ(c->hang_up(call), 200);
  EXPECT_TRUE(stays_answered(*alice, call, 200));
}

TEST_F(FailingTrunks, T2_ARefusalByTheCalledPartyIsNoFailureOfTheTrunk) {
  const auto a = refusing("a", 486);
  const auto b = refusing("b", 503);
  for (const int status : {486, 404, 480, 403, 513, 603}) {
    a->answer_with(status);
    const CallName call = alice->start_call("+15551234");
    EXPECT_EQ(alice->wait_invite_status(call), status);
    EXPECT_TRUE(stays_answered(*alice, call, status));
  }
  EXPECT_TRUE(b->received("INVITE").empty());
  EXPECT_EQ(failures(), 0);
}

TEST_F(FailingTrunks, T2_ACalledPartyThatHasRungIsNotCalledAgain) {
  auto a = carrier("a", false);
  const auto b = refusing("b", 200);
  const CallName call = alice->start_call("+15551234");
  EXPECT_EQ(a->wait_incoming(), call);
  ASSERT_TRUE(wait_until(kSoon, [&] {
    return std::ranges::any_of(alice->received(call), [](const auto& message) { return message.status() == 180; });
  }));
  a->refuse(call, 503);
  EXPECT_EQ(alice->wait_invite_status(call), 503);
  EXPECT_TRUE(b->received("INVITE").empty());
  EXPECT_EQ(failures(), 0);
}

TEST_F(FailingTrunks, T2_WithoutATrunkThatLivesTheCallerHasOneAnswer) {
  const auto a = refusing("a", 503);
  const auto b = refusing("b", 502);
  const auto c = refusing("c", 504);
  const CallName call = alice->start_call("+15551234");
  const int status = alice->wait_invite_status(call);
  EXPECT_GE(status, 502);
  EXPECT_LE(status, 504);
  EXPECT_TRUE(stays_answered(*alice, call, status));
  EXPECT_EQ(c->received("INVITE").size(), 1U);
  EXPECT_EQ(failures(), 3);
}

TEST_F(FailingTrunks, T2_ACallerThatHangsUpIsCalledForNoMore) {
  const auto a = refusing("a", 0);
  const auto b = refusing("b", 200);
  const CallName call = alice->start_call("+15551234");
  ASSERT_TRUE(wait_until(kSoon, [&] { return !a->received("INVITE").empty(); }));
  alice->cancel(call);
  EXPECT_EQ(alice->wait_invite_status(call, 2 * kSoon), 487);
  EXPECT_TRUE(holds_for(300ms, [&] { return b->received("INVITE").empty(); }));
}

TEST_F(FailingTrunks, T2_ACallOfParkdFailsOver) {
  const auto a = refusing("a", 503);
  auto b = carrier("b");
  site.seat->send(invite_of_parkd(site.seat->own(), "sip:+15551234@demo.callpark", "demo.callpark"), site.inside());
  EXPECT_EQ(site.seat->wait_response(200).status(), 200);
  EXPECT_EQ(site.seat->responses(503), 0U);
  EXPECT_EQ(a->received("INVITE").size(), 1U);
  b->wait_incoming();
  EXPECT_EQ(failures(), 1);
}

// Behind a call flow parkd learns the number outside, whichever trunk reaches it.
TEST_F(FailingTrunks, T2_ACallOfParkdThroughACallFlowFailsOver) {
  execute("UPDATE call_flows SET destination = '+15551234' WHERE number = '300'");
  const auto a = refusing("a", 503);
  auto b = carrier("b");
  site.seat->send(invite_of_parkd(site.seat->own(), "sip:300@demo.callpark", "demo.callpark"), site.inside());
  EXPECT_EQ(site.seat->wait_response(200).header("X-Callpark-User"), "+15551234");
  b->wait_incoming();
}

TEST_F(FailingTrunks, T2_AMemberOutsideRingsByTheNextTrunkBesideTheOthers) {
  execute(
      "UPDATE ring_groups SET strategy = 'simultaneous'; INSERT INTO ring_group_members VALUES ('demo.callpark', "
      "'602', 9, '+15551234')");
  auto erin = site.ringing_phone("105");
  const auto a = refusing("a", 503);
  auto b = carrier("b", false);
  const CallName call = alice->start_call("602");
  EXPECT_EQ(b->wait_incoming(), call);
  EXPECT_EQ(erin->wait_incoming(), call);
  EXPECT_EQ(count(*erin, call, "CANCEL"), 0U);
  EXPECT_EQ(a->received("INVITE").size(), 1U);
  b->answer(call);
  EXPECT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*erin, call, "CANCEL") == 1; }));
  EXPECT_EQ(b->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] {
    return site.database.value("SELECT GROUP_CONCAT(callee_number, ' ', callee_trunk) FROM callpark.cdrs") ==
           "+15551234 b";
  }));
}

TEST_F(FailingTrunks, T2_ADestinationOutsideOfARingGroupFailsOver) {
  execute(
      "UPDATE ring_groups SET destination = '+15551234' WHERE ring_group = '602'; SET check_constraint_checks = 0; "
      "UPDATE ring_groups SET ring_seconds = 1");
  auto erin = site.ringing_phone("105");
  const auto a = refusing("a", 0);
  auto b = carrier("b");
  const CallName call = alice->start_call("602");
  EXPECT_EQ(erin->wait_incoming(), call);
  EXPECT_EQ(alice->wait_invite_status(call, 2 * kSoon), 200);
  EXPECT_EQ(b->wait_incoming(), call);
  EXPECT_EQ(failures(), 1);
}

// ----- calls that have waited for the verdict of a billing system

class JudgedCalls : public FailingTrunks {
 protected:
  void SetUp() override {
    FailingTrunks::SetUp();
    execute(
        "INSERT INTO billing_hook_secrets (tenant, secret) VALUES ('demo.callpark', "
        "'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=');"
        "INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = 'https://billing.example/', "
        "ask_incoming_call = TRUE");
    site.seat->answer_with([this](const SipText& request) {
      if (request.method() != "MESSAGE") return 200;
      site.seat->respond(request, 200, site.inside(), "", "X-Callpark-Verdict: 200 OK\r\n");
      return 0;
    });
  }
  /// What the caller has sent only to Kamailio, or to no phone.
  static constexpr auto kPrivate =
      "P-Asserted-Identity: <sip:boss@example.com>\r\nPrivacy: id\r\nProxy-Authorization: Digest username=\"u\"\r\n";
  static SipText invite(const PacketPhone& phone, const CallName& call) {
    const auto received = phone.received(call);
    const auto found = std::ranges::find_if(received, [](const SipText& message) { return message.is_request(); });
    return found == received.end() ? SipText() : *found;
  }
};

TEST_F(JudgedCalls, T2_TheNextTrunkOfAForwardedCallHasTheWholeRoute) {
  execute("UPDATE call_flows SET destination = '+15551234' WHERE number = '300'");
  const auto a = refusing("a", 503);
  auto b = carrier("b");
  auto c = carrier("c");
  const CallName call = c->start_call("+442030000300", kPrivate);
  EXPECT_EQ(c->wait_invite_status(call), 200);
  ASSERT_EQ(b->wait_incoming(), call);
  EXPECT_EQ(invite(*b, call).header("Record-Route").substr(0, 5), "<sip:");
  EXPECT_EQ(invite(*b, call).header("Proxy-Authorization"), "");
  EXPECT_EQ(c->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return b->is_closed(call); }));
}

TEST_F(JudgedCalls, N6_TheSecondMemberOfARingGroupHasTheRouteAndNoPrivateIdentity) {
  execute("UPDATE dids SET destination = '602' WHERE did = '+442030000101'");
  auto erin = site.ringing_phone("105");
  auto frank = site.phone("106");
  auto a = carrier("a");
  const CallName call = a->start_call("+442030000101", kPrivate);
  ASSERT_EQ(erin->wait_incoming(), call);
  erin->refuse(call, 486);
  EXPECT_EQ(a->wait_invite_status(call), 200);
  for (const PacketPhone* phone : {erin.get(), frank.get()}) {
    EXPECT_EQ(invite(*phone, call).header("Record-Route").substr(0, 5), "<sip:") << phone->name();
    EXPECT_EQ(invite(*phone, call).header("P-Asserted-Identity"), "") << phone->name();
    EXPECT_EQ(invite(*phone, call).header("Proxy-Authorization"), "") << phone->name();
  }
  EXPECT_EQ(frank->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return a->is_closed(call); }));
}

// ----- maxima of calls

class FullTrunks : public AnsweringTrunks {
 protected:
  [[nodiscard]] CallName call_out() const {
    const CallName call = alice->start_call("+15551234");
    EXPECT_EQ(alice->wait_invite_status(call), 200);
    return call;
  }
};

TEST_F(FullTrunks, T2_AFullTrunkIsPassedOverUntilACallOfItEnds) {
  execute("UPDATE trunks SET calls_max = 1 WHERE trunk <> 'c'; UPDATE trunks SET enabled = FALSE WHERE trunk = 'c'");
  const CallName first = call_out();
  const CallName second = call_out();
  EXPECT_EQ(carriers_of(first) + carriers_of(second), "ab");
  const CallName third = alice->start_call("+15551234");
  EXPECT_EQ(alice->wait_invite_status(third), 503);
  EXPECT_EQ(alice->received(third).back().start_line(), "SIP/2.0 503 Too Many Calls At All Trunks");
  EXPECT_EQ(statistic("requests_refused_as_too_many"), 1);
  EXPECT_EQ(alice->hang_up(second), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return carrier_of("+15551234") == "b"; }))
      << "a call that has ended counts no more";
  execute("UPDATE trunks SET calls_max = 0 WHERE trunk = 'a'");
  EXPECT_EQ(carrier_of("+15551234"), "a");
  EXPECT_EQ(alice->hang_up(first), 200);
}

TEST_F(FullTrunks, T2_CallsOfATrunkCountAlsoThoseInAndThoseOfParkd) {
  execute("UPDATE trunks SET calls_max = 2 WHERE trunk = 'a'");
  auto bob = site.phone("102");
  const CallName in = trunk("a").call("+442030000102");
  site.seat->send(invite_of_parkd(site.seat->own(), "sip:+15559999@demo.callpark", "demo.callpark"), site.inside());
  ASSERT_EQ(site.seat->wait_response(200).status(), 200);
  const CallName parkds = trunk("a").wait_incoming();
  EXPECT_EQ(carrier_of("+15551234"), "b");
  EXPECT_EQ(trunk("a").hang_up(parkds), 200) << "parkd answers it";
  EXPECT_TRUE(wait_until(kSoon, [&] { return carrier_of("+15551234") == "a"; }));
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM callpark.dialog"), "1") << "that of the call in";
  EXPECT_EQ(bob->hang_up(in), 200);
}

TEST_F(FullTrunks, T2_CallsOfATrunkCountAfterAKillOfKamailio) {
  execute("UPDATE trunks SET calls_max = 1");
  const CallName call = call_out();
  ASSERT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.dialog") == "1"; }));
  site.kamailio->kill9();
  site.kamailio->start();
  EXPECT_EQ(carrier_of("+15551234"), "b");
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return carrier_of("+15551234") == "a"; }));
}

TEST_F(FailingTrunks, T2_ATrunkThatHasFailedHasNoCall) {
  execute("UPDATE trunks SET calls_max = 1");
  const auto a = refusing("a", 503);
  auto b = carrier("b");
  const CallName first = alice->call("+15551234");
  EXPECT_EQ(b->wait_incoming(), first);
  a->answer_with(200);
  const CallName second = alice->start_call("+15551234");
  EXPECT_EQ(alice->wait_invite_status(second), 200);
  EXPECT_EQ(a->received("INVITE").size(), 2U);
  EXPECT_EQ(count(*b, second, "INVITE"), 0U);
}

TEST_F(FailingTrunks, T2_AFullTrunkIsPassedOverAfterAFailure) {
  execute("UPDATE trunks SET calls_max = 1 WHERE trunk = 'b'; UPDATE trunks SET priority = 1 WHERE trunk = 'b'");
  auto b = carrier("b");
  const CallName first = alice->call("+15551234");
  EXPECT_EQ(b->wait_incoming(), first);
  execute("UPDATE trunks SET priority = 200 WHERE trunk <> 'a'");
  const auto a = refusing("a", 503);
  auto c = carrier("c");
  const CallName second = alice->call("+15551234");
  EXPECT_EQ(c->wait_incoming(), second);
  EXPECT_EQ(count(*b, second, "INVITE"), 0U);
}

TEST_F(FailingTrunks, T2_AMemberOutsideThatDoesNotAnswerFirstHasNoCall) {
  execute(
      "UPDATE trunks SET calls_max = 1; UPDATE ring_groups SET strategy = 'simultaneous'; INSERT INTO "
      "ring_group_members VALUES ('demo.callpark', '602', 9, '+15551234')");
  auto erin = site.ringing_phone("105");
  auto a = carrier("a", false);
  const CallName group = alice->start_call("602");
  EXPECT_EQ(a->wait_incoming(), group);
  EXPECT_EQ(erin->wait_incoming(), group);
  ASSERT_TRUE(wait_until(kSoon, [&] {
    const auto received = alice->received(group);
    return std::ranges::count_if(received, [](const auto& message) { return message.status() == 180; }) >= 2;
  }));
  erin->answer(group);
  EXPECT_EQ(alice->wait_invite_status(group), 200);
  const CallName out = alice->start_call("+15551234");
  EXPECT_EQ(a->wait_incoming(), out);
}

// ----- probes

/// A trunk that answers OPTIONS with a status, 0: with nothing; and calls with 200.
class ProbedTrunk {
 public:
  ProbedTrunk(const Endpoint& own, int status) : status_(status), socket_(own), thread_([this] { run(); }) {}
  ProbedTrunk(const ProbedTrunk&) = delete;
  ProbedTrunk& operator=(const ProbedTrunk&) = delete;
  ~ProbedTrunk() {
    running_ = false;
    thread_.join();
  }
  void answer_with(int status) { status_ = status; }
  [[nodiscard]] int probes() const { return probes_; }
  [[nodiscard]] int calls() const { return calls_; }

 private:
  void run() {
    while (running_) {
      const auto datagram = socket_.receive(std::chrono::milliseconds(50));
      if (!datagram) continue;
      const SipText message(datagram->bytes);
      probes_ += message.method() == "OPTIONS" ? 1 : 0;
      calls_ += message.method() == "INVITE" ? 1 : 0;
      const int status = message.method() == "OPTIONS" ? status_.load() : 200;
      if (!message.is_request() || message.method() == "ACK" || status == 0) continue;
      std::string text = "SIP/2.0 " + std::to_string(status) + " Trunk\r\n";
      for (const auto& via : message.headers("Via")) text += "Via: " + via + "\r\n";
      for (const auto& route : message.headers("Record-Route")) text += "Record-Route: " + route + "\r\n";
      socket_.send(text + "From: " + message.header("From") + "\r\nTo: " + message.header("To") +
                       ";tag=t\r\nCall-ID: " + message.call_id() + "\r\nCSeq: " + message.header("CSeq") +
                       "\r\nContact: <sip:t@" + socket_.own().text() + ">\r\nContent-Length: 0\r\n\r\n",
                   datagram->from);
    }
  }

  std::atomic<int> status_;
  std::atomic<int> probes_{0};
  std::atomic<int> calls_{0};
  UdpSocket socket_;
  std::atomic<bool> running_{true};
  std::thread thread_;
};

// Four probes are 15 to 20 s.
TEST_F(FailingTrunks, T2_ATrunkThatAnswersNoProbesIsTriedLastUntilItAnswers) {
  ProbedTrunk a({address("a"), 5060}, 0);
  ProbedTrunk b({address("b"), 5060}, 200);
  execute("UPDATE trunks SET probe = TRUE WHERE trunk <> 'c'");
  ASSERT_TRUE(wait_until(5 * kSoon, [&] { return statistic("trunks_found_dead") == 1; }));
  EXPECT_GT(a.probes(), 3);
  EXPECT_GT(b.probes(), 0);
  const CallName first = alice->start_call("+15551234");
  EXPECT_EQ(alice->wait_invite_status(first), 200);
  EXPECT_EQ(a.calls(), 0);
  EXPECT_EQ(b.calls(), 1);
  EXPECT_EQ(failures(), 0);
  execute("UPDATE trunks SET enabled = FALSE WHERE trunk <> 'a'");
  const CallName second = alice->start_call("+15551234");
  EXPECT_EQ(alice->wait_invite_status(second), 200) << "a probe may be wrong";
  EXPECT_EQ(a.calls(), 1);
  execute("UPDATE trunks SET enabled = TRUE");
  a.answer_with(404);
  EXPECT_TRUE(wait_until(5 * kSoon, [&] {
    const CallName call = alice->start_call("+15551234");
    return alice->wait_invite_status(call) == 200 && alice->hang_up(call) == 200 && a.calls() >= 2;
  }));
}

}  // namespace
}  // namespace callpark::test
