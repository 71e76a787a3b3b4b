// Calls that lead to menus and announcements through the real Kamailio: what parkd receives, by whichever way a call
// comes, and what Kamailio keeps of such a call.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/component/kamailio_site.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

/// The demo tenant has besides: the menu 500, the announcement 510, the DID +442030000500 of the menu, the call flow
/// 320 to the announcement, alternately to the menu, and ring group 650 of 101 with the menu as its destination.
class KamailioMenus : public testing::Test {
 protected:
  void SetUp() override {
    execute(
        "INSERT INTO ivr_menus (tenant, name, number, greeting_text) VALUES "
        "('demo.callpark', 'front', '500', 'Welcome');"
        "INSERT INTO announcements (tenant, name, number, text) VALUES "
        "('demo.callpark', 'closed', '510', 'We are closed');"
        "INSERT INTO dids (did, tenant, destination) VALUES ('+442030000500', 'demo.callpark', '500');"
        "INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES "
        "('demo.callpark', 'front', '320', '510', '500');"
        "INSERT INTO ring_groups (tenant, ring_group, strategy, destination) VALUES "
        "('demo.callpark', '650', 'simultaneous', '500');"
        "INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES "
        "('demo.callpark', '650', 1, '101')");
  }
  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log() << "\n";
  }

  void execute(const std::string& sql) const { site.database.execute("USE callpark; " + sql); }
  int status_of_call(PacketPhone& phone, const std::string& target, const std::string& headers = "") {
    return phone.wait_invite_status(phone.start_call(target, headers));
  }
  /// The INVITE of that call as parkd gets it; an empty one if none comes.
  SipText invite_of(const CallName& call) const {
    const auto found = [&]() -> SipText {
      for (const auto& invite : site.seat->received("INVITE")) {
        if (invite.call_id() == call) return invite;
      }
      return SipText();
    };
    wait_until(kSoon, [&] { return !found().text().empty(); });
    return found();
  }
  std::size_t received(const CallName& call, const std::string& method) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        site.seat->received(method), [&](const SipText& message) { return message.call_id() == call; }));
  }

  /// Request-URI, tenant, extension and trunk: "sip:500@demo.callpark demo.callpark 104 -".
  static std::string facts_in(const SipText& invite) {
    const auto text = [&](const std::string& name) {
      const std::string value = invite.header(name);
      return " " + (value.empty() ? "-" : value);
    };
    return invite.request_uri() + text("X-Callpark-Tenant") + text("X-Callpark-User") + text("X-Callpark-Trunk");
  }
  /// `caller` calls `target`: parkd receives that, and answers.
  CallName reach(PacketPhone& caller, const std::string& target, const std::string& facts,
                 const std::string& headers = "") {
    const CallName call = caller.start_call(target, headers);
    EXPECT_EQ(caller.wait_invite_status(call), 200) << target;
    EXPECT_EQ(facts_in(invite_of(call)), facts) << target;
    EXPECT_FALSE(dialog_in(invite_of(call)).is_object());
    return call;
  }
  /// The requests of such a call reach parkd, and its BYE reaches the caller.
  void expect_dialog(PacketPhone& caller, const CallName& call) {
    EXPECT_EQ(caller.send_info_digit(call, '1'), 200);
    EXPECT_EQ(received(call, "INFO"), 1U);
    EXPECT_EQ(caller.offer(call, "sendonly"), 200);
    EXPECT_EQ(received(call, "INVITE"), 2U);
    EXPECT_EQ(caller.request(call, "UPDATE"), 200);
    EXPECT_EQ(received(call, "UPDATE"), 1U);
    site.seat->send(request_of_parkd(call, "INFO"), site.inside());
    EXPECT_TRUE(wait_until(kSoon, [&] { return count(caller, call, "INFO") == 1; }));
    site.seat->send(request_of_parkd(call, "BYE"), site.inside());
    EXPECT_TRUE(wait_until(kSoon, [&] { return caller.is_closed(call); }));
  }
  /// A request of parkd's within the dialog of a call that it has answered.
  std::string request_of_parkd(const CallName& call, const std::string& method) {
    const SipText invite = invite_of(call);
    std::string text = method + " " + uri_in(invite.header("Contact")) + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
                       site.seat->own().text() + ";branch=z9hG4bK" + md5_hex(call + method) +
                       "\r\nMax-Forwards: 70\r\n";
    for (const auto& route : invite.headers("Record-Route")) text += "Route: " + route + "\r\n";
    return text + "From: " + invite.header("To") + ";tag=parkd\r\nTo: " + invite.header("From") +
           "\r\nCall-ID: " + call + "\r\nCSeq: " + std::to_string(++cseq_) + " " + method + "\r\nContact: <sip:parkd@" +
           site.seat->own().text() + ">\r\nContent-Length: 0\r\n\r\n";
  }
  /// Of the calls so far Kamailio keeps nothing: the next ordinary one is the first with a CDR.
  void expect_no_cdrs(PacketPhone& caller) {
    auto frank = site.phone("106");
    const CallName call = caller.call("106");
    ASSERT_EQ(frank->wait_incoming(), call);
    EXPECT_EQ(caller.hang_up(call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.cdrs") == "1"; }));
    EXPECT_EQ(site.database.value("SELECT GROUP_CONCAT(callee_number) FROM callpark.cdrs"), "106");
    EXPECT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.dialog") == "0"; }));
  }

  /// parkd calls `uri`, in the name of `caller` ("103@demo.callpark") or of an outside one (""). The Call-ID.
  CallName call_of_parkd(const std::string& uri, const std::string& caller) {
    std::string invite = invite_of_parkd(site.seat->own(), uri, "demo.callpark");
    if (!caller.empty()) {
      invite.insert(invite.find("Content-Length"), "X-Callpark-Caller: " + caller + "\r\n");
    }
    site.seat->send(invite, site.inside());
    return SipText(invite).call_id();
  }

  KamailioSite site;
  std::unique_ptr<PacketPhone> dave = site.phone("104");

 private:
  int cseq_ = 100;
};

constexpr const char* kOfDave = "sip:500@demo.callpark demo.callpark 104 -";
constexpr const char* kOfTrunk = "sip:500@demo.callpark demo.callpark - demo";

// ----- the ways to a menu

TEST_F(KamailioMenus, F6_AMenuIsDialled) {
  const std::string by_address = "sip:500@" + site.outside().text();
  for (const std::string& target : std::vector<std::string>{"500", "500#", "tel:500", by_address}) {
    const CallName call = reach(*dave, target, kOfDave);
    if (target == "500") expect_dialog(*dave, call);
  }
}

TEST_F(KamailioMenus, F7_AnAnnouncementIsDialled) {
  const CallName call = reach(*dave, "510", "sip:510@demo.callpark demo.callpark 104 -");
  EXPECT_EQ(invite_of(call).header("X-Callpark-Name"), "Dave Dunn") << "its phone sends none";
  EXPECT_EQ(invite_of(call).header("X-Callpark-Dialled"), "") << "the number of the announcement";
  EXPECT_TRUE(invite_of(call).header("X-Callpark-Device").starts_with("udp:" + dave->options().address));
  EXPECT_EQ(dave->hang_up(call), 200);
  EXPECT_EQ(received(call, "BYE"), 1U);
  expect_no_cdrs(*dave);
}

TEST_F(KamailioMenus, F6_ADidLeadsToAMenu) {
  auto trunk = site.trunk();
  const CallName call = reach(*trunk, "+442030000500", kOfTrunk);
  EXPECT_NE(invite_of(call).header("From").find("sip:trunk@"), std::string::npos) << "the caller's own";
  EXPECT_EQ(invite_of(call).header("X-Callpark-Dialled"), "+442030000500") << "for its CDR (B4)";
  expect_dialog(*trunk, call);
  EXPECT_EQ(status_of_call(*trunk, "500"), 404) << "a trunk dials DIDs";
}

TEST_F(KamailioMenus, F6_ACallFlowLeadsToAMenuByItsStatus) {
  auto trunk = site.trunk();
  execute("INSERT INTO dids (did, tenant, destination) VALUES ('+442030000320', 'demo.callpark', '320')");
  const CallName by_flow = reach(*dave, "320", "sip:510@demo.callpark demo.callpark 104 -");
  EXPECT_EQ(invite_of(by_flow).header("X-Callpark-Dialled"), "320");
  execute("UPDATE call_flows SET status = 'off' WHERE name = 'front'");
  expect_dialog(*dave, reach(*dave, "320", kOfDave));
  expect_dialog(*trunk, reach(*trunk, "+442030000320", kOfTrunk));
}

TEST_F(KamailioMenus, F6_ARingGroupLeadsToAMenuAfterNobodyAnswered) {
  auto alice = site.ringing_phone("101");
  auto trunk = site.trunk();
  execute("INSERT INTO dids (did, tenant, destination) VALUES ('+442030000650', 'demo.callpark', '650')");
  for (const auto& [caller, target, facts] : std::vector<std::tuple<PacketPhone*, std::string, std::string>>{
           {dave.get(), "650", kOfDave}, {trunk.get(), "+442030000650", kOfTrunk}}) {
    const CallName call = caller->start_call(target);
    ASSERT_EQ(alice->wait_incoming(), call);
    EXPECT_EQ(received(call, "INVITE"), 0U) << "it rings";
    alice->refuse(call, 486);
    EXPECT_EQ(caller->wait_invite_status(call), 200);
    EXPECT_EQ(facts_in(invite_of(call)), facts);
    EXPECT_TRUE(invite_of(call).header("X-Callpark-Device").find(caller->options().address) != std::string::npos);
    EXPECT_EQ(invite_of(call).headers("X-Callpark-Tenant").size(), 1U);
    EXPECT_EQ(invite_of(call).header("X-Callpark-Dialled"), target);
    expect_dialog(*caller, call);
  }
  expect_no_cdrs(*dave);
}

TEST_F(KamailioMenus, F6_ARingGroupThatRingsForItsTimeLeadsToAMenu) {
  auto alice = site.ringing_phone("101");
  execute("SET check_constraint_checks = 0; UPDATE ring_groups SET ring_seconds = 1 WHERE ring_group = '650'");
  const CallName call = dave->start_call("650");
  ASSERT_EQ(alice->wait_incoming(), call);
  EXPECT_EQ(dave->wait_invite_status(call), 200);
  EXPECT_EQ(facts_in(invite_of(call)), kOfDave);
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*alice, call, "CANCEL") == 1; }));
  EXPECT_EQ(dave->hang_up(call), 200);
  EXPECT_EQ(received(call, "BYE"), 1U);
  expect_no_cdrs(*dave);
}

