// Feature calls: early media, the answer and its ACK, refusals, and the held call that comes with one.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using IncomingCallTest = UserAgentScene;
using HeldCallTest = UserAgentScene;

TEST_F(IncomingCallTest, S11_WithoutAnAuthenticatedCallerIsForbidden) {
  SipMessage invite = feature_invite("*88");
  invite.remove_header(kamailio_protocol::kTenant);
  EXPECT_EQ(answer_to(invite).status(), 403);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, HasItsOfferAmongOtherParts) {
  SipMessage invite = feature_invite("*88", "102", std::nullopt);
  put_among_other_parts(invite, alices_offer());
  kamailio.deliver(invite);
  EXPECT_THAT(reports(), ElementsAre("feature call *88"));
  SipMessage without = feature_invite("*88", "102", std::nullopt);
  put_among_other_parts(without, std::nullopt);
  without.set_header(HeaderName::kCallId, "another");
  kamailio.deliver(without);
  EXPECT_THAT(reports(), ElementsAre("feature call *88")) << "without an offer";
}

TEST_F(IncomingCallTest, WithTooShortASessionTimerIsRefusedAtOnce) {
  SipMessage invite = feature_invite("*88");
  invite.set_header(HeaderName::kSupported, "timer");
  invite.set_header("Session-Expires", "60");
  kamailio.deliver(invite);
  const SipMessage response = kamailio.take_response(invite);
  EXPECT_EQ(response.status(), 422);
  EXPECT_EQ(response.header(HeaderName::kMinSE), "90");
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, N1_WithTheReplacesOfALampIsDecidedByItsOrbit) {
  SipMessage invite = feature_invite("*88102");
  invite.add_header(HeaderName::kRequire, "replaces");
  invite.add_header(HeaderName::kReplaces, "park-1@demo.callpark;to-tag=orbit;from-tag=caller");
  kamailio.deliver(invite);
  EXPECT_THAT(reports(), ElementsAre("feature call *88102"));
}

TEST_F(IncomingCallTest, IsReportedWithWhatKamailioKnows) {
  SipMessage invite = feature_invite("*70333");
  invite.set_header(kamailio_protocol::kDialog, dialog_json());
  dial(invite);
  ASSERT_THAT(listener.calls, SizeIs(1));
  const FeatureCall& call = listener.calls[0];
  EXPECT_EQ(call.tenant, "demo.callpark");
  EXPECT_EQ(call.caller, Party(Extension{"demo.callpark", "102"}));
  EXPECT_EQ(call.dialled, "*70333");
  ASSERT_TRUE(call.held);
  EXPECT_EQ(call.held->caller.remote_tag, "client-tag");
}

TEST_F(IncomingCallTest, S7_WithAnUnreadableHeldCallHasNone) {
  SipMessage invite = feature_invite("*70333");
  invite.set_header(kamailio_protocol::kDialog, R"({"call_id":"x","parker":"nobody"})");
  dial(invite);
  ASSERT_THAT(listener.calls, SizeIs(1));
  EXPECT_FALSE(listener.calls[0].held);
}

TEST_F(IncomingCallTest, B3_RingsAndIsThenAnsweredOrRefused) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  calls.ring(call);
  const SipMessage ringing = kamailio.take_response(invite, 180);
  EXPECT_EQ(ringing.status(), 180);
  EXPECT_TRUE(ringing.header("Contact"));
  calls.refuse(call, 402, "Insufficient funds");
  const SipMessage final = kamailio.take_response(invite);
  EXPECT_EQ(final.status(), 402);
  EXPECT_EQ(final.to_tag(), ringing.to_tag());
  calls.ring(call);  // it is over
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, S9_IsNotAnsweredByEarlyMedia) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  const auto remote = calls.answer_with_media(call, mediad_address(), Calls::Answer::kEarly);
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->remote, (MediaAddress{"127.0.0.13", 7004}));
  const SipMessage progress = kamailio.take_response(invite, 183);
  EXPECT_EQ(progress.status(), 183);
  EXPECT_EQ(body_of(progress).media[0].port, mediad_address().port);
  calls.refuse(call, 404, "No call parked there");
  const SipMessage final = kamailio.take_response(invite);
  EXPECT_EQ(final.status(), 404);
  EXPECT_EQ(final.reason(), "No call parked there");
  EXPECT_EQ(final.to_tag(), progress.to_tag());
}

