// The requests of a leg's remote side: answers until the ACK, considered offers, CSeqs and the BYE.
#include "tests/unit/parkd/leg/dialog_leg_scene.h"

namespace callpark::leg {
namespace {

TEST_F(DialogLegTest, RepeatsItsAnswerUntilTheAck) {
  const SipMessage invite = answered_invite();
  const SipMessage ok = kamailio.take_response(invite);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(ok.header(HeaderName::kContact), kContact);
  pass(Duration(3600));  // at 0, 0.5, 1.5 and 3.5 s
  EXPECT_EQ(kamailio.copies(ok), 4U);
  kamailio.deliver(client.ack(invite));
  pass(seconds(60));
  EXPECT_EQ(kamailio.copies(ok), 4U);
  EXPECT_EQ(confirmed, 1);
  EXPECT_EQ(lost, 0);
}

TEST_F(DialogLegTest, IgnoresTheAckOfAnotherInvite) {
  const SipMessage invite = answered_invite();
  SipMessage ack = client.ack(invite);
  ack.set_cseq(invite.cseq().number - 1, "ACK");
  kamailio.deliver(ack);
  EXPECT_EQ(confirmed, 0);
  kamailio.deliver(client.ack(invite));
  EXPECT_EQ(confirmed, 1);
}

TEST_F(DialogLegTest, EndsTheDialogWithoutAnAck) {
  answered_invite();
  EXPECT_FALSE(kamailio.sends("BYE", seconds(31)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(2)));
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(gone, 1) << "a bridge has no other way to learn of it";
  EXPECT_TRUE(leg->is_closed());
}

TEST_F(DialogLegTest, KeepsItsByeUntilTheAck) {
  const SipMessage invite = answered_invite();
  bool left = false;
  leg->bye();
  EXPECT_TRUE(leg->is_leaving());
  leg->set_on_left([&left] { left = true; });
  EXPECT_FALSE(kamailio.sends("BYE", seconds(5)));
  EXPECT_GT(kamailio.copies(kamailio.take_response(invite)), 3U);
  kamailio.deliver(client.ack(invite));
  EXPECT_TRUE(kamailio.sends("BYE"));
  EXPECT_TRUE(left);
  EXPECT_FALSE(leg->is_leaving());
  EXPECT_EQ(confirmed + lost + gone, 0);
}

TEST_F(DialogLegTest, SendsItsByeWithoutAnAckInTheEnd) {
  answered_invite();
  bool left = false;
  leg->bye();
  leg->set_on_left([&left] { left = true; });
  EXPECT_TRUE(kamailio.sends("BYE", seconds(33)));
  EXPECT_TRUE(left);
  EXPECT_EQ(lost + gone, 0);
}

TEST_F(DialogLegTest, RepeatsNothingWhenAbandoned) {
  const SipMessage invite = answered_invite();
  const SipMessage ok = kamailio.take_response(invite);
  leg->abandon();
  pass(seconds(60));
  EXPECT_EQ(kamailio.copies(ok), 1U);
  EXPECT_FALSE(kamailio.sends("BYE"));
}

TEST_F(DialogLegTest, KeepsItsOfferWhileItConsidersAnother) {
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  leg->consider(came[0].first);
  offer();
  EXPECT_TRUE(leg->is_negotiating());
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  leg->refuse(came[0].first, came[0].second, 488);
  EXPECT_TRUE(kamailio.sends("INVITE"));
}

TEST_F(DialogLegTest, ConsidersAnOfferBesideAnotherRefusal) {
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  leg->consider(came[0].first);
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  leg->refuse(came[1].first, came[1].second, 491);
  EXPECT_TRUE(leg->is_negotiating());
}

TEST_F(DialogLegTest, KeepsItsOfferUntilTheAck) {
  const SipMessage invite = answered_invite();
  offer();
  EXPECT_FALSE(kamailio.sends("INVITE", seconds(5)));
  kamailio.deliver(client.ack(invite));
  EXPECT_TRUE(kamailio.sends("INVITE"));
}

TEST_F(DialogLegTest, Answers487ToAnOfferConsideredAtTheEnd) {
  const SipMessage invite = client.request("INVITE", clients_sdp());
  kamailio.deliver(invite);
  leg->consider(came[0].first);
  leg->abandon();
  leg->answer(came[0].first, came[0].second, johns_sdp(), {});
  EXPECT_EQ(kamailio.take_response(invite).status(), 487);
}

TEST_F(DialogLegTest, Answers500ToAnOldCSeq) {
  client.cseq = 2;
  client.contact = "sip:forger@127.0.0.66";
  const SipMessage invite = client.request("INVITE", clients_sdp());
  kamailio.deliver(invite);
  const SipMessage response = kamailio.take_response(invite);
  EXPECT_EQ(response.status(), 500);
  EXPECT_TRUE(response.header(HeaderName::kRetryAfter));
  EXPECT_TRUE(came.empty());
  EXPECT_EQ(leg->dialog().remote_target, "sip:client@127.0.0.12:5060");
}

TEST_F(DialogLegTest, AcceptsAByeWithAnOldCSeq) {
  client.cseq = 2;
  kamailio.deliver(client.request("BYE"));
  EXPECT_EQ(came.size(), 1U);
}

TEST_F(DialogLegTest, Answers200ToAByeAnd481ToTheRestWhenClosed) {
  leg->bye();
  const SipMessage bye = client.request("BYE");
  const SipMessage info = client.request("INFO");
  kamailio.deliver(bye);
  kamailio.deliver(info);
  EXPECT_EQ(kamailio.take_response(bye).status(), 200);
  EXPECT_EQ(kamailio.take_response(info).status(), 481);
}

}  // namespace
}  // namespace callpark::leg