TEST_F(KamailioMenus, F6_ARingGroupWithoutAPhoneIsTheMenuAtOnce) {
  expect_dialog(*dave, reach(*dave, "650", kOfDave));
  execute(
      "UPDATE call_flows SET status = 'off' WHERE name = 'front';"
      "UPDATE ring_groups SET destination = '320' WHERE ring_group = '650'");
  reach(*dave, "650", kOfDave);
  expect_no_cdrs(*dave);
}

TEST_F(KamailioMenus, F6_TheCallersLampGoesOutWhenTheMenuBehindARingGroupAnswers) {
  auto alice = site.ringing_phone("101");
  const LoopbackAddress address;
  LampWatcher watcher(
      {.user = "101", .password = "demo-101", .lamp = "104", .address = address.text(), .proxy = site.outside()});
  ASSERT_EQ(watcher.subscribe(), 200);
  const CallName call = dave->start_call("650");
  ASSERT_EQ(alice->wait_incoming(), call);
  EXPECT_TRUE(watcher.wait_state("early"));
  alice->refuse(call, 486);
  EXPECT_EQ(dave->wait_invite_status(call), 200);
  EXPECT_TRUE(watcher.wait_state("terminated")) << "parkd publishes what follows";
}

TEST_F(KamailioMenus, F6_AMemberThatAnswersKeepsTheCallFromTheMenu) {
  auto alice = site.phone("101");
  const CallName call = dave->call("650");
  ASSERT_EQ(alice->wait_incoming(), call);
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  EXPECT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.cdrs") == "1"; }));
}

