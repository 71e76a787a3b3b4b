// A REFER in a dialog of parkd's: transfers by the peer, and by a caller that is an extension.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using PartyReferralTest = UserAgentScene;

/// The Client is extension 104, which Alice has retrieved.
class ColleagueTest : public UserAgentScene {
 protected:
  SipMessage refer_of_client(const std::string& user, const std::string& refer_to = "<sip:*68@demo.callpark>") {
    const SipMessage refer = refer_within(client, refer_to, user);
    kamailio.deliver(refer);
    return refer;
  }
};

TEST_F(PartyReferralTest, S12_BeforeTheRetrieversAckCounts) {
  park();
  alices_invite = feature_invite("*88");
  const CallId call = dial(alices_invite);
  end(PartyEnd::kPeer);
  offer_call(2, call);
  accept_offer();
  calls.answer_with_caller(call, talk);
  learn_tag(kamailio.take_response(alices_invite));
  reports();
  listener.when_confirmed = [this](CallId confirmed) {
    make_peer(confirmed);
    set_bridged(true);
  };
  const SipMessage ack = alice.ack(alices_invite);
  const SipMessage refer = refer_within(alice, "<sip:*68103@demo.callpark>", "102");
  kamailio.deliver(refer);
  kamailio.deliver(ack);
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call), "refer of peer to *68103"));
}

TEST_F(PartyReferralTest, S12_TransfersToANumber) {
  park_and_retrieve();
  const SipMessage refer = refer_within(alice, "<sip:103@demo.callpark>", "102");
  kamailio.deliver(refer);
  EXPECT_THAT(reports(), ElementsAre("refer of peer to 103"));
  referrals.accept(listener.referrals[0].referral);
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  take_notify(100);

  const CallId target = call_target("103");
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.request_uri_text(), "sip:103@demo.callpark");
  EXPECT_EQ(invite.header(kamailio_protocol::kTenant), "demo.callpark");
  EXPECT_EQ(invite.from().uri.to_string(), "sip:client@demo.callpark");
  EXPECT_EQ(invite.header(HeaderName::kReferredBy), "<sip:102@demo.callpark>");
  EXPECT_EQ(body_of(invite).media[0].port, 6004) << "the Client's media";
  kamailio.answer(invite, 180);
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_FALSE(kamailio.sends("ACK")) << "before the target has the caller";
  EXPECT_THAT(reports(), ElementsAre(about("answered", target)));

  set_bridged(false);
  offer_call(10, target);
  accept_offer();
  EXPECT_THAT(reports(), ElementsAre("accepted 10"));
  referrals.conclude(listener.referrals[0].referral, 200, "OK");
  take_notify(200);
  end(PartyEnd::kPeer);
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "alice-tag");
  make_peer(target);
  set_bridged(true);
  const DialogSnapshot peer = *peer_snapshot();
  EXPECT_EQ(peer.remote_uri, "sip:103@demo.callpark");
  EXPECT_EQ(peer.remote_tag, "far-tag");
}

TEST_F(PartyReferralTest, OfAnAttendedTransferNamesTheDialogToReplace) {
  park_and_retrieve();
  const SipMessage refer =
      refer_within(alice, "<sip:103@demo.callpark?Replaces=abc%40host%3Bto-tag%3Dto1%3Bfrom-tag%3Dfrom1>", "102");
  kamailio.deliver(refer);
  reports();
  ASSERT_THAT(listener.referrals, SizeIs(1));
  EXPECT_EQ(listener.referrals[0].replaces, "abc@host;to-tag=to1;from-tag=from1");
  call_target("103", {{}, listener.referrals[0].replaces});
  EXPECT_EQ(kamailio.take_request("INVITE").header(HeaderName::kReplaces), "abc@host;to-tag=to1;from-tag=from1");
}

TEST_F(PartyReferralTest, ReadsATelUri) {
  park_and_retrieve();
  const SipMessage refer = refer_within(alice, "<tel:103>", "102");
  kamailio.deliver(refer);
  EXPECT_THAT(reports(), ElementsAre("refer of peer to 103"));
}

// Phones name the consulted phone by its Contact, of which the user need not be its number.
TEST_F(PartyReferralTest, S12_ToAContactCallsThere) {
  park_and_retrieve();
  kamailio.deliver(refer_within(
      alice, "<sip:103-0x5f@127.0.0.14:5060;transport=udp?Replaces=abc%3Bto-tag%3Dto1%3Bfrom-tag%3Dfrom1>", "102"));
  EXPECT_THAT(reports(), ElementsAre("refer of peer to 103-0x5f"));
  EXPECT_EQ(listener.referrals[0].contact, "sip:103-0x5f@127.0.0.14:5060");
  const CallId target = call_target("103-0x5f", {{}, "", listener.referrals[0].contact});
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.request_uri_text(), "sip:103-0x5f@127.0.0.14:5060");
  EXPECT_EQ(invite.to().uri.to_string(), "sip:103-0x5f@demo.callpark") << "so that the target is of the tenant";
  EXPECT_EQ(invite.header(kamailio_protocol::kTenant), "demo.callpark");
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& answer) { answer.set_header(kamailio_protocol::kUser, "103"); });
  EXPECT_EQ(text_of(calls.party(target)), "103");
}

