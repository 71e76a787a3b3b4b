// Caller and retriever: each is offered the media of the other, and what each sends is passed on.
#include "parkd/leg/aligned_offer.h"
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using BridgeTest = UserAgentScene;

TEST_F(BridgeTest, P3_JoinsCallerAndRetrieverByTheirDescriptions) {
  park();
  const SipMessage invite = feature_invite("*88");
  const CallId call = dial(invite);
  offer_call(2, call);
  const SipMessage offer = kamailio.take_request("INVITE");
  EXPECT_EQ(offer.from_tag(), "john-tag") << "to the Client it is John's dialog still";
  EXPECT_EQ(body_of(offer).origin.username, "john");
  EXPECT_EQ(body_of(offer).media[0].port, 7004);
  EXPECT_EQ(body_of(offer).connection->address, "127.0.0.13");
  kamailio.answer(offer, 200, clients_sdp());
  EXPECT_THAT(reports(), ElementsAre("accepted 2"));
  EXPECT_FALSE(listener.music);
  calls.answer_with_caller(call, talk);
  const SipMessage ok = kamailio.take_response(invite);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).media[0].port, 6004);
  EXPECT_EQ(body_of(ok).connection->address, "127.0.0.12");
  EXPECT_THAT(body_of(ok).media, SizeIs(alices_offer().media.size()));
}

TEST_F(BridgeTest, PassesOnAnOfferAmongOtherParts) {
  park_and_retrieve();
  SipMessage hold = client.request("INVITE");
  put_among_other_parts(hold, held(clients_sdp()));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(direction_of(passed), sip::Direction::kSendOnly);
  kamailio.answer(passed, 200, std::nullopt, [](SipMessage& response) {
    put_among_other_parts(response, with_direction(alices_offer(), sip::Direction::kRecvOnly));
  });
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
}

TEST_F(BridgeTest, S12_PassesHoldAndResumeEachWithItsOrigin) {
  park_and_retrieve();
  const std::uint64_t version = sdp_of(caller_snapshot().local_sdp).origin.version;
  const std::uint64_t alices_version = sdp_of(peer_snapshot()->local_sdp).origin.version;

  const SipMessage hold = alice.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(passed).origin.username, "john");
  EXPECT_EQ(body_of(passed).origin.version, version + 1);
  EXPECT_EQ(direction_of(passed), sip::Direction::kSendOnly);
  kamailio.answer(passed, 200, with_direction(clients_sdp(), sip::Direction::kRecvOnly));
  const SipMessage ok = kamailio.take_response(hold);
  EXPECT_EQ(body_of(ok).origin.version, alices_version + 1);
  EXPECT_EQ(direction_of(ok), sip::Direction::kRecvOnly);
  kamailio.deliver(alice.ack(hold));
  EXPECT_TRUE(is_held_by("102"));

  const SipMessage resume = alice.request("INVITE", alices_offer());
  kamailio.deliver(resume);
  const SipMessage passed_too = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(passed_too).origin.version, version + 2);
  EXPECT_EQ(direction_of(passed_too), sip::Direction::kSendRecv);
  kamailio.answer(passed_too, 200, clients_sdp());
  kamailio.deliver(alice.ack(resume));
  EXPECT_FALSE(held_by("102"));
  EXPECT_FALSE(conversations.held_by({"other.callpark", "102"}, ""));
}

TEST_F(BridgeTest, S12_PassesTheHoldOfTheCaller) {
  park_and_retrieve();
  const SipMessage hold = client.request("INVITE", held(clients_sdp()));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(passed.to_tag(), "alice-tag");
  EXPECT_EQ(passed.request_uri_text(), "sip:102@127.0.0.13:5060");
  kamailio.answer(passed, 200, with_direction(alices_offer(), sip::Direction::kRecvOnly));
  const SipMessage ok = kamailio.take_response(hold);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).origin.username, "john");
  EXPECT_THAT(body_of(ok).media, SizeIs(2)) << "the Client's lines where the Client has them";
}

