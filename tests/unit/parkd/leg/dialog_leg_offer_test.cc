// A leg's re-INVITEs: one at a time, tried again where RFC 3261 allows it.
#include "kamailio_protocol/headers.h"
#include "tests/unit/parkd/leg/dialog_leg_scene.h"

namespace callpark::leg {
namespace {

TEST_F(DialogLegTest, P1_ReinvitesAsTheParkerWithAHigherCSeq) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.request_uri_text(), "sip:client@127.0.0.12:5060");
  EXPECT_EQ(invite.call_id(), "call-1");
  EXPECT_EQ(invite.from_tag(), "john-tag");
  EXPECT_EQ(invite.from().display, "John");
  EXPECT_EQ(invite.to_tag(), "client-tag");
  EXPECT_EQ(invite.cseq().number, 121U);
  EXPECT_EQ(invite.header(HeaderName::kContact), kContact);
  EXPECT_THAT(invite.all_headers(HeaderName::kRoute), ElementsAre("<sip:127.0.0.1:5060;lr;did=a86.f9>"));
}

TEST_F(DialogLegTest, P1_ContinuesTheParkersOriginLine) {
  offer();
  const sip::Sdp sdp = body_of(kamailio.take_request("INVITE"));
  EXPECT_EQ(sdp.origin.username, "john");
  EXPECT_EQ(sdp.origin.session_id, "2704906608");
  EXPECT_EQ(sdp.origin.version, 44770763U) << "John may have used some that Kamailio has not seen";
  EXPECT_EQ(sdp.connection->address, mediad_address().address);
}

TEST_F(DialogLegTest, KeepsTheDescriptionsOfAnAcceptedOffer) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
  EXPECT_EQ(*leg->local_sdp(), body_of(invite));
  EXPECT_EQ(*leg->remote_sdp(), clients_sdp());
  EXPECT_EQ(gone, 0);
}

TEST_F(DialogLegTest, RaisesTheOriginVersionByOne) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  offer();
  EXPECT_EQ(body_of(kamailio.take_request("INVITE")).origin.version, 44770764U);
}

TEST_F(DialogLegTest, AcknowledgesEachCopyOfA2xx) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  for (int copy = 0; copy < 3; ++copy) {
    kamailio.answer(invite, 200, clients_sdp());
    pass(Duration(500));
  }
  const SipMessage ack = kamailio.take_request("ACK");
  EXPECT_EQ(ack.cseq().number, invite.cseq().number);
  EXPECT_EQ(kamailio.copies(ack), 3U);
  EXPECT_THAT(ack.all_headers(HeaderName::kRoute), ElementsAre("<sip:127.0.0.1:5060;lr;did=a86.f9>"));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

// Kamailio has answered the trunk's challenge.
TEST_F(DialogLegTest, T1_CountsOnFromTheCSeqThatTheTrunkHasSeen) {
  const auto seen_as = [](const std::string& cseq) {
    return [cseq](SipMessage& response) { response.set_header(kamailio_protocol::kCSeq, cseq); };
  };
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 200, clients_sdp(), seen_as("122"));
  EXPECT_EQ(kamailio.take_request("ACK").cseq().number, 122U);
  leg->send(sip::method::kInfo, {}, {});
  const SipMessage info = kamailio.take_request("INFO");
  EXPECT_EQ(info.cseq().number, 123U);
  kamailio.answer(info, 200, std::nullopt, seen_as("124"));
  offer();
  const SipMessage refused = kamailio.take_request("INVITE");
  EXPECT_EQ(refused.cseq().number, 125U);
  kamailio.answer(refused, 488, std::nullopt, seen_as("126"));
  leg->bye();
  EXPECT_EQ(kamailio.take_request("BYE").cseq().number, 127U);
}

