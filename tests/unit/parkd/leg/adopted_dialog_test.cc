// A dialog of two other user agents that parkd adopts.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using AdoptedDialogTest = UserAgentScene;

TEST_F(AdoptedDialogTest, P1_IsOfferedMusicAndShowsWhereItReceives) {
  ASSERT_TRUE(adopt());
  EXPECT_FALSE(kamailio.sends("INVITE"));
  offer_music(5);
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_EQ(invite.from_tag(), "john-tag");
  EXPECT_EQ(body_of(invite).media[0].port, mediad_address().port);
  kamailio.answer(invite, 200, with_direction(clients_sdp(), sip::Direction::kSendRecv));
  EXPECT_THAT(reports(), ElementsAre("accepted 5"));
  ASSERT_TRUE(listener.music);
  EXPECT_EQ(listener.music->remote, (MediaAddress{"127.0.0.12", 6004}));
  EXPECT_EQ(listener.music->codec.name, "PCMU");
  EXPECT_TRUE(listener.music->listens);
}

TEST_F(AdoptedDialogTest, IsAdoptedOnce) {
  ASSERT_TRUE(adopt());
  EXPECT_FALSE(conversations.adopt(adoptable()));
  conversations.forget(talk);
  EXPECT_TRUE(conversations.adopt(adoptable()));
}

TEST_F(AdoptedDialogTest, S13_ReportsRefusedAndUnusableAnswers) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 488);
  EXPECT_THAT(reports(), ElementsAre("refused 1"));
  offer_music(2);
  sip::Sdp deaf = clients_sdp();
  deaf.media[0].port = 0;
  kamailio.answer(kamailio.take_request("INVITE"), 200, deaf);
  EXPECT_THAT(reports(), ElementsAre("refused 2, changed"));
  offer_music(3);
  accept_offer(std::nullopt);
  EXPECT_THAT(reports(), ElementsAre("refused 3, changed"));
  offer_peer(4);
  accept_offer(std::nullopt);
  EXPECT_THAT(reports(), ElementsAre("accepted 4")) << "the caller sends to the parker again, and more is not needed";
}

TEST_F(AdoptedDialogTest, X16_ReportsTheCauseOfARefusal) {
  ASSERT_TRUE(adopt());
  park::Question question = 0;
  for (const auto& [status, reason] : {std::pair{488, park::RefusalReason::kNotAcceptable},
                                       {477, park::RefusalReason::kNotReached},
                                       {408, park::RefusalReason::kNotReached},
                                       {403, park::RefusalReason::kOfferRefused}}) {
    offer_music(++question);
    kamailio.answer(kamailio.take_request("INVITE"), status);
    EXPECT_THAT(reports(), ElementsAre("refused " + std::to_string(question)));
    EXPECT_EQ(listener.refusal, reason) << status;
  }
}

