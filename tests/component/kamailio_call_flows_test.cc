// Calls to call flows through the real Kamailio: which phone rings by the status of the moment, how a flow hangs up,
// and what goes to parkd when a phone dials the code of a flow.
#include <gtest/gtest.h>

#include "tests/component/kamailio_site.h"
#include "tests/component/lamp_publisher.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

/// The demo tenant has the call flow day-night: 300, code *30, to 105, alternately to 106.
class KamailioCallFlows : public testing::Test {
 protected:
  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log() << "\n";
  }
  void execute(const std::string& sql) const { site.database.execute("USE callpark; " + sql); }
  void set(const std::string& settings) const {
    execute("UPDATE call_flows SET " + settings + " WHERE name = 'day-night'");
  }
  int status_of_call(PacketPhone& phone, const std::string& target, const std::string& headers = "") {
    return phone.wait_invite_status(phone.start_call(target, headers));
  }
  /// Dave, 104, or the trunk calls `target`, and this phone rings.
  static void expect_rings(PacketPhone& caller, const std::string& target, PacketPhone& callee) {
    const CallName call = caller.start_call(target);
    EXPECT_EQ(callee.wait_incoming(), call) << target;
    EXPECT_EQ(caller.wait_invite_status(call), 200) << target;
    EXPECT_EQ(caller.hang_up(call), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return callee.is_closed(call); }));
  }
  /// Request-URI, extension and trunk of the last INVITE that parkd has got: "sip:7002@demo.callpark 104 -".
  std::string facts_of_last_invite() const {
    const SipText invite = site.seat->received("INVITE").back();
    const auto text = [&](const std::string& name) {
      return " " + (invite.header(name).empty() ? "-" : invite.header(name));
    };
    return invite.request_uri() + text("X-Callpark-User") + text("X-Callpark-Trunk");
  }
  std::unique_ptr<LampWatcher> watcher(const std::string& lamp) {
    addresses_.emplace_back();
    return std::make_unique<LampWatcher>(LampWatcher::Options{.user = "101",
                                                              .password = "demo-101",
                                                              .lamp = lamp,
                                                              .address = addresses_.back().text(),
                                                              .proxy = site.outside()});
  }

  KamailioSite site;
  std::unique_ptr<PacketPhone> dave = site.phone("104");
  std::unique_ptr<PacketPhone> erin = site.phone("105");
  std::unique_ptr<PacketPhone> frank = site.phone("106");

 private:
  std::vector<LoopbackAddress> addresses_;
};

// ----- the main number

TEST_F(KamailioCallFlows, F2_TheStatusOfTheMomentDecidesWhichPhoneRings) {
  expect_rings(*dave, "300", *erin);
  set("status = 'off'");
  expect_rings(*dave, "300", *frank);
  set("status = 'on'");
  expect_rings(*dave, "300#", *erin);
}

TEST_F(KamailioCallFlows, F4_AnEditedDestinationCountsForTheNextCall) {
  set("destination = '106'");
  expect_rings(*dave, "300", *frank);
  execute("DELETE FROM dids WHERE destination = '300'; UPDATE call_flows SET number = '301'");
  expect_rings(*dave, "301", *frank);
  EXPECT_EQ(status_of_call(*dave, "300"), 404);
}

TEST_F(KamailioCallFlows, F2_ADidRingsThroughTheFlow) {
  auto trunk = site.trunk();
  expect_rings(*trunk, "+442030000300", *erin);
  set("status = 'off'");
  expect_rings(*trunk, "+442030000300", *frank);
  set("enabled = FALSE");
  EXPECT_EQ(status_of_call(*trunk, "+442030000300"), 404);
}

TEST_F(KamailioCallFlows, F2_FlowsLeadThroughOneAnotherAndToARingGroup) {
  execute(
      "INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES "
      "('demo.callpark', 'inner', '310', '602', '300'), ('demo.callpark', 'outer', '320', '310', 'hangup:busy')");
  auto alice = site.phone("101");
  expect_rings(*alice, "320", *erin);
  execute("UPDATE call_flows SET status = 'off' WHERE name = 'inner'");
  expect_rings(*alice, "320", *erin);
  set("status = 'off'");
  expect_rings(*alice, "320", *frank);
  set("enabled = FALSE");
  EXPECT_EQ(status_of_call(*alice, "320"), 404);
  execute("UPDATE call_flows SET status = 'off' WHERE name = 'outer'");
  EXPECT_EQ(status_of_call(*alice, "320"), 486);
}