TEST_F(BridgeTest, X16_RefusesAnOfferForTheReasonOfTheOtherSide) {
  park_and_retrieve();
  for (const auto& [status, passed_on] : {std::pair{488, 488}, {480, 480}, {477, 480}, {403, 500}}) {
    const SipMessage offer = alice.request("INVITE", alices_offer());
    kamailio.deliver(offer);
    kamailio.answer(kamailio.take_request("INVITE"), status);
    EXPECT_EQ(kamailio.take_response(offer).status(), passed_on) << status;
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(BridgeTest, EndsWithASideThatIsGone) {
  park_and_retrieve();
  const SipMessage offer = alice.request("INVITE", alices_offer());
  kamailio.deliver(offer);
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  EXPECT_GE(kamailio.take_response(offer).status(), 400);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(BridgeTest, Answers491ToOffersOfBothSides) {
  park_and_retrieve();
  kamailio.deliver(alice.request("INVITE", alices_offer()));
  const SipMessage passed = kamailio.take_request("INVITE");
  const SipMessage crossing = client.request("INVITE", clients_sdp());
  EXPECT_EQ(answer_to(crossing).status(), 491);
  const SipMessage second = alice.request("UPDATE", alices_offer());
  EXPECT_EQ(answer_to(second).status(), 491);
  kamailio.answer(passed, 200, clients_sdp());
}

TEST_F(BridgeTest, Answers491ToOffersThatWaitForEachOther) {
  park_and_retrieve();
  const SipMessage clients = client.request("INVITE", clients_sdp());
  kamailio.deliver(clients);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.answer(passed, 491);
  pass(Duration(1));
  // Before ours is tried again.
  const SipMessage from_alice = alice.request("INVITE", alices_offer());
  EXPECT_EQ(answer_to(from_alice).status(), 491);
  accept_offer(alices_offer());
  EXPECT_EQ(kamailio.take_response(clients).status(), 200);
}

TEST_F(BridgeTest, PassesAnUpdateWithAnOffer) {
  park_and_retrieve();
  const SipMessage update = alice.request("UPDATE", with_direction(alices_offer(), sip::Direction::kInactive));
  kamailio.deliver(update);
  const SipMessage second = alice.request("UPDATE", alices_offer());
  EXPECT_EQ(answer_to(second).status(), 491) << "one at a time";
  accept_offer(with_direction(clients_sdp(), sip::Direction::kInactive));
  const SipMessage ok = kamailio.take_response(update);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(direction_of(ok), sip::Direction::kInactive);
  pass(seconds(40));
  EXPECT_EQ(kamailio.copies(ok), 1U) << "there is no ACK to an UPDATE";
}

TEST_F(BridgeTest, AnswersAnOfferlessInviteWithTheOtherSide) {
  park_and_retrieve();
  const sip::Sdp last = sdp_of(peer_snapshot()->local_sdp);
  const SipMessage invite = alice.request("INVITE");
  kamailio.deliver(invite);
  const sip::Sdp offered = body_of(kamailio.take_response(invite));
  EXPECT_EQ(offered.origin.version, last.origin.version + 1);
  EXPECT_TRUE(is_heard_alike(offered, clients_sdp()));
  sip::Sdp elsewhere = alices_offer();
  elsewhere.media[0].port = 7010;
  kamailio.deliver(alice.ack(invite, elsewhere));
  EXPECT_EQ(body_of(kamailio.take_request("INVITE")).media[0].port, 7010);
}

TEST_F(BridgeTest, S12_ResumesByAnOfferlessInvite) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  accept_offer();
  kamailio.take_response(hold);
  kamailio.deliver(alice.ack(hold));
  const SipMessage resume = alice.request("INVITE");
  kamailio.deliver(resume);
  const sip::Sdp offered = body_of(kamailio.take_response(resume));
  EXPECT_EQ(sip::direction(offered, offered.media[0]), sip::Direction::kSendRecv);
}

TEST_F(BridgeTest, PassesOnTheNewPortInARefresh) {
  const auto refreshes = [](SipMessage& response) {
    response.set_header("Session-Expires", "1800;refresher=uac");
    response.set_header(HeaderName::kSupported, "timer");
  };
  sip::Sdp elsewhere = clients_sdp();
  ASSERT_TRUE(adopt());
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), refreshes);
  reports();
  pass(seconds(890));
  elsewhere.media[0].port = 6100;
  kamailio.answer(kamailio.take_request("INVITE"), 200, elsewhere, refreshes);
  EXPECT_THAT(reports(), ElementsAre("media changed"));
  EXPECT_EQ(listener.music->remote.port, 6100);
  while (kamailio.sends("ACK", Duration(1))) kamailio.take_request("ACK");
  retrieve();
  // The 200 to the offer that joined the two asked for no timer; the next one does.
  const SipMessage hold = alice.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), refreshes);
  kamailio.take_response(hold);
  kamailio.deliver(alice.ack(hold));
  pass(seconds(890));
  elsewhere.media[0].port = 6200;
  kamailio.answer(kamailio.take_request("INVITE"), 200, elsewhere, refreshes);
  const SipMessage passed = kamailio.take_request("INVITE");
  EXPECT_EQ(passed.call_id(), hold.call_id());
  EXPECT_EQ(body_of(passed).media[0].port, 6200);
}

