// A call that was never parked: it calls out, hears music and is bridged by the types that parked calls use.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

/// Alice has called parkd, and a conversation begins.
class ConversationTest : public UserAgentScene {
 protected:
  void begin_with_alice() {
    const SipMessage invite_of_alice = feature_invite("300");
    const CallId call = answer_with_media(invite_of_alice);
    kamailio.deliver(alice.ack(invite_of_alice));
    talk = conversations.begin(call);
    reports();
  }
  /// Bob answers a call in Alice's name, and becomes the peer.
  void connect_bob() {
    target = call_target("103");
    invite = kamailio.take_request("INVITE");
    kamailio.answer(invite, 200, clients_sdp());
    EXPECT_THAT(reports(), ElementsAre(about("answered", target)));
    offer_call(2, target);
    kamailio.take_request("ACK");
    accept_offer(alices_offer());
    kamailio.take_request("ACK");
    EXPECT_THAT(reports(), ElementsAre("accepted 2"));
    make_peer(target);
    set_bridged(true);
    bob = phone_called_by(invite);
  }
  CallId target;
  SipMessage invite;
  FarEnd bob;
};

TEST_F(ConversationTest, KeepsTheMediaOfTheCallThatBeganIt) {
  begin_with_alice();
  const SipMessage answer = answer_to(alice.request("INVITE", held(alices_offer())));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(body_of(answer).media[0].port, mediad_address().port);
  EXPECT_THAT(reports(), ElementsAre("media changed"));
  EXPECT_FALSE(listener.music->listens);
}

TEST_F(ConversationTest, F6_ReportsAKeyOfItsCallerThatHearsMediad) {
  begin_with_alice();
  SipMessage info = alice.request("INFO");
  info.set_body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
  EXPECT_EQ(answer_to(info).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("key 5 of caller"));
  SipMessage other = alice.request("INFO");
  other.set_body("application/media_control+xml", "<media_control/>");
  EXPECT_EQ(answer_to(other).status(), 200);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(ConversationTest, PlaysMusicToItsCaller) {
  begin_with_alice();
  offer_music(1);
  const SipMessage offer = accept_offer(alices_offer());
  EXPECT_EQ(offer.to_tag(), "alice-tag");
  EXPECT_EQ(body_of(offer).media[0].port, mediad_address().port);
  EXPECT_THAT(reports(), ElementsAre("accepted 1"));
  EXPECT_EQ(listener.music->remote, (MediaAddress{"127.0.0.13", 7004}));
}

TEST_F(ConversationTest, CallsOutInItsCallersName) {
  begin_with_alice();
  target = call_target("103");
  invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.from().uri.to_string(), "sip:102@demo.callpark");
  EXPECT_EQ(invite.header(kamailio_protocol::kCaller), "102@demo.callpark");
  EXPECT_EQ(body_of(invite).media[0].port, alices_offer().media[0].port);
  EXPECT_FALSE(invite.header(HeaderName::kReferredBy));
}

TEST_F(ConversationTest, JoinsItsCallerWithTheTarget) {
  begin_with_alice();
  offer_music(1);
  accept_offer(alices_offer());
  kamailio.take_request("ACK");
  reports();
  connect_bob();

  const SipMessage hold = alice.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  const SipMessage passed = accept_offer();
  EXPECT_EQ(passed.to_tag(), "far-tag");
  EXPECT_EQ(direction_of(passed), sip::Direction::kSendOnly);
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  kamailio.deliver(alice.ack(hold));
  EXPECT_TRUE(is_held_by("102"));
  kamailio.deliver(bob.request("INFO"));
  EXPECT_EQ(kamailio.take_request("INFO").to_tag(), "alice-tag");

  EXPECT_EQ(answer_to(bob.request("BYE")).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
  end(PartyEnd::kCaller);
  EXPECT_EQ(take_bye().to_tag(), "alice-tag");
  conversations.forget(talk);
  EXPECT_EQ(answer_to(alice.request("INFO")).status(), 481);
}

TEST_F(ConversationTest, LearnsOfACallerThatHasHungUpAtItsBeginning) {
  const SipMessage invite_of_alice = feature_invite("300");
  const CallId call = answer_with_media(invite_of_alice);
  kamailio.deliver(alice.ack(invite_of_alice));
  reports();
  talk = conversations.begin(call);
  EXPECT_EQ(answer_to(alice.request("BYE")).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(ConversationTest, JoinsACallThatMediadHasAnswered) {
  begin_with_alice();
  FarEnd second{"call-7", "bob-tag", "sip:103@demo.callpark", "sip:103@127.0.0.14:5060", "", "sip:301@demo.callpark",
                0};
  SipMessage asks = second.request("INVITE", clients_sdp());
  asks.set_request_uri("sip:301@demo.callpark");
  trust(asks, "103");
  const CallId call = dial(asks);
  ASSERT_TRUE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
  second.parkd_tag = std::string(kamailio.take_response(asks).to_tag());
  kamailio.deliver(second.ack(asks));
  offer_call(4, call);
  EXPECT_EQ(body_of(accept_offer(alices_offer())).media[0].port, clients_sdp().media[0].port);
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call), "accepted 4"));
  make_peer(call);
  const SipMessage reinvite = accept_offer();
  EXPECT_EQ(reinvite.to_tag(), "bob-tag");
  EXPECT_EQ(body_of(reinvite).media[0].port, alices_offer().media[0].port) << "it has heard mediad until now";
}

TEST_F(ConversationTest, BeginsWithAPhoneThatParkdHasCalled) {
  const CallId call =
      calls.start({"demo.callpark", "101", callpark::OutgoingCall::FromParkd{"Call flow", "300", mediad_address()}});
  invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_THAT(reports(), ElementsAre(about("answered", call)));
  talk = conversations.begin(call);
  EXPECT_EQ(caller_snapshot().remote_party, Party(Extension{"demo.callpark", "101"}));
  FarEnd phone = phone_called_by(invite);
  EXPECT_EQ(body_of(answer_to(phone.request("INVITE", alices_offer()))).media[0].port, mediad_address().port);
  EXPECT_THAT(reports(), ElementsAre("media changed"));
}

}  // namespace
}  // namespace callpark::leg