TEST_F(KamailioMenus, F6_ARingGroupWhoseMenuIsRefusedIsAnsweredByKamailio) {
  auto alice = site.ringing_phone("101");
  for (const int status : {503, 404, 486}) {
    site.seat->answer_with(status);
    const CallName call = dave->start_call("650");
    ASSERT_EQ(alice->wait_incoming(), call);
    alice->refuse(call, 486);
    EXPECT_EQ(dave->wait_invite_status(call), status == 486 ? 486 : 480) << status;
    EXPECT_FALSE(invite_of(call).text().empty());
  }
}

TEST_F(KamailioMenus, F6_ACallThatIsCancelledWhileTheGroupRingsReachesNoMenu) {
  auto alice = site.ringing_phone("101");
  const CallName call = dave->start_call("650");
  ASSERT_EQ(alice->wait_incoming(), call);
  EXPECT_TRUE(wait_until(kSoon, [&] {
    const auto received = dave->received(call);
    return std::ranges::any_of(received, [](const SipText& message) { return message.status() == 180; });
  }));
  dave->cancel(call);
  EXPECT_EQ(dave->wait_invite_status(call), 487);
  EXPECT_TRUE(site.seat->received("INVITE").empty());
}

// ----- calls of parkd

TEST_F(KamailioMenus, R4_ParkdCallsAMenuForAnExtension) {
  for (const std::string target : {"500", "320", "650"}) {
    execute("UPDATE call_flows SET status = 'off' WHERE name = 'front'");
    const CallName call = call_of_parkd("sip:" + target + "@demo.callpark", "103@demo.callpark");
    EXPECT_EQ(facts_in(invite_of(call)), "sip:500@demo.callpark demo.callpark 103 -") << target;
    EXPECT_TRUE(wait_until(kSoon, [&] { return site.seat->responses(200) > 0; }));
  }
  EXPECT_TRUE(site.seat->wait_response(200).header("X-Callpark-User").empty());
  auto alice = site.ringing_phone("101");
  const CallName call = call_of_parkd("sip:650@demo.callpark;x=1", "103@demo.callpark");
  ASSERT_EQ(alice->wait_incoming(), call);
  alice->refuse(call, 486);
  EXPECT_EQ(facts_in(invite_of(call)), "sip:500@demo.callpark demo.callpark 103 -");
}