TEST_F(BridgeTest, Answers400ToABadDescription) {
  park_and_retrieve();
  SipMessage invite = alice.request("INVITE");
  invite.set_body("application/sdp", "v=0\r\nm=nonsense\r\n");
  EXPECT_EQ(answer_to(invite).status(), 400);
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

TEST_F(BridgeTest, PassesInfoAndItsAnswer) {
  park_and_retrieve();
  SipMessage info = alice.request("INFO");
  info.set_body("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n");
  kamailio.deliver(info);
  const SipMessage passed = kamailio.take_request("INFO");
  EXPECT_EQ(passed.body(), info.body());
  EXPECT_EQ(passed.content_type(), info.content_type());
  EXPECT_EQ(passed.from_tag(), "john-tag");
  kamailio.answer(passed, 415);
  EXPECT_EQ(kamailio.take_response(info).status(), 415);
}

TEST_F(BridgeTest, Answers408ForASilentOtherSide) {
  park_and_retrieve();
  const SipMessage message = client.request("MESSAGE");
  kamailio.deliver(message);
  EXPECT_EQ(kamailio.take_request("MESSAGE").to_tag(), "alice-tag");
  pass(seconds(33));
  EXPECT_EQ(kamailio.take_response(message).status(), 408);
}

TEST_F(BridgeTest, X5_KeepsAnInfoUntilTheOfferBeforeItIsAnswered) {
  park_and_retrieve();
  const SipMessage offer = alice.request("INVITE", alices_offer());
  const SipMessage info = alice.request("INFO");
  kamailio.deliver(offer);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.deliver(info);
  EXPECT_FALSE(kamailio.sends("INFO"));
  kamailio.answer(passed, 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(offer).status(), 200);
  kamailio.answer(kamailio.take_request("INFO"), 200);
  EXPECT_EQ(kamailio.take_response(info).status(), 200);
}

TEST_F(BridgeTest, X5_PassesOneInfoAtATime) {
  park_and_retrieve();
  const SipMessage first = alice.request("INFO");
  const SipMessage second = alice.request("MESSAGE");
  const SipMessage third = alice.request("INFO");
  for (const SipMessage* request : {&first, &second, &third}) kamailio.deliver(*request);
  const SipMessage passed = kamailio.take_request("INFO");
  EXPECT_FALSE(kamailio.sends("MESSAGE"));
  EXPECT_FALSE(kamailio.sends("INFO"));
  kamailio.answer(passed, 200);
  const SipMessage passed_second = kamailio.take_request("MESSAGE");
  EXPECT_EQ(passed_second.cseq().number, passed.cseq().number + 1);
  EXPECT_FALSE(kamailio.sends("INFO"));
  kamailio.answer(passed_second, 415);
  kamailio.answer(kamailio.take_request("INFO"), 200);
  EXPECT_EQ(kamailio.take_response(first).status(), 200);
  EXPECT_EQ(kamailio.take_response(second).status(), 415);
  EXPECT_EQ(kamailio.take_response(third).status(), 200);
}

TEST_F(BridgeTest, X5_PassesBothDirectionsAtOnce) {
  park_and_retrieve();
  kamailio.deliver(alice.request("INFO"));
  kamailio.deliver(client.request("INFO"));
  EXPECT_EQ(kamailio.take_request("INFO").call_id(), "call-1");
  EXPECT_EQ(kamailio.take_request("INFO").call_id(), "call-2");
}

TEST_F(BridgeTest, X5_AnswersAnInfoThatNeverGetsItsTurn) {
  park_and_retrieve();
  kamailio.deliver(alice.request("INFO"));
  const SipMessage waits = alice.request("INFO");
  kamailio.deliver(waits);
  kamailio.take_request("INFO");
  const Duration before = time.passed();
  kamailio.deliver(client.request("BYE"));
  EXPECT_EQ(kamailio.take_response(waits).status(), 408);
  EXPECT_LE(time.passed() - before, seconds(1));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(BridgeTest, LosesAPartyThatNeverAcknowledges) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  accept_offer();
  kamailio.take_response(hold);
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(BridgeTest, PassesAnInviteThatOvertakesItsAck) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  accept_offer();
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  const SipMessage ack = alice.ack(hold);
  const SipMessage resume = alice.request("INVITE", alices_offer());
  kamailio.deliver(resume);
  kamailio.deliver(ack);
  accept_offer();
  const SipMessage resumed = kamailio.take_response(resume);
  EXPECT_EQ(resumed.status(), 200);
  pass(Duration(600));
  EXPECT_EQ(kamailio.copies(resumed), 2U) << "the late ACK is not that of the second";
  kamailio.deliver(alice.ack(resume));
  pass(seconds(60));
  EXPECT_EQ(kamailio.copies(resumed), 2U);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(BridgeTest, Answers491BeforeAnAckWithAnAnswer) {
  park_and_retrieve();
  const SipMessage query = alice.request("INVITE");
  EXPECT_EQ(answer_to(query).status(), 200);
  const SipMessage next = alice.request("INVITE", alices_offer());
  EXPECT_EQ(answer_to(next).status(), 491);
}

TEST_F(BridgeTest, SendsAByeAfterTheAckAlsoWhenForgotten) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  accept_offer();
  kamailio.take_response(hold);
  end(PartyEnd::kPeer);
  conversations.forget(talk);
  EXPECT_FALSE(kamailio.sends("BYE"));
  kamailio.deliver(alice.ack(hold));
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(BridgeTest, AnswersAnOfferWhenTheOtherSideHangsUp) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  kamailio.take_request("INVITE");
  kamailio.deliver(client.request("BYE"));
  EXPECT_GE(kamailio.take_response(hold).status(), 400);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(BridgeTest, AnswersAnOfferWhenItsSenderHangsUp) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", alices_offer());
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.deliver(alice.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
  kamailio.answer(passed, 200, clients_sdp());
  EXPECT_EQ(kamailio.take_response(hold).status(), 487);
}

TEST_F(BridgeTest, X19_APhoneMayHoldByRecvonly) {
  park_and_retrieve();
  for (int repetition = 0; repetition < 2; ++repetition) {
    const SipMessage hold = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kRecvOnly));
    kamailio.deliver(hold);
    accept_offer(with_direction(clients_sdp(), sip::Direction::kSendRecv));
    EXPECT_EQ(direction_of(kamailio.take_response(hold)), sip::Direction::kSendOnly);
    kamailio.deliver(alice.ack(hold));
    EXPECT_TRUE(is_held_by("102")) << "and it goes on when it is described again";
  }
  const SipMessage resume = alice.request("INVITE", alices_offer());
  kamailio.deliver(resume);
  accept_offer(with_direction(clients_sdp(), sip::Direction::kSendRecv));
  kamailio.take_response(resume);
  kamailio.deliver(alice.ack(resume));
  EXPECT_FALSE(held_by("102"));
}