TEST_F(PartyReferralTest, S12_ToANumberOfTheTenantHasNoContact) {
  park_and_retrieve();
  const SipMessage refer = refer_within(alice, "<sip:103@DEMO.callpark:5060>", "102");
  kamailio.deliver(refer);
  reports();
  EXPECT_EQ(listener.referrals[0].contact, "");
}

TEST_F(PartyReferralTest, O5_OfAWaitingCallerIsDeclined) {
  park();
  EXPECT_EQ(answer_to(refer_within(client, "<sip:*68@demo.callpark>", "101")).status(), 603);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(PartyReferralTest, WithoutAnAuthenticatedReferrerIsForbidden) {
  park_and_retrieve();
  EXPECT_EQ(answer_to(refer_within(alice, "<sip:103@demo.callpark>", "")).status(), 403);
}

TEST_F(PartyReferralTest, X46_A503HasRetryAfterAndTheRateOfParksIfItCounts) {
  park_and_retrieve();
  for (const int rate : {0, 18}) {
    agent.set_park_rate([rate] { return rate; });
    const SipMessage refer = refer_within(alice, "<sip:*68@demo.callpark>", "102");
    kamailio.deliver(refer);
    reports();
    referrals.conclude(listener.referrals.back().referral, 503, "Too busy, try again");
    const SipMessage refusal = kamailio.take_response(refer);
    EXPECT_EQ(refusal.status(), 503);
    EXPECT_TRUE(refusal.header("Retry-After"));
    EXPECT_EQ(refusal.header(kamailio_protocol::kParkRate).value_or("none"), rate == 0 ? "none" : "18");
  }
}

// Kamailio has authenticated the sender, but as another extension than the party of this dialog.
TEST_F(PartyReferralTest, X33_OfAnotherExtensionThanThePeerIsDeclined) {
  park_and_retrieve();
  for (const char* refer_to : {"<sip:*68103@demo.callpark>", "<sip:103@demo.callpark>",
                               "<sip:103@demo.callpark?Replaces=abc%40host%3Bto-tag%3Dto1%3Bfrom-tag%3Dfrom1>"}) {
    for (const char* user : {"101", "103", "client"}) {
      EXPECT_EQ(answer_to(refer_within(alice, refer_to, user)).status(), 603) << user << " " << refer_to;
    }
  }
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.deliver(refer_within(alice, "<sip:103@demo.callpark>", "102"));
  EXPECT_THAT(reports(), ElementsAre("refer of peer to 103")) << "the peer itself may";
}

TEST_F(PartyReferralTest, X33_OfTheSameNumberInAnotherTenantIsDeclined) {
  park_and_retrieve();
  SipMessage refer = refer_within(alice, "<sip:*68@demo.callpark>", "102");
  refer.set_header(kamailio_protocol::kTenant, "other.callpark");
  EXPECT_EQ(answer_to(refer).status(), 603);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(PartyReferralTest, X33_OfAnotherExtensionInACallTakenOverIsDeclined) {
  take_over(row_of(RowState::kRetrieved));
  set_bridged(true);
  EXPECT_EQ(answer_to(refer_within(john, "<sip:*68@demo.callpark>", "105")).status(), 603);
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.deliver(refer_within(john, "<sip:*68@demo.callpark>", "102"));
  EXPECT_THAT(reports(), ElementsAre("refer of peer to *68"));
}

// A recall rings a group, and 105 of it answers: the number that was called is not the party.
TEST_F(PartyReferralTest, X33_InARecalledCallTheMemberThatAnsweredMayRefer) {
  park();
  end(PartyEnd::kPeer);
  take_bye();
  const CallId target = call_target("600", as_recall("101"));
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& answer) { answer.set_header(kamailio_protocol::kUser, "105"); });
  offer_call(2, target);
  accept_offer();
  make_peer(target);
  set_bridged(true);
  reports();
  FarEnd member = phone_called_by(invite);
  for (const char* user : {"600", "101", "104"}) {
    EXPECT_EQ(answer_to(refer_within(member, "<sip:*68@demo.callpark>", user)).status(), 603) << user;
  }
  kamailio.deliver(refer_within(member, "<sip:*68@demo.callpark>", "105"));
  EXPECT_THAT(reports(), ElementsAre("refer of peer to *68"));
}

