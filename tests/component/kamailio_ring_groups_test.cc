// Calls to ring groups through the real Kamailio: which phones ring and when, how it ends, and that the member that has
// answered may park like any other extension.
#include <gtest/gtest.h>

#include "tests/component/kamailio_site.h"

namespace callpark::test {
namespace {

/// Ring group 650 lets 102 and 103 ring at once; 651 first 103, then 102, and then its destination 101.
void make_groups(const KamailioSite& site) {
  site.database.execute(
      "USE callpark;"
      "INSERT INTO ring_groups (tenant, ring_group, strategy, destination) VALUES "
      "('demo.callpark', '650', 'simultaneous', NULL), ('demo.callpark', '651', 'sequential', '101');"
      "INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES "
      "('demo.callpark', '650', 1, '102'), ('demo.callpark', '650', 2, '103'),"
      "('demo.callpark', '651', 1, '103'), ('demo.callpark', '651', 2, '102')");
}

struct Office {
  Office() { make_groups(site); }

  KamailioSite site;
  std::unique_ptr<PacketPhone> alice = site.phone("101");
  std::unique_ptr<PacketPhone> bob = site.ringing_phone("102");
  std::unique_ptr<PacketPhone> carol = site.ringing_phone("103");

  void execute(const std::string& sql) const { site.database.execute("USE callpark; " + sql); }
};

bool rings(PacketPhone& phone, const CallName& call) {
  return wait_until(kSoon, [&] { return count(phone, call, "INVITE") == 1; });
}

/// The caller has a 180 of each of so many. Before that Kamailio could not cancel them: RFC 3261 9.1.
bool hears_ringing(const PacketPhone& caller, const CallName& call, std::ptrdiff_t phones) {
  return wait_until(kSoon, [&] {
    const auto received = caller.received(call);
    return std::ranges::count_if(received, [](const SipText& message) { return message.status() == 180; }) >= phones;
  });
}

bool does_not_ring(const PacketPhone& phone, const CallName& call) {
  return holds_for(300ms, [&] { return count(phone, call, "INVITE") == 0; });
}

testing::AssertionResult has_stopped(const PacketPhone& phone, const CallName& call) {
  if (wait_until(kSoon, [&] { return count(phone, call, "CANCEL") == 1; })) return testing::AssertionSuccess();
  std::string all;
  for (const auto& message : phone.received(call)) all += message.start_line() + " " + message.header("CSeq") + "\n";
  return testing::AssertionFailure() << phone.name() << " got\n" << all;
}

// ----- members that ring

TEST(KamailioRingGroups, R8_AllMembersRingAndTheFirstToAnswerHasTheCall) {
  Office office;
  auto mobile = office.site.ringing_phone("102");
  const CallName call = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, call) && rings(*mobile, call) && rings(*office.carol, call));
  EXPECT_TRUE(hears_ringing(*office.alice, call, 3));
  office.carol->answer(call);
  EXPECT_EQ(office.alice->wait_invite_status(call), 200);
  EXPECT_TRUE(has_stopped(*office.bob, call));
  EXPECT_TRUE(has_stopped(*mobile, call));
  EXPECT_EQ(office.alice->offer(call, "sendonly"), 200);
  EXPECT_EQ(count(*office.carol, call, "INVITE"), 2U);
  EXPECT_EQ(office.carol->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return office.alice->is_closed(call); }));
  EXPECT_EQ(count(*office.carol, call, "CANCEL"), 0U);
  EXPECT_EQ(count(*office.bob, call, "BYE"), 0U);
}

TEST(KamailioRingGroups, R8_OneAfterTheOther) {
  Office office;
  const CallName call = office.alice->start_call("651");
  EXPECT_TRUE(rings(*office.carol, call));
  EXPECT_TRUE(does_not_ring(*office.bob, call));
  office.carol->refuse(call, 486);
  EXPECT_TRUE(rings(*office.bob, call));
  office.bob->answer(call);
  EXPECT_EQ(office.alice->wait_invite_status(call), 200);
  EXPECT_EQ(office.alice->hang_up(call), 200);
  EXPECT_EQ(count(*office.bob, call, "BYE"), 1U);
  EXPECT_EQ(count(*office.carol, call, "CANCEL") + count(*office.carol, call, "BYE"), 0U);
}

