// INVITEs without a description (RFC 3261 13.2.1, 14.1): the offer is in parkd's 200, the answer in the ACK.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

class OfferlessTest : public UserAgentScene {
 protected:
  SipMessage invite_without(const std::string& dialled) { return feature_invite(dialled, "102", std::nullopt); }
  /// Alice's answer to the offer in the 200.
  static sip::Sdp alices_answer() {
    return sdp_of(
        "v=0\no=alice 1 1 IN IP4 127.0.0.13\ns=-\nc=IN IP4 127.0.0.13\nt=0 0\n"
        "m=audio 7004 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\n");
  }
  /// Kamailio has seen Alice's CANCEL as well as parkd's 200.
  SipMessage ack_after_cancel(const std::optional<sip::Sdp>& answer) {
    SipMessage ack = alice.ack(alices_invite, answer);
    ack.set_header(kamailio_protocol::kCancelled, kamailio_protocol::kYes);
    return ack;
  }
  /// Alice dials, is offered the Client's media, and answers; the Client is being re-INVITEd.
  CallId begin_retrieve(park::Question question = 2) {
    alices_invite = invite_without("*88");
    const CallId call = dial(alices_invite);
    offer_call(question, call);
    const SipMessage ok = kamailio.take_response(alices_invite);
    EXPECT_EQ(ok.status(), 200);
    learn_tag(ok);
    return call;
  }
};

// ---- a park code ----

TEST_F(OfferlessTest, X7_AParkCodeIsAnsweredWithAnOfferOfMediad) {
  const SipMessage invite = invite_without("*70");
  const CallId call = dial(invite);
  EXPECT_THAT(listener.calls, SizeIs(1));
  const auto unknown = calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->remote.port, 0) << "not known yet";
  const SipMessage ok = kamailio.take_response(invite);
  learn_tag(ok);
  EXPECT_EQ(ok.status(), 200);
  const sip::Sdp offer = body_of(ok);
  EXPECT_EQ(offer.media[0].port, mediad_address().port);
  EXPECT_EQ(codecs_text(offer.media[0]).substr(0, 6), "0 PCMU");
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.deliver(alice.ack(invite, alices_answer()));
  EXPECT_THAT(reports(), ElementsAre(about("media of", call), about("confirmed", call)));
  EXPECT_EQ(listener.music->remote, (MediaAddress{"127.0.0.13", 7004}));
  EXPECT_EQ(listener.music->codec.name, "PCMU");
}

TEST_F(OfferlessTest, X7_AParkCodeAcknowledgedWithoutAnAnswerIsOver) {
  for (const bool has_answer : {false, true}) {
    SipMessage invite = invite_without("*70");
    const CallId call = dial(invite);
    ASSERT_TRUE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
    learn_tag(kamailio.take_response(invite));
    sip::Sdp deaf = alices_answer();
    deaf.media[0].port = 0;
    kamailio.deliver(alice.ack(invite, has_answer ? std::optional(deaf) : std::nullopt));
    EXPECT_THAT(reports(), ElementsAre(about("lost", call)));
    EXPECT_EQ(take_bye().to_tag(), "alice-tag");
    alice.parkd_tag.clear();
    alice.call_id += "x";
  }
}

TEST_F(OfferlessTest, X7_AParkCodeThatIsNeverAcknowledgedIsLost) {
  const SipMessage invite = invite_without("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre(about("lost", call)));
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(OfferlessTest, X7_ARefusalNeedsNoOffer) {
  const SipMessage invite = invite_without("*88");
  const CallId call = dial(invite);
  EXPECT_FALSE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kEarly));
  calls.refuse(call, 404, "No call parked there");
  EXPECT_EQ(kamailio.take_response(invite).status(), 404);
}

TEST_F(OfferlessTest, X7_AnAnnouncementMayBeAskedForItsOfferAgain) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = answer_with_media(invite);
  kamailio.deliver(alice.ack(invite));
  reports();
  const SipMessage again = alice.request("INVITE");
  kamailio.deliver(again);
  const SipMessage ok = kamailio.take_response(again);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).media[0].port, mediad_address().port);
  kamailio.deliver(alice.ack(again, with_port(alices_answer(), 7010)));
  EXPECT_THAT(reports(), ElementsAre(about("media of", call)));
  EXPECT_EQ(listener.music->remote.port, 7010);
}

// ---- a retrieve ----

TEST_F(OfferlessTest, X7_ARetrieverIsOfferedTheCallerAndTheCallerItsAnswer) {
  park();
  const CallId call = begin_retrieve();
  EXPECT_FALSE(kamailio.sends("INVITE", Duration(100))) << "the Client hears music until Alice has answered";
  const sip::Sdp offer = body_of(kamailio.take_response(alices_invite));
  EXPECT_EQ(offer.media[0].port, clients_sdp().media[0].port);
  EXPECT_EQ(sip::direction(offer, offer.media[0]), sip::Direction::kSendRecv);
  kamailio.deliver(alice.ack(alices_invite, alices_answer()));
  const SipMessage invite = accept_offer();
  EXPECT_EQ(body_of(invite).media[0].port, 7004);
  EXPECT_EQ(body_of(invite).connection->address, "127.0.0.13");
  EXPECT_THAT(reports(), ElementsAre("accepted 2"));
  calls.answer_with_caller(call, talk);
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call)));
  EXPECT_EQ(kamailio.copies(kamailio.take_response(alices_invite)), 1U) << "answered once";
  make_peer(call);
  set_bridged(true);
  pass(seconds(1));
  EXPECT_FALSE(kamailio.sends("INVITE")) << "both know of each other";
  kamailio.deliver(alice.request("INFO"));
  EXPECT_EQ(kamailio.take_request("INFO").call_id(), "call-1");
}