TEST_F(IncomingCallTest, S2_IsConfirmedByItsAckAndEndedByBye) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = answer_with_media(invite);
  kamailio.deliver(alice.ack(invite));
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call)));
  calls.hang_up(call);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.to_tag(), "alice-tag");
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, UnansweredIsRefusedByHangingUp) {
  const SipMessage invite = feature_invite("*70");
  calls.hang_up(dial(invite));
  EXPECT_EQ(kamailio.take_response(invite).status(), 480);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, HungUpBeforeItsAckWaitsForIt) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = answer_with_media(invite);
  calls.hang_up(call);
  EXPECT_FALSE(kamailio.sends("BYE"));
  kamailio.deliver(alice.ack(invite));
  EXPECT_TRUE(kamailio.sends("BYE"));
  const SipMessage late = alice.request("INFO");
  EXPECT_EQ(answer_to(late).status(), 481);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, F3_AKeyByInfoIsReportedOfAnAnsweredCall) {
  const SipMessage invite = feature_invite("*30");
  const CallId call = answer_with_media(invite);
  kamailio.deliver(alice.ack(invite));
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call)));
  SipMessage relay = alice.request("INFO");
  relay.set_body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
  EXPECT_EQ(answer_to(relay).status(), 200);
  SipMessage plain = alice.request("INFO");
  plain.set_body("application/dtmf", "#");
  EXPECT_EQ(answer_to(plain).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("key 5 of", call), about("key # of", call)));
  EXPECT_EQ(answer_to(alice.request("INFO")).status(), 200) << "a keep-alive";
  SipMessage no_key = alice.request("INFO");
  no_key.set_body("application/dtmf-relay", "Signal=99");
  EXPECT_EQ(answer_to(no_key).status(), 400);
  SipMessage other = alice.request("INFO");
  other.set_body("application/media_control+xml", "<media_control/>");
  const SipMessage refused = answer_to(other);
  EXPECT_EQ(refused.status(), 415);
  EXPECT_EQ(refused.header("Accept"), "application/dtmf-relay, application/dtmf");
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, F3_AKeyOutsideADialogIsRefused) {
  const SipMessage invite = feature_invite("*30");
  dial(invite);
  SipMessage early = alice.request("INFO");
  early.set_body("application/dtmf", "1");
  EXPECT_EQ(answer_to(early).status(), 405);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, CancelledIsAnswered487) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  SipMessage cancel = sip::make_request("CANCEL", invite.request_uri_text());
  cancel.add_header(HeaderName::kVia, invite.top_via().to_string());
  for (const auto name : {HeaderName::kFrom, HeaderName::kTo, HeaderName::kCallId}) {
    cancel.add_header(name, *invite.header(name));
  }
  cancel.set_cseq(invite.cseq().number, "CANCEL");
  kamailio.deliver(cancel);
  EXPECT_EQ(kamailio.take_response(invite).status(), 487);
  EXPECT_EQ(kamailio.take_response(cancel).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
  calls.refuse(call, 404, "");  // too late, and harmless
  EXPECT_FALSE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
}

TEST_F(IncomingCallTest, S2_ThatHangsUpIsReportedGone) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = answer_with_media(invite);
  kamailio.deliver(alice.ack(invite));
  reports();
  const SipMessage bye = alice.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
}

TEST_F(IncomingCallTest, WithAByeBeforeTheAckStopsItsAnswer) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
  const SipMessage ok = kamailio.take_response(invite);
  learn_tag(ok);
  kamailio.deliver(alice.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
  pass(seconds(40));
  EXPECT_EQ(kamailio.copies(ok), 1U);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(IncomingCallTest, WithAByeBeforeTheAnswerEndsItsInvite) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = answer_with_media(invite, Calls::Answer::kEarly);
  const SipMessage bye = alice.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_EQ(kamailio.take_response(invite).status(), 487);
  EXPECT_THAT(reports(), ElementsAre(about("gone", call)));
}

TEST_F(IncomingCallTest, NeverAcknowledgedIsReportedLost) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = answer_with_media(invite);
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre(about("lost", call)));
  EXPECT_TRUE(kamailio.sends("BYE"));
  calls.hang_up(call);
  const SipMessage info = alice.request("INFO");
  EXPECT_EQ(answer_to(info).status(), 481);
}