TEST(KamailioRingGroups, R8_WhoDoesNotAnswerInTimeIsFollowedByTheNext) {
  Office office;
  office.execute("SET check_constraint_checks = 0; UPDATE ring_groups SET ring_seconds = 1");
  const CallName call = office.alice->start_call("651");
  EXPECT_TRUE(rings(*office.carol, call));
  EXPECT_TRUE(rings(*office.bob, call));
  EXPECT_TRUE(has_stopped(*office.carol, call));
  EXPECT_TRUE(has_stopped(*office.bob, call));
  EXPECT_EQ(office.alice->wait_invite_status(call), 480) << "the destination is the caller";
}

TEST(KamailioRingGroups, R8_WhoDeclinesDoesNotSpeakForTheOthers) {
  Office office;
  const CallName call = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
  office.bob->refuse(call, 603);
  EXPECT_TRUE(holds_for(300ms, [&] { return count(*office.carol, call, "CANCEL") == 0; }));
  office.carol->answer(call);
  EXPECT_EQ(office.alice->wait_invite_status(call), 200);
}

TEST(KamailioRingGroups, R8_WhoIsNotRegisteredIsPassedOver) {
  Office office;
  office.execute(
      "INSERT INTO ring_group_members VALUES ('demo.callpark', '651', 0, '104'), "
      "('demo.callpark', '650', 0, '104')");
  const CallName one_by_one = office.alice->start_call("651");
  EXPECT_TRUE(rings(*office.carol, one_by_one));
  const CallName at_once = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, at_once));
}

TEST(KamailioRingGroups, R8_WhoCallsIsNotRungHimself) {
  Office office;
  const CallName call = office.bob->start_call("650");
  EXPECT_TRUE(rings(*office.carol, call));
  EXPECT_TRUE(does_not_ring(*office.bob, call));
}

TEST(KamailioRingGroups, R8_AnOutsideMemberRingsByTheTrunk) {
  Office office;
  auto trunk = office.site.trunk(false);
  office.execute("INSERT INTO ring_group_members VALUES ('demo.callpark', '650', 9, '+15551234')");
  const CallName call = office.alice->start_call("650");
  EXPECT_EQ(trunk->wait_incoming(), call);
  EXPECT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
  EXPECT_TRUE(hears_ringing(*office.alice, call, 2));
  trunk->answer(call);
  EXPECT_EQ(office.alice->wait_invite_status(call), 200);
  EXPECT_EQ(trunk->received(call).front().request_uri(),
            "sip:+15551234@" + office.site.trunk_address.text() + ":5060;transport=udp");
  EXPECT_TRUE(has_stopped(*office.bob, call) && has_stopped(*office.carol, call));
  office.site.seat->answer_with(202);
  EXPECT_EQ(office.alice->refer(call, "*68"), 202);
  const auto dialog = dialog_in(office.site.seat->wait_request("REFER"));
  EXPECT_EQ(dialog["callee"]["kind"], "trunk");
  EXPECT_FALSE(dialog["callee"].contains("aor"));
}

TEST(KamailioRingGroups, O5_ReplacesReachesNoOutsideMember) {
  Office office;
  auto trunk = office.site.trunk();
  office.execute("INSERT INTO ring_group_members VALUES ('demo.callpark', '650', 9, '+15551234')");
  const CallName call = office.alice->start_call("650", "Replaces: a;to-tag=b;from-tag=c\r\n");
  EXPECT_TRUE(rings(*office.bob, call));
  EXPECT_TRUE(trunk->received("").empty());
}

// ----- without an answer

TEST(KamailioRingGroups, R8_NobodyAnswersTheDestinationRings) {
  Office office;
  auto dave = office.site.phone("104");
  const CallName call = dave->start_call("651");
  EXPECT_TRUE(rings(*office.carol, call));
  office.carol->refuse(call, 603);
  EXPECT_TRUE(rings(*office.bob, call));
  office.bob->refuse(call, 486);
  EXPECT_EQ(office.alice->wait_incoming(), call);
  EXPECT_EQ(dave->wait_invite_status(call), 200);
  EXPECT_EQ(dave->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return office.alice->is_closed(call); }));
}

