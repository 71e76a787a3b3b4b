// Calls that parkd makes: from itself with mediad's media, and in a caller's name.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

class CallFromParkdTest : public UserAgentScene {
 protected:
  CallId call() {
    const CallId id = calls.start(
        {"demo.callpark", "101", callpark::OutgoingCall::FromParkd{"Parked at *7250", "*71*7250", mediad_address()}});
    invite = kamailio.take_request("INVITE");
    return id;
  }
  SipMessage invite;
};

/// Alice transfers the Client to 103.
class TargetTest : public UserAgentScene {
 protected:
  void ring_target() {
    park_and_retrieve();
    target = call_target("103");
    invite = kamailio.take_request("INVITE");
    kamailio.answer(invite, 180);
  }
  void answer_target(const std::function<void(SipMessage&)>& fill = {}) {
    ring_target();
    kamailio.answer(invite, 200, alices_offer(), fill);
  }
  void connect_target(const std::function<void(SipMessage&)>& fill = {}) {
    answer_target(fill);
    EXPECT_FALSE(kamailio.sends("ACK")) << "before the target has the caller";
    set_bridged(false);
    offer_call(10, target);
    kamailio.take_request("ACK");
    accept_offer_and_take_ack();
    end(PartyEnd::kPeer);
    take_bye();
    make_peer(target);
    set_bridged(true);
    reports();
  }
  CallId target;
  SipMessage invite;
};

TEST_F(CallFromParkdTest, S5_OffersMediadsMediaAndShowsTheOrbit) {
  const CallId id = call();
  EXPECT_EQ(invite.request_uri_text(), "sip:101@demo.callpark");
  EXPECT_EQ(invite.header(kamailio_protocol::kTenant), "demo.callpark");
  EXPECT_EQ(invite.from().display, "Parked at *7250");
  EXPECT_EQ(invite.from().uri.to_string(), "sip:*71*7250@demo.callpark");
  EXPECT_EQ(body_of(invite).media[0].port, mediad_address().port);
  kamailio.answer(invite, 180);
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_THAT(reports(), ElementsAre(about("answered", id)));
  ASSERT_TRUE(listener.music);
  EXPECT_EQ(listener.music->remote.port, alices_offer().media[0].port);
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK")) << "the 200 once more";
  EXPECT_THAT(reports(), IsEmpty());
  calls.hang_up(id);
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(reports(), IsEmpty());
}

// Kamailio has answered the trunk's challenge.
TEST_F(CallFromParkdTest, T1_CountsOnFromTheCSeqThatTheTrunkHasSeen) {
  const CallId id = call();
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& response) { response.set_header(kamailio_protocol::kCSeq, "2"); });
  EXPECT_EQ(kamailio.take_request("ACK").cseq().number, 2U);
  calls.hang_up(id);
  EXPECT_EQ(kamailio.take_request("BYE").cseq().number, 3U);
}

TEST_F(CallFromParkdTest, HungUpByThePhoneIsGone) {
  const CallId id = call();
  kamailio.answer(invite, 200, alices_offer());
  reports();
  FarEnd phone = phone_called_by(invite);
  const SipMessage bye = phone.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("gone", id)));
}

TEST_F(CallFromParkdTest, RefusedIsReported) {
  const CallId id = call();
  kamailio.answer(invite, 486);
  EXPECT_THAT(reports(), ElementsAre(about("refused 486", id)));
}

TEST_F(CallFromParkdTest, NotReachedIsReported) {
  const CallId id = call();
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre(about("refused 408", id)));
}