// Its CANCEL and parkd's 200 have crossed; Kamailio has seen both.
TEST_F(IncomingCallTest, X6_WithAnAckAfterACancelIsReportedLostAndEnds) {
  const SipMessage invite = feature_invite("*88");
  const CallId call = answer_with_media(invite);
  SipMessage ack = alice.ack(invite);
  ack.set_header(kamailio_protocol::kCancelled, kamailio_protocol::kYes);
  kamailio.deliver(ack);
  EXPECT_THAT(reports(), ElementsAre(about("lost", call)));
  take_bye();
  const SipMessage bye = alice.request("BYE");
  EXPECT_THAT(answer_to(bye).status(), testing::AnyOf(200, 481));
  pass(seconds(40));
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, UnansweredRefusesOffersForNow) {
  const SipMessage invite = feature_invite("*88");
  answer_with_media(invite, Calls::Answer::kEarly);
  for (const char* method : {"UPDATE", "INVITE"}) {
    const SipMessage request = alice.request(method, alices_offer());
    EXPECT_EQ(answer_to(request).status(), 500) << method;
  }
}

TEST_F(IncomingCallTest, MayHoldTheAnnouncement) {
  const SipMessage invite = feature_invite("*70");
  const CallId call = dial(invite);
  ASSERT_TRUE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
  const SipMessage ok = kamailio.take_response(invite);
  learn_tag(ok);
  kamailio.deliver(alice.ack(invite));
  const SipMessage answer = answer_to(alice.request("INVITE", held(alices_offer())));
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(body_of(answer).origin.version, body_of(ok).origin.version + 1);
  kamailio.deliver(alice.ack(invite));
  EXPECT_THAT(reports(), ElementsAre(about("confirmed", call), about("media of", call)));
  EXPECT_FALSE(listener.music->listens);
}

TEST_F(IncomingCallTest, WithoutACommonCodecHasNoMedia) {
  sip::Sdp g729 = alices_offer();
  g729.media[0].formats = {"18"};
  const CallId call = dial(feature_invite("*70", "102", g729));
  EXPECT_FALSE(calls.answer_with_media(call, mediad_address(), Calls::Answer::kFinal));
}

TEST_F(IncomingCallTest, R7_WithABadRecallTimeIsRefused) {
  for (const char* wrong : {"9", "3601", "soon", "45 s", "-45", "99999999999", ""}) {
    SipMessage refer = johns_refer();
    refer.set_header("X-Recall-After", wrong);
    EXPECT_EQ(answer_to(refer).status(), 400) << wrong;
    SipMessage invite = feature_invite("*70");
    invite.set_header("X-Recall-After", wrong);
    EXPECT_EQ(answer_to(invite).status(), 400) << wrong;
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(IncomingCallTest, L3_MayComeFromATrunk) {
  SipMessage invite = feature_invite("7001");
  invite.remove_header(kamailio_protocol::kUser);
  invite.set_header(kamailio_protocol::kTrunk, "site-b");
  kamailio.deliver(invite);
  EXPECT_THAT(reports(), ElementsAre("feature call 7001"));
  EXPECT_EQ(listener.calls.back().caller, Party(Trunk{"site-b"}));
}

// Kamailio sets John's marker as soon as the phone dials a park code, so what it sends in the held call comes to
// parkd.
TEST_F(HeldCallTest, S13_EndedByItsParkerIsEndedWhenTheParkIsRefused) {
  const SipMessage invite = hold_park_invite();
  const CallId call = dial(invite);
  const SipMessage bye = john.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_THAT(reports(), IsEmpty());
  calls.refuse(call, 403, "Not permitted");
  const SipMessage to_client = kamailio.take_request("BYE");
  EXPECT_EQ(to_client.to_tag(), "client-tag");
  kamailio.answer(to_client, 200);
}

TEST_F(HeldCallTest, S13_IsTheParkersAgainWhenTheParkIsRefused) {
  const SipMessage invite = hold_park_invite();
  calls.refuse(dial(invite), 403, "Not permitted");
  // parkd knows nothing of the call any more.
  const SipMessage bye = john.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 481);
}

TEST_F(HeldCallTest, S1_EndedByItsParkerBeforeTheAdoptionIsReported) {
  const SipMessage invite = hold_park_invite();
  dial(invite);
  ASSERT_TRUE(adopt(*listener.calls.back().held));
  const SipMessage bye = john.request("BYE");
  EXPECT_EQ(answer_to(bye).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

// A refused parker still hears why, and Kamailio sends the requests of the held call to parkd until that is over.
TEST_F(HeldCallTest, S13_KeepsTheHeldCallUntilItsFeatureCallIsAnswered) {
  const CallId call = dial(hold_park_invite());
  ASSERT_TRUE(adopt(*listener.calls.back().held));
  conversations.forget(talk);
  EXPECT_EQ(answer_to(john.request("BYE")).status(), 200);
  EXPECT_THAT(reports(), IsEmpty());
  EXPECT_FALSE(kamailio.sends("BYE"));
  calls.refuse(call, 403, "Not permitted");
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "client-tag");
}

}  // namespace
}  // namespace callpark::leg