TEST(KamailioRingGroups, R8_TheDestinationMayBeAnotherRingGroup) {
  Office office;
  auto dave = office.site.ringing_phone("104");
  office.execute(
      "INSERT INTO ring_groups (tenant, ring_group) VALUES ('demo.callpark', '652');"
      "INSERT INTO ring_group_members VALUES ('demo.callpark', '652', 1, '104'), "
      "('demo.callpark', '652', 2, '+15551234');"
      "UPDATE ring_groups SET destination = '652' WHERE ring_group = '650'");
  const CallName call = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
  EXPECT_TRUE(does_not_ring(*dave, call));
  auto trunk = office.site.trunk(false);
  office.bob->refuse(call, 486);
  office.carol->refuse(call, 486);
  EXPECT_TRUE(rings(*dave, call));
  EXPECT_EQ(trunk->wait_incoming(), call);
  EXPECT_TRUE(hears_ringing(*office.alice, call, 3));
  trunk->answer(call);
  EXPECT_EQ(office.alice->wait_invite_status(call), 200);
  EXPECT_TRUE(has_stopped(*dave, call));
}

TEST(KamailioRingGroups, R8_TheDestinationMayBeOutside) {
  Office office;
  auto trunk = office.site.trunk();
  office.execute("UPDATE ring_groups SET destination = '+15551234' WHERE ring_group = '650'");
  const CallName call = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
  office.bob->refuse(call, 486);
  office.carol->refuse(call, 486);
  EXPECT_EQ(trunk->wait_incoming(), call);
  EXPECT_EQ(office.alice->wait_invite_status(call), 200);
  EXPECT_EQ(trunk->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return office.alice->is_closed(call); }));
}

TEST(KamailioRingGroups, R8_NobodyAnswersAndTheCallerIsTold) {
  Office office;
  const auto status = [&](int bobs, int carols) {
    const CallName call = office.alice->start_call("650");
    EXPECT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
    office.bob->refuse(call, bobs);
    office.carol->refuse(call, carols);
    return office.alice->wait_invite_status(call);
  };
  EXPECT_EQ(status(486, 486), 486);
  EXPECT_EQ(status(603, 486), 480);
  EXPECT_EQ(status(302, 486), 480) << "the caller is not sent where a member has moved to";
}

TEST(KamailioRingGroups, R8_WhenNobodyIsRegisteredTheDestinationRingsAtOnceOrItIs480) {
  KamailioSite site;
  make_groups(site);
  auto dave = site.phone("104");
  EXPECT_EQ(dave->wait_invite_status(dave->start_call("650")), 480);
  EXPECT_EQ(dave->wait_invite_status(dave->start_call("651")), 480);
  auto alice = site.phone("101");
  const CallName call = dave->start_call("651");
  EXPECT_EQ(alice->wait_incoming(), call);
  EXPECT_EQ(dave->wait_invite_status(call), 200);
  EXPECT_NE(site.kamailio->rpc("dlg.stats_active").find("\"all\":\t1"), std::string::npos)
      << "nothing is left of the others: " << site.kamailio->rpc("dlg.stats_active");
}

TEST(KamailioRingGroups, R8_CancelEndsAllRinging) {
  Office office;
  const CallName at_once = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, at_once) && rings(*office.carol, at_once));
  EXPECT_TRUE(hears_ringing(*office.alice, at_once, 2));
  office.alice->cancel(at_once);
  EXPECT_TRUE(has_stopped(*office.bob, at_once) && has_stopped(*office.carol, at_once));
  EXPECT_EQ(office.alice->wait_invite_status(at_once), 487);

  const CallName one_by_one = office.alice->start_call("651");
  EXPECT_TRUE(rings(*office.carol, one_by_one));
  EXPECT_TRUE(hears_ringing(*office.alice, one_by_one, 1));
  office.alice->cancel(one_by_one);
  EXPECT_TRUE(has_stopped(*office.carol, one_by_one));
  EXPECT_EQ(office.alice->wait_invite_status(one_by_one), 487);
  EXPECT_TRUE(does_not_ring(*office.bob, one_by_one));
}

TEST(KamailioRingGroups, O3_ARingGroupEditedInSqlCountsForTheNextCall) {
  Office office;
  office.execute("UPDATE ring_groups SET enabled = FALSE WHERE ring_group = '650'");
  EXPECT_EQ(office.alice->wait_invite_status(office.alice->start_call("650")), 480);
  office.execute(
      "UPDATE ring_groups SET enabled = TRUE WHERE ring_group = '650';"
      "DELETE FROM ring_group_members WHERE ring_group = '650' AND member = '103'");
  const CallName call = office.alice->start_call("650");
  EXPECT_TRUE(rings(*office.bob, call));
  EXPECT_TRUE(does_not_ring(*office.carol, call));
}