TEST_F(AdoptedDialogTest, ReportsACallerOnceAsGone) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(AdoptedDialogTest, EndedWhileAnOfferIsOutReportsNothing) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  const SipMessage invite = kamailio.take_request("INVITE");
  end(PartyEnd::kCaller);
  EXPECT_TRUE(kamailio.sends("BYE"));
  kamailio.answer(invite, 487);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(AdoptedDialogTest, ForgottenReportsNothing) {
  park();
  offer_music(2);
  const SipMessage invite = kamailio.take_request("INVITE");
  conversations.forget(talk);
  kamailio.answer(invite, 200, clients_sdp());
  EXPECT_TRUE(kamailio.sends("ACK"));
  EXPECT_FALSE(kamailio.sends("BYE"));
  const SipMessage info = client.request("INFO");
  EXPECT_EQ(answer_to(info).status(), 481);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(AdoptedDialogTest, ReportsTheByeOfEachParty) {
  park();
  const SipMessage johns = john.request("BYE");
  EXPECT_EQ(answer_to(johns).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
  EXPECT_FALSE(peer_snapshot());
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  end(PartyEnd::kCaller);
  end(PartyEnd::kPeer);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(AdoptedDialogTest, CountsAByeOfTheParkerWithAnOldCSeq) {
  park();
  john.cseq = 0;
  kamailio.deliver(john.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(AdoptedDialogTest, EndsItsPeerInTheCallersName) {
  park();
  end(PartyEnd::kPeer);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.from_tag(), "client-tag");
  EXPECT_EQ(bye.to_tag(), "john-tag");
  EXPECT_EQ(bye.request_uri_text(), "sip:101@127.0.0.11:5060");
}

TEST_F(AdoptedDialogTest, RefusesAResumeByTheParker) {
  park();
  const SipMessage resume = john.request("INVITE", johns_sdp());
  EXPECT_EQ(answer_to(resume).status(), 481);
}

TEST_F(AdoptedDialogTest, Answers491WhileAnOfferIsOut) {
  park();
  offer_music(2);
  const SipMessage ours = kamailio.take_request("INVITE");
  const SipMessage theirs = client.request("INVITE", clients_sdp());
  EXPECT_EQ(answer_to(theirs).status(), 491);
  kamailio.answer(ours, 200, clients_sdp());
  EXPECT_THAT(reports(), ElementsAre("accepted 2"));
}

TEST_F(AdoptedDialogTest, AnswersAnUpdateWithoutAnOfferWhileItsOwnOfferIsOut) {
  park();
  offer_music(2);
  const SipMessage ours = kamailio.take_request("INVITE");
  EXPECT_EQ(answer_to(client.request("UPDATE")).status(), 200);
  kamailio.answer(ours, 200, clients_sdp());
  EXPECT_THAT(reports(), ElementsAre("accepted 2"));
}

TEST_F(AdoptedDialogTest, OffersTheParkersMediaBackToTheCaller) {
  park();
  offer_peer(7);
  const sip::Sdp offer = body_of(kamailio.take_request("INVITE"));
  EXPECT_EQ(offer.media[0].port, 5004);
  EXPECT_EQ(offer.connection->address, "127.0.0.11");
}

// ---- ways out after parkd has used the caller's CSeqs ----

class LeftParkerTest : public UserAgentScene {
 protected:
  /// John's REFER is accepted, and the Client is being re-INVITEd; `offer` and `trying` are out.
  void begin_park() {
    kamailio.deliver(johns_refer());
    reports();
    referral = listener.referrals.at(0).referral;
    ASSERT_TRUE(adopt(listener.referrals[0].dialog));
    referrals.accept(referral);
    offer_music(1);
    trying = kamailio.take_request("NOTIFY");
    offer = kamailio.take_request("INVITE");
  }
  /// As the service does when the caller is gone.
  void refuse_park() {
    referrals.conclude(referral, 480, "The caller has hung up");
    end(PartyEnd::kPeer);
    conversations.forget(talk);
  }
  /// John's phone is informed, and gets a BYE that it accepts.
  void expect_bye_above_the_notifies() {
    const SipMessage last = kamailio.take_request("NOTIFY");
    EXPECT_EQ(sipfrag_status(last), 480);
    const SipMessage bye = kamailio.take_request("BYE");
    EXPECT_EQ(bye.from_tag(), "client-tag");
    EXPECT_EQ(bye.to_tag(), "john-tag");
    EXPECT_EQ(bye.request_uri_text(), "sip:101@127.0.0.11:5060");
    EXPECT_GT(last.cseq().number, trying.cseq().number);
    EXPECT_GT(bye.cseq().number, last.cseq().number);
    EXPECT_GT(bye.cseq().number, client.cseq + 1) << "the Client's own BYE";
  }
  ReferralId referral;
  SipMessage trying;
  SipMessage offer;
};

TEST_F(LeftParkerTest, X3_GetsAByeWhenTheCallersByeHasCrossedTheRefer) {
  begin_park();
  kamailio.answer(trying, 200);
  kamailio.answer(offer, 481);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  refuse_park();
  expect_bye_above_the_notifies();
}

TEST_F(LeftParkerTest, X3_GetsAByeBehindTheLastNotifyBeforeItAnswersTheFirst) {
  begin_park();
  kamailio.answer(offer, 481);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  refuse_park();
  expect_bye_above_the_notifies();
  EXPECT_FALSE(kamailio.sends("NOTIFY", seconds(60)));
}

TEST_F(LeftParkerTest, X3_GetsAByeWhenTheCallersByeComesToParkd) {
  begin_park();
  kamailio.answer(trying, 200);
  EXPECT_EQ(answer_to(client.request("BYE")).status(), 200);
  kamailio.answer(offer, 481);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  refuse_park();
  expect_bye_above_the_notifies();
}

TEST_F(LeftParkerTest, X3_StaysInTheTalkWithParkdWhenTheCallerRefusesTheMusic) {
  begin_park();
  kamailio.answer(trying, 200);
  kamailio.answer(offer, 488);
  EXPECT_THAT(reports(), ElementsAre("refused 1"));
  referrals.conclude(referral, 488, "Not acceptable here");
  const SipMessage last = take_notify(488);
  set_bridged(true);
  // The Client does not know of parkd's CSeqs, so its own are below them.
  kamailio.deliver(client.request("INFO"));
  const SipMessage info = kamailio.take_request("INFO");
  EXPECT_EQ(info.to_tag(), "john-tag");
  EXPECT_GT(info.cseq().number, last.cseq().number);
  kamailio.answer(info, 200);
  EXPECT_EQ(answer_to(client.request("BYE")).status(), 200);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  end(PartyEnd::kPeer);
  EXPECT_GT(take_bye().cseq().number, info.cseq().number);
}

TEST_F(LeftParkerTest, X3_GetsAByeFromTheParkdThatTakesTheCallOver) {
  begin_park();
  ParkedCallRow row = row_of(RowState::kAdopting);
  row.caller = caller_snapshot();
  row.peer = adoptable().parker;  // written before the first NOTIFY
  row.media.reset();
  conversations.forget(talk);
  take_over(row);
  end(PartyEnd::kPeer);
  const SipMessage bye = kamailio.take_request("BYE");
  EXPECT_EQ(bye.to_tag(), "john-tag");
  EXPECT_GT(bye.cseq().number, trying.cseq().number + 1);
}

TEST_F(LeftParkerTest, X3_OfAHeldCallGetsAByeWhenTheCallerIsGone) {
  const CallId call = dial(hold_park_invite());
  ASSERT_TRUE(adopt(*listener.calls.back().held));
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 481);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
  end(PartyEnd::kPeer);
  conversations.forget(talk);
  calls.refuse(call, 480, "The caller has hung up");
  EXPECT_EQ(kamailio.take_request("BYE").to_tag(), "john-tag");
  EXPECT_FALSE(kamailio.sends("BYE")) << "the Client is gone";
}

}  // namespace
}  // namespace callpark::leg