TEST_F(ColleagueTest, S12_ParksItsRetriever) {
  park_and_retrieve(colleague());
  const SipMessage refer = refer_of_client("104");
  ASSERT_THAT(reports(), ElementsAre("refer of caller to *68"));
  conversations.swap_parties(talk);
  EXPECT_EQ(caller_snapshot().remote_uri, "sip:102@demo.callpark");
  EXPECT_EQ(caller_snapshot().remote_party, Party(Extension{"demo.callpark", "102"}));
  EXPECT_EQ(peer_snapshot()->remote_party, Party(Extension{"demo.callpark", "104"}));

  set_bridged(false);
  offer_music(3);
  const SipMessage music = kamailio.take_request("INVITE");
  EXPECT_EQ(music.to_tag(), "alice-tag");
  EXPECT_FALSE(music.header("P-Asserted-Identity")) << "Alice's phone shows Carol";
  kamailio.answer(music, 200, alices_offer());
  EXPECT_THAT(reports(), ElementsAre("accepted 3"));
  referrals.conclude(listener.referrals[0].referral, 200, "OK");
  EXPECT_EQ(kamailio.take_response(refer).status(), 202);
  EXPECT_EQ(kamailio.take_request("NOTIFY").to_tag(), "client-tag");
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
  kamailio.deliver(alice.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(ColleagueTest, S12_N6_TransfersItsRetrieverInThatName) {
  park_and_retrieve(colleague());
  conversations.swap_parties(talk);
  call_target("101");
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_TRUE(std::string(*invite.header("From")).starts_with("\"102\" <sip:102@demo.callpark>;tag="));
  EXPECT_EQ(invite.header(kamailio_protocol::kCaller), "102@demo.callpark");
  EXPECT_EQ(body_of(invite).media[0].port, alices_offer().media[0].port);
}

TEST_F(ColleagueTest, S12_AndRetrieverMayBothPark) {
  park_and_retrieve(colleague());
  conversations.swap_parties(talk);
  const SipMessage refer = refer_within(alice, "<sip:*68@demo.callpark>", "102");
  kamailio.deliver(refer);
  refer_of_client("104");
  EXPECT_THAT(reports(), ElementsAre("refer of caller to *68", "refer of peer to *68"));
}

TEST_F(ColleagueTest, S12_OfACallTakenOverParks) {
  ParkedCallRow row = row_of(RowState::kRetrieved);
  row.retriever = Extension{"demo.callpark", "101"};
  row.caller = colleague().caller;
  row.peer = colleague().parker;
  row.peer->remote_party = Outside{};  // as rows of old versions have it
  take_over(row);
  set_bridged(true);
  refer_of_client("104");
  EXPECT_THAT(reports(), ElementsAre("refer of caller to *68"));
  conversations.swap_parties(talk);
  EXPECT_EQ(caller_snapshot().remote_party, Party(Extension{"demo.callpark", "101"}));
}

TEST_F(ColleagueTest, S11_IsTheOnlyOneThatParksInItsDialog) {
  park(colleague());
  EXPECT_EQ(kamailio.take_response(refer_of_client("104")).status(), 603) << "the caller hears music";
  retrieve();
  EXPECT_EQ(kamailio.take_response(refer_of_client("")).status(), 403);
  for (const char* user : {"102", "105"}) {
    EXPECT_EQ(kamailio.take_response(refer_of_client(user)).status(), 603) << user;
  }
  SipMessage refer = refer_within(client, "<sip:*68@demo.callpark>", "104");
  refer.set_header(kamailio_protocol::kTenant, "other.callpark");
  EXPECT_EQ(answer_to(refer).status(), 603);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ColleagueTest, S11_ATrunkInItsPlaceDoesNotPark) {
  park_and_retrieve();
  EXPECT_EQ(kamailio.take_response(refer_of_client("")).status(), 403);
  for (const char* user : {"101", "102", "client"}) {
    EXPECT_EQ(kamailio.take_response(refer_of_client(user)).status(), 603) << user;
  }
  hold(client, clients_sdp(), "udp:127.0.0.12:5060");
  for (const char* user : {"", "101", "102", "client"}) {
    EXPECT_FALSE(held_by(user, "udp:127.0.0.12:5060")) << user;
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ColleagueTest, S7_HoldsByItsOwnDevice) {
  park_and_retrieve(colleague());
  EXPECT_FALSE(held_by("104"));
  hold(client, clients_sdp(), "udp:127.0.0.12:5060");
  const HeldConversation held = held_by("104").value();
  EXPECT_EQ(held.conversation, talk);
  EXPECT_EQ(held.holder, PartyEnd::kCaller);
  EXPECT_EQ(held.hold.device, "udp:127.0.0.12:5060");
  EXPECT_FALSE(held_by("102")) << "that party is held";
  conversations.swap_parties(talk);
  EXPECT_EQ(held_by("104").value().holder, PartyEnd::kPeer);
  EXPECT_EQ(held_by("104").value().hold.device, "udp:127.0.0.12:5060");
  conversations.forget(talk);
  EXPECT_FALSE(held_by("104"));
}

}  // namespace
}  // namespace callpark::leg