// ----- the call that comes of it

TEST(KamailioRingGroups, R8_TheMemberWhoAnsweredMayPark) {
  Office office;
  const CallName call = office.alice->start_call("650");
  ASSERT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
  office.carol->answer(call);
  ASSERT_EQ(office.alice->wait_invite_status(call), 200);
  office.site.seat->answer_with(202);
  EXPECT_EQ(office.carol->refer(call, "*68"), 202);
  const SipText refer = office.site.seat->wait_request("REFER");
  EXPECT_EQ(refer.header("X-Callpark-User"), "103");
  const auto dialog = dialog_in(refer);
  EXPECT_EQ(dialog["parker"], "callee");
  EXPECT_EQ(dialog["callee"]["kind"], "extension");
  EXPECT_EQ(dialog["callee"]["aor"], "103@demo.callpark");
  EXPECT_EQ(dialog["callee"]["display"], "Carol Clark");
  EXPECT_EQ(dialog["callee"]["uri"], "sip:650@demo.callpark") << "what the dialog has in its To";
  EXPECT_EQ(dialog["callee"]["tag"], tag_in(refer.header("From")));
  EXPECT_EQ(dialog["caller"]["aor"], "101@demo.callpark");
  office.site.seat->answer_with(200);
  EXPECT_EQ(office.carol->hang_up(call), 200);
  EXPECT_FALSE(office.site.seat->wait_request("BYE").text().empty());
  EXPECT_TRUE(holds_for(300ms, [&] { return !office.alice->is_closed(call); }));
}

TEST(KamailioRingGroups, R8_TheMemberWhoAnsweredMayHoldAndPark) {
  Office office;
  const CallName call = office.alice->start_call("651");
  ASSERT_TRUE(rings(*office.carol, call));
  office.carol->refuse(call, 486);
  ASSERT_TRUE(rings(*office.bob, call));
  office.bob->answer(call);
  ASSERT_EQ(office.alice->wait_invite_status(call), 200);
  ASSERT_EQ(office.bob->offer(call, "sendonly"), 200);
  EXPECT_EQ(office.bob->wait_invite_status(office.bob->start_call("*70")), 200);
  const auto dialog = dialog_in(office.site.seat->wait_request("INVITE"));
  ASSERT_TRUE(dialog.is_object());
  EXPECT_EQ(dialog["call_id"], call);
  EXPECT_EQ(dialog["parker"], "callee");
  EXPECT_EQ(dialog["callee"]["aor"], "102@demo.callpark");
}

TEST(KamailioRingGroups, R8_WhoHasAnsweredIsKnownAfterARestartOfKamailio) {
  Office office;
  const CallName call = office.alice->start_call("650");
  ASSERT_TRUE(rings(*office.bob, call));
  office.bob->answer(call);
  ASSERT_EQ(office.alice->wait_invite_status(call), 200);
  office.site.kamailio->restart();
  office.site.seat->answer_with(202);
  EXPECT_TRUE(wait_until(kSoon, [&] { return office.bob->refer(call, "*68") == 202; }));
  EXPECT_EQ(dialog_in(office.site.seat->wait_request("REFER"))["callee"]["aor"], "102@demo.callpark");
}

TEST(KamailioRingGroups, R8_WhenTwoAnswerAtOnceTheRecordIsAllOfTheSameOne) {
  KamailioSite site;
  make_groups(site);
  auto alice = site.phone("101");
  auto bob = site.phone("102");
  auto carol = site.phone("103");
  const CallName call = alice->call("650");
  std::string record;
  // Alice has the 200 a moment before the variables are written.
  EXPECT_TRUE(wait_until(kSoon, [&] {
    record = site.kamailio->rpc("dlg.dlg_list", "[\"" + call + "\"]");
    const auto dialog = nlohmann::json::parse(record, nullptr, false)["result"];
    nlohmann::json variables;
    for (const auto& variable : dialog["variables"]) variables.update(variable);
    if (!variables.contains("parties") || !variables.contains("sdp_b")) return false;
    const bool is_bob = dialog["callee"]["contact"] == "sip:102@" + bob->options().address + ":5060";
    const PacketPhone& answerer = is_bob ? *bob : *carol;
    const auto parties = nlohmann::json::parse(variables["parties"].get<std::string>());
    return parties["b"]["aor"] == answerer.options().user + "@demo.callpark" &&
           variables["sdp_b"].get<std::string>().find(answerer.options().address) != std::string::npos;
  })) << record;
}