TEST_F(DialogLegTest, IsNotMisledByACSeqThatCannotBe) {
  for (const char* cseq : {"", "x", "120", "-1", "99999999999", "200x"}) {
    offer();
    const SipMessage invite = kamailio.take_request("INVITE");
    kamailio.answer(invite, 200, clients_sdp(),
                    [&](SipMessage& response) { response.set_header(kamailio_protocol::kCSeq, cseq); });
    EXPECT_EQ(kamailio.take_request("ACK").cseq().number, invite.cseq().number) << cseq;
  }
}

TEST_F(DialogLegTest, SendsTheAckToTheContactOfThe2xx) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), [](SipMessage& response) {
    response.set_header(HeaderName::kContact, "<sip:client@127.0.0.99:5070>");
  });
  EXPECT_EQ(kamailio.take_request("ACK").request_uri_text(), "sip:client@127.0.0.99:5070");
}

TEST_F(DialogLegTest, AcknowledgesThe2xxBesideALaterRequest) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  leg->bye();
  EXPECT_EQ(kamailio.take_request("BYE").cseq().number, 122U);
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_EQ(kamailio.take_request("ACK").cseq().number, 121U);
}

TEST_F(DialogLegTest, TriesAgainAfterGlare) {
  offer();
  const SipMessage first = kamailio.take_request("INVITE");
  kamailio.answer(first, 491);
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_EQ(second.cseq().number, first.cseq().number + 1);
  EXPECT_EQ(body_of(second).origin.version, body_of(first).origin.version);
  EXPECT_LE(time.passed(), seconds(3));
  kamailio.answer(second, 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, WaitsLongerAfterGlareAsOwnerOfTheCallId) {
  leg->abandon();
  leg = DialogLeg::from_snapshot(agent, johns_half(), CallIdOwner::kWe, 100);
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 491);
  const Duration before = time.passed();
  kamailio.take_request("INVITE");
  EXPECT_GE(time.passed() - before, Duration(2100));
  EXPECT_LE(time.passed() - before, Duration(4010));
}

TEST_F(DialogLegTest, IsRefusedByGlareForEver) {
  offer();
  for (int attempt = 0; attempt < 4; ++attempt) kamailio.answer(kamailio.take_request("INVITE"), 491);
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(60)));
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
}

TEST_F(DialogLegTest, TriesAMuchHigherCSeqAfter500) {
  offer();
  const SipMessage first = kamailio.take_request("INVITE");
  kamailio.answer(first, 500);
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_EQ(second.cseq().number, first.cseq().number + 1001);
}

class DialogLegGoneTest : public DialogLegTest, public testing::WithParamInterface<int> {};

TEST_P(DialogLegGoneTest, IsClosed) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), GetParam());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer gone"));
  EXPECT_EQ(gone, 1);
  EXPECT_TRUE(leg->is_closed());
  offer("later");
  EXPECT_THAT(outcomes, ElementsAre("offer gone", "later gone"));
  EXPECT_FALSE(kamailio.sends("INVITE"));
}

INSTANTIATE_TEST_SUITE_P(OfStatus, DialogLegGoneTest, testing::Values(481));

// RFC 3261 12.2.1.2: an unreached party may still be there, and nothing but parkd would end its call.
TEST_F(DialogLegTest, HangsUpAnUnreachedPartyThatIsItsOwn) {
  leg->set_ours();
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 408);
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_THAT(outcomes, ElementsAre("offer gone"));
  EXPECT_EQ(gone, 1);
}

TEST_F(DialogLegTest, LeavesAnUnreachedPartyThatIsAnothers) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 408);
  EXPECT_FALSE(kamailio.sends("BYE"));
  EXPECT_THAT(outcomes, ElementsAre("offer not answered"));
  EXPECT_FALSE(leg->is_closed());
}

class DialogLegRefusedTest : public DialogLegTest, public testing::WithParamInterface<int> {};

TEST_P(DialogLegRefusedTest, KeepsTheSession) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), GetParam());
  pass(seconds(1));
  EXPECT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(*leg->local_sdp(), johns_sdp());
  EXPECT_EQ(*leg->remote_sdp(), clients_sdp());
  EXPECT_FALSE(leg->is_closed());
  EXPECT_FALSE(leg->is_negotiating());
  offer("again");
  EXPECT_TRUE(kamailio.sends("INVITE"));
}