TEST_F(KamailioMenus, R4_ParkdCallsAMenuForAnOutsideCaller) {
  EXPECT_EQ(facts_in(invite_of(call_of_parkd("sip:500@demo.callpark", ""))), kOfTrunk);
  execute("UPDATE trunks SET enabled = FALSE");
  call_of_parkd("sip:500@demo.callpark;x=1", "");
  EXPECT_EQ(site.seat->wait_response(404).status(), 404);
}

TEST_F(KamailioMenus, R4_ParkdIsBothPartiesOfItsCallToAMenu) {
  const CallName call = call_of_parkd("sip:500@demo.callpark", "103@demo.callpark");
  ASSERT_EQ(facts_in(invite_of(call)), "sip:500@demo.callpark demo.callpark 103 -");
  // The ACK by which the sender, and the BYE by which the receiver goes on.
  site.seat->send(request_of_parkd(call, "ACK"), site.inside());
  EXPECT_TRUE(wait_until(kSoon, [&] { return received(call, "ACK") == 1; }));
  site.seat->send(request_of_parkd(call, "BYE"), site.inside());
  EXPECT_TRUE(wait_until(kSoon, [&] { return received(call, "BYE") == 1; }));
}

TEST_F(KamailioMenus, R4_ARecallThatLeadsToAMenuEndsWhatRangBefore) {
  auto carol = site.ringing_phone("103");
  const auto recall = [&](const std::string& uri) {
    std::string invite = invite_of_parkd(site.seat->own(), uri, "demo.callpark");
    invite.insert(invite.find("Content-Length"),
                  "X-Callpark-Caller: 104@demo.callpark\r\nX-Callpark-Recall: park-1\r\n");
    site.seat->send(invite, site.inside());
    return SipText(invite).call_id();
  };
  const CallName first = recall("sip:103@demo.callpark");
  ASSERT_EQ(carol->wait_incoming(), first);
  EXPECT_TRUE(wait_until(kSoon, [&] { return site.seat->responses(180) == 1; }));
  EXPECT_EQ(facts_in(invite_of(recall("sip:500@demo.callpark"))), kOfDave);
  EXPECT_TRUE(wait_until(kSoon, [&] { return count(*carol, first, "CANCEL") == 1; }));
}

// ----- callers

TEST_F(KamailioMenus, N6_AWithheldCallerStaysWithheld) {
  const CallName call = reach(*dave, "500", kOfDave, "Privacy: id\r\n");
  EXPECT_EQ(invite_of(call).header("Privacy"), "id");
  EXPECT_EQ(invite_of(call).header("X-Callpark-Name"), "");
  auto trunk = site.trunk();
  const CallName outside = reach(*trunk, "+442030000500", kOfTrunk, "Privacy: id\r\n");
  EXPECT_EQ(invite_of(outside).header("Privacy"), "id");
}

TEST_F(KamailioMenus, F6_NobodyNamesAnotherTenantOrCaller) {
  auto other = site.phone("101", "other.callpark");
  EXPECT_EQ(status_of_call(*other, "500"), 404);
  EXPECT_EQ(status_of_call(*other, "sip:500@demo.callpark"), 403);
  reach(*dave, "500", kOfDave,
        "X-Callpark-User: 101\r\nX-Callpark-Trunk: demo\r\nX-Callpark-Tenant: other.callpark\r\n");
}