TEST_F(KamailioCallFlows, F2_AFlowHangsUpWithItsReason) {
  auto trunk = site.trunk();
  for (const auto& [reason, status] : std::vector<std::pair<std::string, int>>{
           {"busy", 486}, {"not_found", 404}, {"unavailable", 480}, {"declined", 603}}) {
    set("destination = 'hangup:" + reason + "'");
    EXPECT_EQ(status_of_call(*dave, "300"), status) << reason;
    EXPECT_EQ(status_of_call(*trunk, "+442030000300"), status) << reason;
  }
  EXPECT_EQ(erin->calls(), 0);
}

TEST_F(KamailioCallFlows, F2_ADisabledFlowHasNeitherNumberNorCode) {
  set("enabled = FALSE");
  EXPECT_EQ(status_of_call(*dave, "300"), 404);
  EXPECT_EQ(status_of_call(*dave, "*30"), 404);
  EXPECT_EQ(status_of_call(*dave, "flow+*30"), 404);
  EXPECT_TRUE(site.seat->received("INVITE").empty());
}

TEST_F(KamailioCallFlows, F2_AnOutsideDestinationIsCalledByTheTrunkOfTheTenant) {
  auto trunk = site.trunk();
  set("destination = '+15551234'");
  expect_rings(*dave, "300", *trunk);
  EXPECT_EQ(trunk->received("").front().request_uri(),
            "sip:+15551234@" + site.trunk_address.text() + ":5060;transport=udp");
  EXPECT_EQ(status_of_call(*dave, "300", "Replaces: a;to-tag=b;from-tag=c\r\n"), 403) << "as if it were dialled";
  execute("UPDATE trunks SET enabled = FALSE");
  EXPECT_EQ(status_of_call(*dave, "300"), 404);
}

TEST_F(KamailioCallFlows, F2_ACallOfATrunkIsForwardedToAnOutsideDestination) {
  const LoopbackAddress other_address;
  PacketPhone other({.user = "other",
                     .password = "",
                     .domain = site.outside().text(),
                     .address = other_address.text(),
                     .proxy = site.outside(),
                     .auto_answer = true});
  auto trunk = site.trunk();
  execute("INSERT INTO trunks (tenant, trunk, address, port) VALUES ('demo.callpark', 'a-carrier', '" +
          other_address.text() + "', 5060)");
  set("destination = '+15551234'");
  expect_rings(*trunk, "+442030000300", other);
  EXPECT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.cdrs") == "1"; }));
  EXPECT_EQ(site.database.value("SELECT CONCAT_WS(' ', direction, dialled, caller_trunk, callee_kind, callee_number, "
                                "callee_trunk) FROM callpark.cdrs"),
            "incoming +442030000300 demo trunk +15551234 a-carrier");
}

TEST_F(KamailioCallFlows, F2_AFlowLeadsToAnOrbitAsIfItWereDialled) {
  set("alternate_destination = '7002'");
  expect_rings(*dave, "300", *erin);
  set("status = 'off'");
  EXPECT_EQ(status_of_call(*dave, "300"), 200);
  EXPECT_EQ(facts_of_last_invite(), "sip:7002@demo.callpark 104 -");
  EXPECT_EQ(site.seat->received("INVITE").back().header("X-Callpark-Name"), "Dave Dunn") << "its phone sends none";
  EXPECT_FALSE(dialog_in(site.seat->received("INVITE").back()).is_object());
  site.seat->answer_with(404);
  EXPECT_EQ(status_of_call(*dave, "300"), 404);
  EXPECT_EQ(site.seat->received("INVITE").size(), 2U);
  execute("UPDATE orbit_ranges SET enabled = FALSE");
  EXPECT_EQ(status_of_call(*dave, "300"), 404);
  EXPECT_EQ(site.seat->received("INVITE").size(), 2U) << "the orbit has no meaning";
}