INSTANTIATE_TEST_SUITE_P(OfStatus, DialogLegRefusedTest, testing::Values(400, 403, 415, 477, 488, 503, 603));

TEST_F(DialogLegTest, X16_EachCauseOfARefusalHasItsOutcome) {
  for (const auto& [status, outcome] : {std::pair{488, "offer refused for its media"},
                                        {606, "offer refused for its media"},
                                        {415, "offer refused for its media"},
                                        {477, "offer not answered"},
                                        {480, "offer not answered"},
                                        {503, "offer not answered"},
                                        {403, "offer refused"},
                                        {603, "offer refused"}}) {
    outcomes.clear();
    offer();
    kamailio.answer(kamailio.take_request("INVITE"), status);
    EXPECT_THAT(outcomes, ElementsAre(outcome)) << status;
  }
}

TEST_F(DialogLegTest, X16_ServerErrorIsARefusalOnceAllAttemptsHaveFailed) {
  offer();
  while (outcomes.empty()) {
    kamailio.answer(kamailio.take_request("INVITE"), 500);
    pass(Duration(1));
  }
  EXPECT_THAT(outcomes, ElementsAre("offer refused"));
}

TEST_F(DialogLegTest, IsRefusedByASilentProxyAndStaysOpen) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  pass(seconds(40));
  EXPECT_EQ(kamailio.copies(invite), 7U);
  EXPECT_THAT(outcomes, ElementsAre("offer not answered"));
  EXPECT_FALSE(leg->is_closed());
}

TEST_F(DialogLegTest, DoesNotWaitForEverAfterA100) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 100);
  pass(seconds(70));
  EXPECT_THAT(outcomes, ElementsAre("offer not answered"));
  EXPECT_FALSE(leg->is_closed());
}

TEST_F(DialogLegTest, CancelsAnUnansweredReinvite) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  kamailio.answer(invite, 100);
  kamailio.answer(kamailio.take_request("CANCEL"), 200);
  EXPECT_THAT(outcomes, IsEmpty());
  kamailio.answer(invite, 487);
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer not answered"));
}

TEST_F(DialogLegTest, IsRefusedIfNothingCanBeSent) {
  kamailio.is_broken = true;
  offer();
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer not answered"));
}

TEST_F(DialogLegTest, FindsA2xxWithoutAnAnswerUnusable) {
  offer();
  kamailio.answer(kamailio.take_request("INVITE"), 200);
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer unusable"));
  EXPECT_TRUE(kamailio.sends("ACK"));
}

TEST_F(DialogLegTest, KeepsANewerOfferUntilTheFirstIsAnswered) {
  offer("first");
  const SipMessage first = kamailio.take_request("INVITE");
  offer("second");
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  kamailio.answer(first, 200, clients_sdp());
  EXPECT_TRUE(kamailio.sends("INVITE"));
  EXPECT_THAT(outcomes, ElementsAre("first accepted"));
}

TEST_F(DialogLegTest, SendsOnlyTheNewestOfferThatWaits) {
  offer("first");
  const SipMessage first = kamailio.take_request("INVITE");
  offer("second");
  offer("third");
  EXPECT_THAT(outcomes, ElementsAre("second refused"));
  kamailio.answer(first, 403);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("second refused", "first refused", "third accepted"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(60)));
}

TEST_F(DialogLegTest, ReplacesAnOfferThatWaitsAfterGlare) {
  offer("first");
  kamailio.answer(kamailio.take_request("INVITE"), 491);
  offer("second");
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_THAT(outcomes, ElementsAre("first refused"));
  kamailio.answer(second, 200, clients_sdp());
  pass(seconds(10));
  EXPECT_THAT(outcomes, ElementsAre("first refused", "second accepted"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(60)));
}