// ----- what is refused

TEST_F(KamailioMenus, F6_ADisabledMenuIs404) {
  auto trunk = site.trunk();
  execute("UPDATE ivr_menus SET enabled = FALSE; UPDATE announcements SET enabled = FALSE");
  for (const std::string target : {"500", "510", "320"}) EXPECT_EQ(status_of_call(*dave, target), 404) << target;
  EXPECT_EQ(status_of_call(*trunk, "+442030000500"), 404);
  EXPECT_EQ(status_of_call(*dave, "650"), 480) << "as without a destination";
  call_of_parkd("sip:500@demo.callpark", "103@demo.callpark");
  EXPECT_EQ(site.seat->wait_response(404).status(), 404);
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  execute("UPDATE ivr_menus SET enabled = TRUE");
  reach(*dave, "500", kOfDave);
}

TEST_F(KamailioMenus, F6_ARefusalOfParkdsReachesTheCaller) {
  site.seat->answer_with(503);
  EXPECT_EQ(status_of_call(*dave, "500"), 503);
}

TEST_F(KamailioMenus, F6_AMenuHasNoLamp) {
  const LoopbackAddress address;
  for (const std::string lamp : {"500", "510"}) {
    LampWatcher watcher(
        {.user = "101", .password = "demo-101", .lamp = lamp, .address = address.text(), .proxy = site.outside()});
    EXPECT_EQ(watcher.subscribe(), 404) << lamp;
  }
}

// ----- transfers

TEST_F(KamailioMenus, F6_ATransferToAMenuIsFollowedByTheOtherPhone) {
  auto alice = site.phone("101");
  const CallName call = alice->call("104");
  ASSERT_EQ(dave->wait_incoming(), call);
  ASSERT_EQ(alice->refer(call, "500"), 200) << "what Dave's phone answers to it";
  const auto received = dave->received(call);
  const auto refer = std::ranges::find_if(
      received, [](const SipText& message) { return message.is_request() && message.method() == "REFER"; });
  ASSERT_NE(refer, received.end());
  reach(*dave, uri_in(refer->header("Refer-To")), kOfDave);
}

TEST_F(KamailioMenus, F6_ATransferWithinACallToAMenuIsParkds) {
  const CallName call = reach(*dave, "500", kOfDave);
  site.seat->answer_with(603);
  EXPECT_EQ(dave->refer(call, "510"), 603);
  EXPECT_EQ(site.seat->wait_request("REFER").header("X-Callpark-User"), "104");
}

// ----- the billing system

TEST_F(KamailioMenus, B1_TheBillingSystemIsAskedAboutACallToAMenu) {
  execute(
      "INSERT INTO billing_hook_secrets (tenant, secret) VALUES ('demo.callpark', "
      "'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=');"
      "INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = 'https://billing.example/', "
      "ask_incoming_call = TRUE");
  auto trunk = site.trunk();
  std::string verdict = "200 OK";
  site.seat->answer_with([&](const SipText& request) {
    if (request.method() != "MESSAGE") return 200;
    site.seat->respond(request, 200, site.inside(), "", "X-Callpark-Verdict: " + verdict + "\r\n");
    return 0;
  });
  const auto last_question = [&] {
    return nlohmann::json::parse(site.seat->received("MESSAGE").back().body(), nullptr, false);
  };
  expect_dialog(*dave, reach(*dave, "500", kOfDave));
  EXPECT_EQ(last_question()["called"], "500");
  EXPECT_EQ(last_question()["aor"], "104@demo.callpark");
  reach(*trunk, "+442030000500", kOfTrunk);
  EXPECT_EQ(last_question()["trunk"], "demo");
  reach(*dave, "320", "sip:510@demo.callpark demo.callpark 104 -");
  EXPECT_EQ(last_question()["called"], "510");
  reach(*dave, "650", kOfDave);
  EXPECT_EQ(last_question()["called"], "650");
  EXPECT_EQ(site.seat->received("MESSAGE").size(), 4U);
  verdict = "402 Insufficient funds";
  EXPECT_EQ(status_of_call(*dave, "500"), 402);
  EXPECT_EQ(site.seat->received("INVITE").size(), 5U) << "one of them is a re-INVITE";
}

}  // namespace
}  // namespace callpark::test