TEST_F(CallFromParkdTest, RingingIsCancelled) {
  const CallId id = call();
  kamailio.answer(invite, 180);
  calls.hang_up(id);
  kamailio.answer(kamailio.take_request("CANCEL"), 200);
  kamailio.answer(invite, 487);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(CallFromParkdTest, AnsweredAcrossTheCancelIsHungUp) {
  const CallId id = call();
  kamailio.answer(invite, 180);
  calls.hang_up(id);
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(CallFromParkdTest, AnsweredWithoutMediaIsHungUp) {
  const CallId id = call();
  kamailio.answer(invite, 200);
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(reports(), ElementsAre(about("refused 488", id)));
}

TEST_F(TargetTest, BusyIsRefused) {
  ring_target();
  kamailio.answer(invite, 486);
  EXPECT_THAT(reports(), ElementsAre(about("refused 486", target)));
}

TEST_F(TargetTest, NotReachedIsRefused) {
  park_and_retrieve();
  target = call_target("103");
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre(about("refused 408", target)));
}

TEST_F(TargetTest, RingingForEverIsCancelled) {
  ring_target();
  kamailio.answer(invite, 180);
  pass(seconds(320));
  kamailio.answer(invite, 180);  // the next one of a ring group
  pass(seconds(320));
  EXPECT_THAT(reports(), IsEmpty());
  pass(seconds(60));
  EXPECT_TRUE(kamailio.sends("CANCEL"));
  EXPECT_THAT(reports(), ElementsAre(about("refused 408", target)));
}

TEST_F(TargetTest, GivenUpIsCancelledAndReportsNothing) {
  ring_target();
  calls.hang_up(target);
  kamailio.answer(kamailio.take_request("CANCEL"), 200);
  kamailio.answer(invite, 487);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(TargetTest, AnsweredAcrossTheCancelIsHungUp) {
  ring_target();
  calls.hang_up(target);
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").call_id(), invite.call_id());
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(TargetTest, OfAnOldTransferDoesNotTouchTheNext) {
  ring_target();
  calls.hang_up(target);
  const SipMessage old = invite;
  target = call_target("104");
  const SipMessage next = kamailio.take_request("INVITE");
  kamailio.answer(old, 487);
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.answer(next, 200, alices_offer());
  EXPECT_THAT(reports(), ElementsAre(about("answered", target)));
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(TargetTest, AnsweredByASecondForkKeepsTheFirst) {
  ring_target();
  kamailio.answer(invite, 200, alices_offer());
  kamailio.answer(invite, 200, alices_offer(), [](SipMessage& response) {
    response.set_header(HeaderName::kTo, "<sip:103@demo.callpark>;tag=second-fork");
  });
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "second-fork");
  EXPECT_FALSE(kamailio.sends("BYE"));
  EXPECT_THAT(reports(), ElementsAre(about("answered", target)));
}

TEST_F(TargetTest, Repeating200IsAcknowledgedAgain) {
  connect_target();
  kamailio.answer(invite, 200, alices_offer());
  EXPECT_FALSE(kamailio.sends("BYE", seconds(5)));
  EXPECT_THAT(reports(), IsEmpty());
  EXPECT_TRUE(peer_snapshot());
}

TEST_F(TargetTest, AnsweredWithoutMediaIsHungUp) {
  ring_target();
  kamailio.answer(invite, 200);
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_THAT(reports(), ElementsAre(about("refused 488", target)));
}

TEST_F(TargetTest, HasItsAnswerAmongOtherParts) {
  ring_target();
  kamailio.answer(invite, 200, std::nullopt,
                  [](SipMessage& response) { put_among_other_parts(response, alices_offer()); });
  EXPECT_THAT(reports(), ElementsAre(about("answered", target)));
}

TEST_F(TargetTest, WithoutContactIsAnswered) {
  ring_target();
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& response) { response.remove_header(HeaderName::kContact); });
  EXPECT_THAT(reports(), ElementsAre(about("answered", target)));
  calls.hang_up(target);
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_EQ(kamailio.take_request("BYE").request_uri_text(), invite.request_uri_text());
}

TEST_F(TargetTest, AnsweredIsEndedByBye) {
  ring_target();
  kamailio.answer(invite, 200, alices_offer());
  reports();
  calls.hang_up(target);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.call_id(), invite.call_id());
  EXPECT_EQ(bye.to_tag(), "far-tag");
}

TEST_F(TargetTest, ThatHangsUpBeforeItIsPeerIsReported) {
  ring_target();
  kamailio.answer(invite, 200, alices_offer());
  reports();
  FarEnd phone = phone_called_by(invite);
  const SipMessage bye = phone.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("gone", target)));
  make_peer(target);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(TargetTest, IsAPeerLikeAnyOther) {
  connect_target();
  FarEnd phone = phone_called_by(invite);
  const SipMessage hold = phone.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  accept_offer();
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  kamailio.deliver(phone.ack(hold));
  EXPECT_TRUE(is_held_by("103"));
  EXPECT_FALSE(held_by("102"));
  kamailio.deliver(phone.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(TargetTest, R8_OfARingGroupIsTheMemberThatAnswered) {
  ring_target();
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& answer) { answer.set_header(kamailio_protocol::kUser, "105"); });
  offer_call(10, target);
  kamailio.take_request("ACK");
  accept_offer_and_take_ack();
  end(PartyEnd::kPeer);
  make_peer(target);
  set_bridged(true);
  FarEnd phone = phone_called_by(invite);
  const SipMessage hold = phone.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  accept_offer();
  kamailio.deliver(phone.ack(hold));
  EXPECT_TRUE(is_held_by("105"));
}

TEST_F(TargetTest, B4_OfARingGroupOrACallFlowMayBeOutside) {
  ring_target();
  kamailio.answer(invite, 200, alices_offer(),
                  [](SipMessage& answer) { answer.set_header(kamailio_protocol::kUser, "+442079460099"); });
  EXPECT_EQ(calls.party(target), Party(Outside{"+442079460099"}));
  calls.hang_up(target);
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(TargetTest, B2_OfARecallShowsTheNameThatTheCallIsParkedUnder) {
  park();
  auto from = as_recall("102");
  from.recall->shown_name = "Gold client";
  target = call_target("101", from);
  const SipMessage recall = kamailio.take_request("INVITE");
  EXPECT_THAT(std::string(recall.header("From").value_or("")), HasSubstr("\"Recall 102: Gold client\" <sip:client@"));
  kamailio.answer(recall, 486);
  EXPECT_THAT(reports(), ElementsAre(about("refused 486", target)));
}

TEST_F(TargetTest, R5_OfARecallShowsTheOrbit) {
  park();
  target = call_target("101", as_recall("102"));
  const SipMessage recall = kamailio.take_request("INVITE");
  EXPECT_EQ(recall.request_uri_text(), "sip:101@demo.callpark");
  EXPECT_EQ(recall.header("X-Callpark-Recall"), "p");
  EXPECT_TRUE(recall.header("Alert-Info"));
  EXPECT_THAT(std::string(recall.header("From").value_or("")), HasSubstr("\"Recall 102: Client\" <sip:client@"));
  EXPECT_EQ(body_of(recall).media[0].port, clients_sdp().media[0].port);
  kamailio.answer(recall, 200, alices_offer());
  EXPECT_THAT(reports(), ElementsAre(about("answered", target)));
  EXPECT_EQ(calls.snapshot(target).remote_tag, "far-tag");
  EXPECT_TRUE(calls.snapshot(target).remote_was_called);
  calls.hang_up(target);
  EXPECT_TRUE(kamailio.sends("BYE"));
}

}  // namespace
}  // namespace callpark::leg