TEST_F(KamailioCallFlows, F2_ATrunkIsLedToAnOrbitIfTheRangeLetsItRetrieve) {
  auto trunk = site.trunk();
  execute(
      "INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES "
      "('demo.callpark', 'yard', '*9000', '*9001', '*9010');"
      "INSERT INTO dids (did, tenant, destination) VALUES ('+442030000900', 'demo.callpark', '*9001')");
  set("destination = '7002'");
  EXPECT_EQ(status_of_call(*trunk, "+442030000300"), 404);
  EXPECT_EQ(status_of_call(*trunk, "+442030000900"), 404);
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  execute("UPDATE orbit_ranges SET from_trunks = TRUE");
  EXPECT_EQ(status_of_call(*trunk, "+442030000300"), 200);
  EXPECT_EQ(facts_of_last_invite(), "sip:7002@demo.callpark - demo");
  EXPECT_EQ(status_of_call(*trunk, "+442030000900"), 200);
  EXPECT_EQ(facts_of_last_invite(), "sip:*9001@demo.callpark - demo");
}

TEST_F(KamailioCallFlows, F2_ARingGroupThatNobodyAnswersLeadsToAnOrbit) {
  execute(
      "UPDATE ring_group_members SET member = '102' WHERE ring_group = '602' AND position = 1;"
      "DELETE FROM ring_group_members WHERE ring_group = '602' AND position = 2;"
      "UPDATE ring_groups SET destination = '7002' WHERE ring_group = '602'");
  EXPECT_EQ(status_of_call(*dave, "602"), 200) << "no member is registered";
  EXPECT_EQ(facts_of_last_invite(), "sip:7002@demo.callpark 104 -");
  auto bob = site.ringing_phone("102");
  for (const int status : {200, 404}) {
    site.seat->answer_with(status);
    const CallName call = dave->start_call("602");
    ASSERT_EQ(bob->wait_incoming(), call);
    bob->refuse(call, 486);
    EXPECT_EQ(dave->wait_invite_status(call), status == 200 ? 200 : 480);
    EXPECT_EQ(facts_of_last_invite(), "sip:7002@demo.callpark 104 -");
  }
}

TEST_F(KamailioCallFlows, F2_ATransferToAFlowRingsWhereItLeads) {
  auto alice = site.phone("101");
  const CallName call = alice->call("104");
  ASSERT_EQ(dave->wait_incoming(), call);
  ASSERT_EQ(alice->refer(call, "300"), 200) << "what Dave's phone answers to it";
  const auto received = dave->received(call);
  const auto refer = std::ranges::find_if(
      received, [](const SipText& message) { return message.is_request() && message.method() == "REFER"; });
  ASSERT_NE(refer, received.end());
  expect_rings(*dave, uri_in(refer->header("Refer-To")), *erin);
  set("status = 'off'");
  expect_rings(*dave, uri_in(refer->header("Refer-To")), *frank);
}

TEST_F(KamailioCallFlows, F2_ARingGroupThatNobodyAnswersLeadsThroughAFlow) {
  execute(
      "UPDATE ring_groups SET destination = '300' WHERE ring_group = '602';"
      "UPDATE ring_group_members SET member = '102' WHERE ring_group = '602' AND position = 1;"
      "UPDATE ring_group_members SET member = '103' WHERE ring_group = '602' AND position = 2");
  expect_rings(*dave, "602", *erin);
  set("status = 'off'");
  expect_rings(*dave, "602", *frank);
  set("alternate_destination = 'hangup:declined'");
  EXPECT_EQ(status_of_call(*dave, "602"), 603) << "no member is registered";
  auto bob = site.ringing_phone("102");
  const CallName call = dave->start_call("602");
  EXPECT_EQ(bob->wait_incoming(), call);
  bob->refuse(call, 486);
  EXPECT_EQ(dave->wait_invite_status(call), 603);
}

TEST_F(KamailioCallFlows, F2_TheExtensionThatAnsweredMayPark) {
  const CallName call = dave->call("300");
  ASSERT_EQ(erin->wait_incoming(), call);
  site.seat->answer_with(202);
  EXPECT_EQ(erin->refer(call, "*68"), 202);
  const SipText refer = site.seat->wait_request("REFER");
  EXPECT_EQ(refer.header("X-Callpark-User"), "105");
  EXPECT_EQ(dialog_in(refer)["callee"]["aor"], "105@demo.callpark");
}

