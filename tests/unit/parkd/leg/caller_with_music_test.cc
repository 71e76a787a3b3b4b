// The requests of a caller that hears music.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using CallerWithMusicTest = UserAgentScene;

TEST_F(CallerWithMusicTest, ThatHoldsIsAnsweredFromMediad) {
  park();
  const SipMessage hold = client.request("INVITE", held(clients_sdp()));
  kamailio.deliver(hold);
  const SipMessage ok = kamailio.take_response(hold);
  EXPECT_EQ(ok.status(), 200);
  EXPECT_EQ(body_of(ok).media[0].port, mediad_address().port);
  EXPECT_EQ(body_of(ok).origin.username, "john");
  EXPECT_EQ(body_of(ok).origin.version, 44770764U);
  EXPECT_EQ(direction_of(ok), sip::Direction::kRecvOnly);
  kamailio.deliver(client.ack(hold));
  EXPECT_THAT(reports(), ElementsAre("media changed"));
  EXPECT_FALSE(listener.music->listens);
}

TEST_F(CallerWithMusicTest, WithAnOfferlessInviteGetsTheMusic) {
  park();
  const SipMessage invite = client.request("INVITE");
  kamailio.deliver(invite);
  EXPECT_EQ(body_of(kamailio.take_response(invite)).media[0].port, mediad_address().port);
  EXPECT_THAT(reports(), IsEmpty());
  sip::Sdp elsewhere = clients_sdp();
  elsewhere.media[0].port = 6010;
  kamailio.deliver(client.ack(invite, elsewhere));
  EXPECT_THAT(reports(), ElementsAre("media changed"));
  EXPECT_EQ(listener.music->remote.port, 6010);
}

TEST_F(CallerWithMusicTest, WithAnUnservedOfferIsAnswered488) {
  park();
  sip::Sdp srtp = clients_sdp();
  srtp.media[0].protocol = "RTP/SAVP";
  const SipMessage invite = client.request("INVITE", srtp);
  EXPECT_EQ(answer_to(invite).status(), 488);
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(CallerWithMusicTest, WithAnUpdateWithoutDescriptionRefreshes) {
  park();
  for (const bool has_body : {false, true}) {
    SipMessage update = client.request("UPDATE");
    if (has_body) put_among_other_parts(update, std::nullopt);
    kamailio.deliver(update);
    const SipMessage ok = kamailio.take_response(update);
    EXPECT_EQ(ok.status(), 200);
    EXPECT_EQ(ok.body(), "");
  }
}

TEST_F(CallerWithMusicTest, HasItsDescriptionsAmongOtherParts) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 200, std::nullopt,
                  [](SipMessage& response) { put_among_other_parts(response, clients_sdp()); });
  kamailio.take_request("ACK");
  EXPECT_THAT(reports(), ElementsAre("accepted 1"));
  SipMessage hold = client.request("INVITE");
  put_among_other_parts(hold, held(clients_sdp()));
  kamailio.deliver(hold);
  EXPECT_EQ(body_of(kamailio.take_response(hold)).media[0].port, mediad_address().port);
  kamailio.deliver(client.ack(hold));
  EXPECT_THAT(reports(), ElementsAre("media changed"));
}

TEST_F(CallerWithMusicTest, WithOtherPartsOnlyAsksForAnOffer) {
  park();
  SipMessage invite = client.request("INVITE");
  put_among_other_parts(invite, std::nullopt);
  kamailio.deliver(invite);
  EXPECT_EQ(body_of(kamailio.take_response(invite)).media[0].port, mediad_address().port);
  SipMessage ack = client.ack(invite);
  put_among_other_parts(ack, held(clients_sdp()));
  kamailio.deliver(ack);
  EXPECT_THAT(reports(), ElementsAre("media changed")) << "by the answer in the ACK";
}

TEST_F(CallerWithMusicTest, ThatNeverAcknowledgesIsGone) {
  park();
  kamailio.deliver(client.request("INVITE", clients_sdp()));
  pass(seconds(33));
  EXPECT_THAT(reports(), ElementsAre("media changed", "caller gone"));
  EXPECT_TRUE(kamailio.sends("BYE"));
}

TEST_F(CallerWithMusicTest, HasItsInfoAnsweredHere) {
  park();
  const SipMessage info = client.request("INFO");
  EXPECT_EQ(answer_to(info).status(), 200);
  EXPECT_FALSE(kamailio.sends("INFO"));
}

}  // namespace
}  // namespace callpark::leg