// Kamailio handles the two answers in two processes. Left alone it never cancels a branch if it handles its 180 while
// it passes the 200 on.
TEST(KamailioRingGroups, R8_X69_WhoRingsAtTheMomentOfAnAnswerStopsToo) {
  constexpr int kCalls = 60;
  KamailioSite site;
  make_groups(site);
  auto alice = site.phone("101");
  auto bob = site.ringing_phone("102", false);
  auto carol = site.ringing_phone("103", false);
  for (int i = 0; i < kCalls; ++i) {
    const CallName call = alice->start_call("650");
    EXPECT_EQ(bob->wait_incoming(), call);
    EXPECT_EQ(carol->wait_incoming(), call);
    carol->answer(call);
    bob->ring(call);
    ASSERT_TRUE(has_stopped(*bob, call)) << "call " << i;
    EXPECT_EQ(alice->wait_invite_status(call), 200);
    EXPECT_EQ(carol->hang_up(call), 200);
  }
}

// What Kamailio has changed in a call after such a wait is lost with the first member that refuses.
TEST(KamailioRingGroups, B1_N6_ACallThatTheBillingSystemHasPermittedReachesEachMemberAlike) {
  Office office;
  office.execute(
      "UPDATE dids SET destination = '651' WHERE did = '+442030000101';"
      "INSERT INTO billing_hook_secrets (tenant, secret) VALUES ('demo.callpark', "
      "'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=');"
      "INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = 'https://billing.example/', "
      "ask_incoming_call = TRUE");
  auto dave = office.site.ringing_phone("104");
  office.execute("INSERT INTO ring_group_members VALUES ('demo.callpark', '651', 3, '104')");
  office.site.seat->answer_with([&](const SipText& request) {
    if (request.method() != "MESSAGE") return 200;
    office.site.seat->respond(request, 200, office.site.inside(), "", "X-Callpark-Verdict: 200 OK\r\n");
    return 0;
  });
  auto trunk = office.site.trunk();
  const CallName call = trunk->start_call(
      "+442030000101",
      "P-Asserted-Identity: <sip:boss@example.com>\r\nPrivacy: id\r\nProxy-Authorization: Digest username=\"u\"\r\n");
  for (PacketPhone* phone : {office.carol.get(), office.bob.get(), dave.get()}) {
    ASSERT_EQ(phone->wait_incoming(), call);
    const SipText invite = phone->received(call).front();
    EXPECT_EQ(invite.headers("Record-Route").size(), 1U) << phone->name();
    EXPECT_EQ(invite.header("P-Asserted-Identity"), "") << phone->name();
    EXPECT_EQ(invite.header("Proxy-Authorization"), "") << phone->name();
    if (phone != dave.get()) phone->refuse(call, 486);
  }
  dave->answer(call);
  EXPECT_EQ(trunk->wait_invite_status(call), 200);
  EXPECT_EQ(dave->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return trunk->is_closed(call); }));
}

TEST(KamailioRingGroups, R8_ADidMayLeadToARingGroup) {
  Office office;
  office.execute("INSERT INTO dids (did, tenant, destination) VALUES ('+442030000600', 'demo.callpark', '650')");
  auto trunk = office.site.trunk();
  const CallName call = trunk->start_call("+442030000600");
  EXPECT_TRUE(rings(*office.bob, call) && rings(*office.carol, call));
  office.bob->answer(call);
  EXPECT_EQ(trunk->wait_invite_status(call), 200);
  office.site.seat->answer_with(202);
  EXPECT_EQ(office.bob->refer(call, "*68"), 202);
  const auto dialog = dialog_in(office.site.seat->wait_request("REFER"));
  EXPECT_EQ(dialog["caller"]["kind"], "trunk");
  EXPECT_EQ(dialog["callee"]["aor"], "102@demo.callpark");
}

/// An INVITE of parkd's to `number` for one and the same parked call.
std::string recall_of_parkd(const Office& office, const std::string& number, const std::string& call_id) {
  std::string invite = invite_of_parkd(office.site.seat->own(), "sip:" + number + "@demo.callpark", "demo.callpark");
  invite.insert(invite.find("Content-Length"), "X-Callpark-Recall: park-1\r\n");
  const auto name = invite.find("Call-ID: ") + 9;
  invite.replace(name, invite.find("\r\n", name) - name, call_id);
  invite.insert(invite.find("z9hG4bK") + 7, call_id);
  return invite;
}