TEST_F(DialogLegTest, SendsAnOfferMadeByAnAnswerHandler) {
  leg->offer([] { return johns_sdp(); }, [this](OfferOutcome, const sip::Sdp*, const sip::Sdp*) { offer(); });
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, AnswersItsOffersWhenClosedAndAcknowledges) {
  offer("first");
  const SipMessage invite = kamailio.take_request("INVITE");
  offer("second");
  leg->close();
  EXPECT_THAT(outcomes, ElementsAre("first gone", "second gone"));
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  EXPECT_FALSE(kamailio.sends("BYE", seconds(5)));
  EXPECT_EQ(gone, 0);
}

TEST_F(DialogLegTest, DoesNotTryAgainWhenClosed) {
  offer();
  const SipMessage invite = kamailio.take_request("INVITE");
  leg->bye();
  kamailio.answer(invite, 491);
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(10)));
}

// ---- one request at a time ----

TEST_F(DialogLegTest, X5_SendsAnUpdateWhenTheNotifyBeforeItIsAnswered) {
  leg->send("NOTIFY", {}, {});
  leg->show({"Client", "102"}, "demo.callpark");
  leg->show_in_from();
  const SipMessage notify = kamailio.take_request("NOTIFY");
  EXPECT_FALSE(kamailio.sends("UPDATE"));
  kamailio.answer(notify, 200);
  EXPECT_EQ(kamailio.take_request("UPDATE").cseq().number, notify.cseq().number + 1);
}

TEST_F(DialogLegTest, X5_ReinvitesWhenTheRequestBeforeIsAnswered) {
  leg->send("INFO", {}, {});
  offer();
  const SipMessage info = kamailio.take_request("INFO");
  EXPECT_FALSE(kamailio.sends("INVITE"));
  EXPECT_FALSE(leg->is_negotiating()) << "an offer of the remote side may come first";
  kamailio.answer(info, 200);
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.cseq().number, info.cseq().number + 1);
  kamailio.answer(invite, 200, clients_sdp());
  pass(seconds(1));
  EXPECT_THAT(outcomes, ElementsAre("offer accepted"));
}

TEST_F(DialogLegTest, X5_ReinvitesAPartyThatNeverAnswersTheRequestBefore) {
  leg->send("INFO", {}, {});
  offer();
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(3)));
  EXPECT_TRUE(kamailio.sends("INVITE", seconds(2)));
}

TEST_F(DialogLegTest, X5_SendsTheNextRequestWhenTheReinviteIsAnswered) {
  offer();
  leg->send("INFO", {}, {});
  leg->send("INFO", {}, {});
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_FALSE(kamailio.sends("INFO"));
  kamailio.answer(invite, 491);
  const SipMessage first = kamailio.take_request("INFO");
  EXPECT_FALSE(kamailio.sends("INFO"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(1)));
  kamailio.answer(first, 200);
  EXPECT_TRUE(kamailio.sends("INFO"));
}

TEST_F(DialogLegTest, X5_SendsAByeAtOnceAndNothingBehindIt) {
  int failed = 0;
  leg->send("INFO", {}, {});
  leg->send("INFO", {}, {{}, [&failed](sip::ClientFailure) { ++failed; }});
  offer();
  leg->bye();
  EXPECT_TRUE(kamailio.sends("BYE", Duration(1)));
  EXPECT_EQ(failed, 1);
  kamailio.answer(kamailio.take_request("INFO"), 200);
  EXPECT_FALSE(kamailio.sends("INFO"));
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(10)));
}

TEST_F(DialogLegTest, X3_RepeatsARefusedByeOnceWithAMuchHigherCSeq) {
  leg->bye();
  const SipMessage bye = kamailio.take_request("BYE");
  kamailio.answer(bye, 500);
  const SipMessage again = kamailio.take_request("BYE");
  EXPECT_EQ(again.cseq().number, bye.cseq().number + 1001);
  kamailio.answer(again, 500);
  EXPECT_FALSE(kamailio.sends("BYE", seconds(10)));
}

}  // namespace
}  // namespace callpark::leg