TEST_F(BridgeTest, X19_ASideThatIsHeldAndObeysHoldsNobody) {
  park_and_retrieve();
  const SipMessage hold = client.request("INVITE", held(clients_sdp()));
  kamailio.deliver(hold);
  accept_offer(with_direction(alices_offer(), sip::Direction::kRecvOnly));
  kamailio.take_response(hold);
  kamailio.deliver(client.ack(hold));
  const SipMessage refresh = alice.request("INVITE", with_direction(alices_offer(), sip::Direction::kRecvOnly));
  kamailio.deliver(refresh);
  accept_offer(held(clients_sdp()));
  kamailio.take_response(refresh);
  kamailio.deliver(alice.ack(refresh));
  EXPECT_FALSE(held_by("102"));
}

TEST_F(BridgeTest, X13_PassesNoInfoToAPartyThatDoesNotAllowIt) {
  park_and_retrieve();
  SipMessage hold = client.request("INVITE", held(clients_sdp()));
  hold.set_header(HeaderName::kAllow, "INVITE, ACK, BYE, CANCEL, MESSAGE");
  kamailio.deliver(hold);
  accept_offer(alices_offer());
  kamailio.take_response(hold);
  kamailio.deliver(client.ack(hold));
  EXPECT_EQ(answer_to(alice.request("INFO")).status(), 405);
  kamailio.deliver(alice.request("MESSAGE"));
  kamailio.answer(kamailio.take_request("MESSAGE"), 200);
  EXPECT_FALSE(kamailio.sends("INFO"));
}