TEST_F(KamailioCallFlows, B4_R4_ParkdCallsAFlowAndLearnsWhoAnswers) {
  const Endpoint own = site.seat->own();
  site.seat.reset();
  UdpSocket parkd(own);
  const auto answer_to = [&](const std::string& uri) {
    parkd.send(invite_of_parkd(own, uri, "demo.callpark"), site.inside());
    SipText answer;
    wait_until(kSoon, [&] {
      const auto datagram = parkd.receive(50ms);
      if (datagram) answer = SipText(datagram->bytes);
      return answer.status() >= 200;
    });
    return answer;
  };
  const SipText day = answer_to("sip:300@demo.callpark");
  EXPECT_EQ(day.status(), 200);
  EXPECT_EQ(day.header("X-Callpark-User"), "105");
  set("status = 'off', alternate_destination = 'hangup:busy'");
  EXPECT_EQ(answer_to("sip:300@demo.callpark;x=1").status(), 486);
  auto trunk = site.trunk();
  set("alternate_destination = '+15551234'");
  EXPECT_EQ(answer_to("sip:300@demo.callpark;x=2").header("X-Callpark-User"), "+15551234");
  EXPECT_EQ(answer_to("sip:*30@demo.callpark").status(), 404) << "parkd knows codes itself";
  set("alternate_destination = '7002'");
  EXPECT_EQ(answer_to("sip:300@demo.callpark;x=3").status(), 404) << "and orbits";
}

TEST_F(KamailioCallFlows, F2_TheStatusIsKnownWhileTheDatabaseIsAway) {
  set("status = 'off'");
  site.database.kill9();
  expect_rings(*dave, "300", *frank);
}

// ----- the code

TEST_F(KamailioCallFlows, F3_TheCodeGoesToParkdInEachWayThatAPhoneDialsIt) {
  for (const std::string dialled : {"*30", "*30#", "flow+*30"}) {
    EXPECT_EQ(status_of_call(*dave, dialled), 200) << dialled;
    const SipText invite = site.seat->received("INVITE").back();
    EXPECT_EQ(invite.request_uri(), "sip:*30@demo.callpark");
    EXPECT_EQ(invite.header("X-Callpark-User"), "104");
    EXPECT_EQ(invite.header("X-Callpark-Tenant"), "demo.callpark");
    EXPECT_FALSE(dialog_in(invite).is_object());
  }
}

TEST_F(KamailioCallFlows, F3_WhatIsNotTheCodeAloneIs404) {
  for (const std::string dialled : {"*30101", "*3", "flow+*31", "flow+300", "flow+101", "flow+"}) {
    EXPECT_EQ(status_of_call(*dave, dialled), 404) << dialled;
  }
  EXPECT_TRUE(site.seat->received("INVITE").empty());
}

TEST_F(KamailioCallFlows, F3_ATrunkOrAPhoneWithoutPasswordTogglesNothing) {
  auto trunk = site.trunk();
  EXPECT_EQ(status_of_call(*trunk, "*30"), 404);
  EXPECT_EQ(status_of_call(*trunk, "sip:*30@demo.callpark"), 404);
  auto other = site.phone("101", "other.callpark");
  EXPECT_EQ(status_of_call(*other, "*30"), 404);
  EXPECT_EQ(status_of_call(*other, "sip:*30@demo.callpark"), 403);
  EXPECT_TRUE(site.seat->received("INVITE").empty());
  site.seat->answer_with(503);
  EXPECT_EQ(status_of_call(*dave, "*30"), 503);
}

// ----- lamps

TEST_F(KamailioCallFlows, F5_AFlowIsWatchedByItsNumberAndItsCode) {
  LampPublisher parkd(site.seat->own(), site.inside());
  for (const std::string lamp : {"300", "*30", "flow+*30"}) {
    const auto watching = watcher(lamp);
    EXPECT_EQ(watching->subscribe(), 200) << lamp;
    EXPECT_TRUE(watching->wait_state("terminated")) << lamp;
    EXPECT_EQ(parkd.publish(lamp, "confirmed").status, 200) << lamp;
    EXPECT_TRUE(watching->wait_state("confirmed")) << lamp;
    EXPECT_EQ(parkd.publish(lamp, "terminated").status, 200) << lamp;
    EXPECT_TRUE(watching->wait_state("terminated")) << lamp;
  }
  for (const std::string lamp : {"flow+300", "flow+*68", "*301"}) EXPECT_EQ(watcher(lamp)->subscribe(), 404) << lamp;
}

}  // namespace
}  // namespace callpark::test