// A parkd that died has left its phones ringing; the next one calls for the same parked call.
TEST(KamailioRingGroups, O4_ASecondRecallOfTheSameParkedCallEndsTheFirst) {
  Office office;
  const auto recall = [&](const std::string& number, const std::string& call_id) {
    office.site.seat->send(recall_of_parkd(office, number, call_id), office.site.inside());
  };
  std::size_t ringing = 0;
  for (const std::string number : {"102", "651"}) {
    ++ringing;
    recall(number, "first-" + number);
    auto& phone = number == "102" ? *office.bob : *office.carol;
    const CallName earlier = phone.wait_incoming();
    EXPECT_TRUE(rings(phone, earlier));
    EXPECT_TRUE(wait_until(kSoon, [&] { return office.site.seat->responses(180) >= ringing; }));
    recall(number, "second-" + number);
    const CallName later = phone.wait_incoming();
    EXPECT_TRUE(has_stopped(phone, earlier));
    EXPECT_TRUE(rings(phone, later));
    ++ringing;
    EXPECT_TRUE(wait_until(kSoon, [&] { return office.site.seat->responses(180) >= ringing; }));
    phone.refuse(later, 486);
  }
}

// A transaction is freed 5 s after its end at the earliest, if nothing refers to it any more. Until then there are
// those of the probes of parkd, one a second.
TEST(KamailioRingGroups, X40_NothingIsLeftOfARecallThatAnotherOneFollows) {
  constexpr int kRecalls = 30;
  Office office;
  for (int i = 0; i < kRecalls; ++i) {
    office.site.seat->send(recall_of_parkd(office, "102", "recall-" + std::to_string(i)), office.site.inside());
    const CallName call = office.bob->wait_incoming();
    office.bob->refuse(call, 486);
    EXPECT_TRUE(wait_until(kSoon, [&] { return count(*office.bob, call, "ACK") == 1; }));
  }
  EXPECT_TRUE(wait_until(2 * kSoon, [&] {
    const auto result = nlohmann::json::parse(office.site.kamailio->rpc("tm.stats")).at("result");
    return result.at("created").get<int>() - result.at("freed").get<int>() < kRecalls / 2;
  })) << office.site.kamailio->rpc("tm.stats");
}

TEST(KamailioRingGroups, R8_ParkdMayCallARingGroup) {
  Office office;
  auto dave = office.site.phone("104");
  office.site.seat->send(invite_of_parkd(office.site.seat->own(), "sip:650@demo.callpark", "demo.callpark"),
                         office.site.inside());
  const CallName call = office.bob->wait_incoming();
  EXPECT_TRUE(rings(*office.carol, call));
  EXPECT_TRUE(wait_until(kSoon, [&] { return office.site.seat->responses(180) >= 2; }));
  office.bob->answer(call);
  EXPECT_EQ(office.site.seat->wait_response(200).header("X-Callpark-User"), "102");
  EXPECT_TRUE(has_stopped(*office.carol, call));
  EXPECT_NE(office.site.kamailio->rpc("dlg.stats_active").find("\"all\":\t0"), std::string::npos)
      << "it is parkd's own: " << office.site.kamailio->rpc("dlg.stats_active");
  // The From is the ring group's number.
  office.site.seat->answer_with(202);
  EXPECT_EQ(office.bob->refer(call, "*68"), 202);
  const SipText refer = office.site.seat->wait_request("REFER");
  EXPECT_EQ(refer.header("X-Callpark-User"), "102");
  EXPECT_NE(refer.header("From").find("sip:650@demo.callpark"), std::string::npos);
}

TEST(KamailioRingGroups, B4_R8_ParkdLearnsTheOutsideMemberThatAnswers) {
  Office office;
  auto trunk = office.site.trunk(false);
  office.execute("INSERT INTO ring_group_members VALUES ('demo.callpark', '650', 9, '+15551234')");
  office.site.seat->send(invite_of_parkd(office.site.seat->own(), "sip:650@demo.callpark", "demo.callpark"),
                         office.site.inside());
  trunk->answer(trunk->wait_incoming());
  EXPECT_EQ(office.site.seat->wait_response(200).header("X-Callpark-User"), "+15551234");
}

}  // namespace
}  // namespace callpark::test