// ---- payload types ----

sip::Sdp events_at_96(sip::Sdp sdp) {
  sdp.media[0].formats = {"0", "96"};
  sdp.media[0].attributes = {{"rtpmap", "96 telephone-event/8000"}};
  return sdp;
}
sip::Sdp opus_at_96(sip::Sdp sdp) {
  sdp.media[0].formats = {"96", "0", "101"};
  sdp.media[0].attributes = {{"rtpmap", "96 opus/48000/2"}, {"rtpmap", "101 telephone-event/8000"}};
  return sdp;
}
/// The answer of a party that accepts all that is offered, under the numbers of the offer.
sip::Sdp accepting(const sip::Sdp& offer, const sip::Sdp& at) {
  sip::Sdp answer = at;
  answer.media.resize(1);
  answer.media[0].formats = offer.media[0].formats;
  answer.media[0].attributes = offer.media[0].attributes;
  return answer;
}

class PayloadTypeTest : public UserAgentScene {
 protected:
  /// The Client has 96 = telephone-event, and so has John.
  void park_with_events_at_96() {
    AdoptableDialog dialog = adoptable();
    dialog.caller.local_sdp = dialog.parker.remote_sdp = sip::write_sdp(events_at_96(johns_sdp()));
    dialog.caller.remote_sdp = dialog.parker.local_sdp = sip::write_sdp(events_at_96(clients_sdp()));
    ASSERT_TRUE(adopt(dialog));
    offer_music(1);
    const SipMessage invite = kamailio.take_request("INVITE");
    kamailio.answer(invite, 200, accepting(body_of(invite), clients_sdp()));
    kamailio.take_request("ACK");
    reports();
  }
};

