// The party that a phone shows.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using ShownPartyTest = UserAgentScene;

TEST_F(ShownPartyTest, N6_OfTheRetrieverIsTheCaller) {
  park_and_retrieve();
  const SipMessage answer = kamailio.take_response(alices_invite);
  EXPECT_EQ(answer.header("P-Asserted-Identity"), "\"Client\" <sip:client@demo.callpark>");
  EXPECT_EQ(answer.header("Remote-Party-ID"),
            "\"Client\" <sip:client@demo.callpark>;party=called;screen=yes;privacy=off");
  EXPECT_FALSE(kamailio.sends("UPDATE")) << "the phone does not support it";
  for (const SipMessage& message : kamailio.sent) {
    if (message.call_id() != "call-1") continue;
    EXPECT_EQ(message.header("P-Asserted-Identity"), std::nullopt);
    EXPECT_EQ(message.header("Remote-Party-ID"), std::nullopt);
  }
}

TEST_F(ShownPartyTest, N6_IsSentByUpdateToAPhoneWithFromChange) {
  park();
  alices_invite = feature_invite("*88");
  alices_invite.set_header(HeaderName::kSupported, "timer, from-change");
  alices_invite.set_header(HeaderName::kAllow, "INVITE, ACK, BYE, CANCEL, UPDATE");
  const CallId call = dial(alices_invite);
  end(PartyEnd::kPeer);
  take_bye();
  offer_call(2, call);
  accept_offer();
  calls.answer_with_caller(call, talk);
  learn_tag(kamailio.take_response(alices_invite));
  kamailio.deliver(alice.ack(alices_invite));
  make_peer(call);
  const SipMessage update = kamailio.take_request("UPDATE");
  EXPECT_EQ(update.header("From"), "\"Client\" <sip:client@demo.callpark>;tag=" + alice.parkd_tag);
  EXPECT_EQ(update.call_id(), "call-2");
  EXPECT_EQ(update.body(), "") << "the session is what it was";
  kamailio.answer(update, 200);
  EXPECT_EQ(peer_snapshot()->local_uri, "sip:client@demo.callpark");
}

TEST_F(ShownPartyTest, N6_OfARetrieverIsFromItsPhoneOrKamailio) {
  const auto name_of = [this](const std::string& from,
                              const std::vector<std::pair<std::string_view, std::string>>& headers) {
    FarEnd phone = alice;
    phone.call_id = "call-" + std::to_string(++last_call);
    SipMessage invite = phone.request("INVITE", alices_offer());
    invite.set_request_uri("sip:*88@demo.callpark");
    invite.set_header(HeaderName::kFrom, from + ";tag=" + phone.tag);
    trust(invite, "102");
    for (const auto& [header, value] : headers) invite.set_header(header, value);
    AdoptableDialog dialog = adoptable();
    dialog.caller.call_id = dialog.parker.call_id = "parked-" + std::to_string(last_call);
    EXPECT_TRUE(adopt(dialog));
    make_peer(dial(invite));
    set_bridged(true);
    const PartyIdentity who = peer_snapshot()->remote_identity;
    return who.name + " " + who.number;
  };
  EXPECT_EQ(name_of("\"Alice\" <sip:102@demo.callpark>", {{kamailio_protocol::kName, "Not Alice"}}), "Alice 102");
  EXPECT_EQ(name_of("<sip:102@demo.callpark>", {{kamailio_protocol::kName, "Alice B."}}), "Alice B. 102");
  EXPECT_EQ(name_of("<sip:102@demo.callpark>", {}), " 102");
  EXPECT_EQ(name_of("<sip:anonymous@anonymous.invalid>", {{kamailio_protocol::kName, "Alice B."}}), " ");
  EXPECT_EQ(name_of("\"Alice\" <sip:102@demo.callpark>", {{"Privacy", "critical;ID"}}), " ");
  EXPECT_EQ(name_of("\"Alice\" <sip:102@demo.callpark>", {{"Privacy", "none"}}), "Alice 102");
}

TEST_F(ShownPartyTest, N6_IsAnonymousForAWithheldNumber) {
  AdoptableDialog dialog = adoptable();
  dialog.caller.remote_identity = {};
  ASSERT_TRUE(adopt(dialog));
  offer_music(1);
  accept_offer();
  call_target("101", as_recall("102"));
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_TRUE(std::string(*invite.header("From"))
                  .starts_with("\"Recall 102: Anonymous\" <sip:anonymous@anonymous.invalid>;tag="));
  EXPECT_EQ(caller_snapshot().remote_identity, PartyIdentity{});
}

TEST_F(ShownPartyTest, N6_IsNotSentToAnOutsideNumber) {
  park();
  const CallId target = call_target("+4420");
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_TRUE(std::string(*invite.header("From")).starts_with("\"Client\" <sip:client@demo.callpark>;tag="));
  kamailio.answer(invite, 200, alices_offer());
  reports();
  EXPECT_EQ(text_of(calls.party(target)), "+4420");
  offer_call(3, target);
  accept_offer();
  make_peer(target);
  reports();
  for (const SipMessage& message : kamailio.sent) EXPECT_EQ(message.header("P-Asserted-Identity"), std::nullopt);
}

TEST_F(ShownPartyTest, N6_SurvivesATakeOver) {
  ParkedCallRow row = row_of(RowState::kRetrieved);
  row.retriever = Extension{"demo.callpark", "101"};
  row.caller = adoptable().caller;
  row.peer = adoptable().parker;
  take_over(row);
  set_bridged(true);
  SipMessage hold = client.request("INVITE", clients_sdp());
  kamailio.deliver(hold);
  EXPECT_EQ(kamailio.take_request("INVITE").header("P-Asserted-Identity"), "\"Client\" <sip:client@demo.callpark>");
}

}  // namespace
}  // namespace callpark::leg