TEST_F(OfferlessTest, X7_ARetrieverIsToldWhereTheCallerHasMovedTo) {
  park();
  const CallId call = begin_retrieve();
  kamailio.deliver(alice.ack(alices_invite, alices_answer()));
  accept_offer(with_port(clients_sdp(), 6200));
  reports();
  calls.answer_with_caller(call, talk);
  make_peer(call);
  set_bridged(true);
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.call_id(), "call-2");
  EXPECT_EQ(body_of(invite).media[0].port, 6200);
}

TEST_F(OfferlessTest, X7_ARetrieverWhoseMediaTheCallerRefusesGetsABye) {
  park();
  const CallId call = begin_retrieve();
  kamailio.deliver(alice.ack(alices_invite, alices_answer()));
  kamailio.answer(kamailio.take_request("INVITE"), 488);
  EXPECT_THAT(reports(), ElementsAre("refused 2"));
  calls.refuse(call, 488, "No media in common");
  EXPECT_EQ(take_bye().to_tag(), "alice-tag");
}

TEST_F(OfferlessTest, X7_ARetrieverWithoutAnAnswerInItsAckIsGone) {
  park();
  const CallId call = begin_retrieve();
  kamailio.deliver(alice.ack(alices_invite));
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
  EXPECT_EQ(take_bye().to_tag(), "alice-tag");
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

TEST_F(OfferlessTest, X7_ARetrieverThatNeverAcknowledgesIsGone) {
  park();
  const CallId call = begin_retrieve();
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

TEST_F(OfferlessTest, X7_ARetrieverThatHangsUpBeforeItsAckIsGone) {
  park();
  const CallId call = begin_retrieve();
  EXPECT_EQ(answer_to(alice.request("BYE")).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(40)));
}

// Its ACK has an answer or none, and its BYE follows: the Client hears nothing of it, and may be retrieved.
TEST_F(OfferlessTest, X6_ARetrieverThatCancelledBeforeItsAckIsGone) {
  park();
  int question = 2;
  for (const auto& answer : {std::optional(alices_answer()), std::optional<sip::Sdp>()}) {
    const CallId call = begin_retrieve(question++);
    kamailio.deliver(ack_after_cancel(answer));
    EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
    EXPECT_EQ(take_bye().to_tag(), "alice-tag");
    EXPECT_THAT(answer_to(alice.request("BYE")).status(), testing::AnyOf(200, 481));
    EXPECT_FALSE(kamailio.sends("INVITE", seconds(40))) << "the Client hears music";
    EXPECT_THAT(reports(), IsEmpty());
    alice.parkd_tag.clear();
    alice.call_id += "x";
  }
  const CallId call = begin_retrieve(question);
  kamailio.deliver(alice.ack(alices_invite, alices_answer()));
  accept_offer();
  EXPECT_THAT(reports(), ElementsAre("accepted " + std::to_string(question)));
  calls.hang_up(call);
}

TEST_F(OfferlessTest, X6_ARetrieverThatHangsUpWhileTheCallerIsBeingOfferedItIsGone) {
  park();
  const CallId call = begin_retrieve();
  kamailio.deliver(alice.ack(alices_invite, alices_answer()));
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(answer_to(alice.request("BYE")).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
  offer_music(3);
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_EQ(body_of(accept_offer()).media[0].port, mediad_address().port);
  EXPECT_THAT(reports(), testing::Contains("accepted 3"));
}

TEST_F(OfferlessTest, X7_ACallerThatLeavesBeforeTheAckIsForgotten) {
  park();
  const CallId call = begin_retrieve();
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  calls.hang_up(call);
  conversations.forget(talk);
  kamailio.deliver(alice.ack(alices_invite, alices_answer()));
  EXPECT_EQ(take_bye().to_tag(), "alice-tag");
  EXPECT_THAT(reports(), IsEmpty());
}

// ---- bridged ----

TEST_F(OfferlessTest, X7_ARetrievedPartyThatAcknowledgesWithoutAnAnswerKeepsItsSession) {
  park_and_retrieve();
  const SipMessage invite = client.request("INVITE");
  kamailio.deliver(invite);
  EXPECT_EQ(kamailio.take_response(invite).status(), 200);
  kamailio.deliver(client.ack(invite));
  EXPECT_FALSE(kamailio.sends("INVITE"));
  EXPECT_FALSE(kamailio.sends("BYE"));
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(OfferlessTest, X7_ARetrievedPartyThatNeverAcknowledgesIsGone) {
  park_and_retrieve();
  kamailio.deliver(client.request("INVITE"));
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(OfferlessTest, X7_WithoutAnyDescriptionThereIsNothingToOffer) {
  take_over(row_of(RowState::kRetrieved));
  set_bridged(true);
  EXPECT_EQ(answer_to(client.request("INVITE")).status(), 488);
}

}  // namespace
}  // namespace callpark::leg