TEST_F(PayloadTypeTest, X11_ARetrieversNumbersDoNotChangeThoseOfTheCaller) {
  park_with_events_at_96();
  alices_invite = feature_invite("*88", "102", opus_at_96(alices_offer()));
  const CallId call = dial(alices_invite);
  offer_call(2, call);
  const SipMessage invite = kamailio.take_request("INVITE");
  const std::string codecs = codecs_text(body_of(invite).media[0]);
  EXPECT_EQ(codecs.find("96 opus"), std::string::npos) << codecs;
  EXPECT_NE(codecs.find("opus"), std::string::npos) << codecs;
  const sip::Sdp accepted = accepting(body_of(invite), clients_sdp());
  kamailio.answer(invite, 200, accepted);
  EXPECT_THAT(reports(), ElementsAre("accepted 2"));
  calls.answer_with_caller(call, talk);
  const SipMessage ok = kamailio.take_response(alices_invite);
  learn_tag(ok);
  EXPECT_EQ(codecs_text(body_of(ok).media[0]), codecs) << "Alice sends with the numbers that the Client receives";
  kamailio.deliver(alice.ack(alices_invite));
  make_peer(call);
  set_bridged(true);
  // The Client sends opus with a number that Alice's phone has not described yet.
  const SipMessage again = kamailio.take_request("INVITE");
  EXPECT_EQ(again.call_id(), "call-2");
  EXPECT_EQ(codecs_text(body_of(again).media[0]), codecs);
  kamailio.answer(again, 200, accepting(body_of(again), alices_offer()));
  EXPECT_FALSE(kamailio.sends("INVITE")) << "once";
}

TEST_F(PayloadTypeTest, X11_PartiesWithoutACollisionAreAskedNothing) {
  park_and_retrieve();
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

TEST_F(PayloadTypeTest, X11_AnOfferWithinTheBridgeKeepsTheNumbersOfTheOtherSide) {
  park_with_events_at_96();
  retrieve();
  const SipMessage moved = alice.request("INVITE", opus_at_96(alices_offer()));
  kamailio.deliver(moved);
  const SipMessage passed = kamailio.take_request("INVITE");
  const std::string codecs = codecs_text(body_of(passed).media[0]);
  EXPECT_EQ(codecs.find("96 opus"), std::string::npos) << codecs;
  kamailio.answer(passed, 200, accepting(body_of(passed), clients_sdp()));
  EXPECT_EQ(kamailio.take_response(moved).status(), 200);
  EXPECT_FALSE(kamailio.sends("INVITE")) << "not before Alice's ACK";
  kamailio.deliver(alice.ack(moved));
  const SipMessage again = kamailio.take_request("INVITE");
  EXPECT_EQ(again.call_id(), "call-2");
  EXPECT_EQ(codecs_text(body_of(again).media[0]), codecs);
}

TEST_F(PayloadTypeTest, X11_ATargetsNumbersDoNotChangeThoseOfTheCaller) {
  park_with_events_at_96();
  const CallId target = call_target("103");
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 200, opus_at_96(alices_offer()));
  reports();
  offer_call(2, target);
  const SipMessage joined = kamailio.take_request("INVITE");
  EXPECT_EQ(joined.call_id(), "call-1");
  const std::string codecs = codecs_text(body_of(joined).media[0]);
  EXPECT_EQ(codecs.find("96 opus"), std::string::npos) << codecs;
}

TEST_F(PayloadTypeTest, X11_TheMusicAfterATalkKeepsTheNumbersToo) {
  park_with_events_at_96();
  retrieve();
  offer_music(3);
  const std::string codecs = codecs_text(body_of(kamailio.take_request("INVITE")).media[0]);
  EXPECT_EQ(codecs.find("96 opus"), std::string::npos) << codecs;
}

TEST_F(BridgeTest, PassesNothingUnlessBridged) {
  park_and_retrieve();
  set_bridged(false);
  const SipMessage info = alice.request("INFO");
  EXPECT_EQ(answer_to(info).status(), 200);
  EXPECT_FALSE(kamailio.sends("INFO"));
}

}  // namespace
}  // namespace callpark::leg
