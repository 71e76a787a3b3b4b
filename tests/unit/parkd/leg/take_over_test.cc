// Conversations that are made again from rows.
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

using TakeOverTest = UserAgentScene;

TEST_F(TakeOverTest, O4_LeavesRoomInTheCSeq) {
  take_over(row_of(RowState::kParked));
  EXPECT_FALSE(kamailio.sends("INVITE")) << "the music plays on by itself";
  offer_music(1);
  EXPECT_EQ(kamailio.take_request("INVITE").cseq().number, 1021U);
}

TEST_F(TakeOverTest, O4_FindsAPartyThatHasHungUp) {
  take_over(row_of(RowState::kRetrieved));
  set_bridged(true);
  pass(seconds(6));
  const SipMessage first = kamailio.take_request("UPDATE");
  const SipMessage second = kamailio.take_request("UPDATE");
  const bool is_peer_first = first.request_uri_text() == "sip:101@127.0.0.11:5060";
  // A trunk may not know UPDATE.
  kamailio.answer(is_peer_first ? second : first, 501);
  EXPECT_THAT(reports(), IsEmpty());
  kamailio.answer(is_peer_first ? first : second, 481);
  EXPECT_THAT(reports(), ElementsAre("peer gone"));
}

TEST_F(TakeOverTest, O4_KeepsTheSessionTimer) {
  take_over(row_of(RowState::kParked));
  pass(seconds(6));
  kamailio.answer(kamailio.take_request("UPDATE"), 200, std::nullopt, [](SipMessage& response) {
    response.set_header(HeaderName::kSessionExpires, "90;refresher=uas");
    response.set_header(HeaderName::kSupported, "timer");
  });
  EXPECT_FALSE(kamailio.sends("BYE", seconds(55)));
  EXPECT_TRUE(kamailio.sends("BYE", seconds(30)));
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(TakeOverTest, O4_AnswersTheCaller) {
  take_over(row_of(RowState::kParked));
  const SipMessage hold = client.request("INVITE", clients_sdp());
  kamailio.deliver(hold);
  EXPECT_EQ(body_of(kamailio.take_response(hold)).media[0].port, mediad_address().port);
  kamailio.deliver(client.request("BYE"));
  EXPECT_THAT(reports(), ElementsAre("media changed", "caller gone"));
}

TEST_F(TakeOverTest, O4_AcknowledgesA200ToADeadParkd) {
  take_over(row_of(RowState::kParked));
  offer_music(1);
  const SipMessage ours = kamailio.take_request("INVITE");
  SipMessage theirs = make_response(ours, 200, {}, "client-tag");
  theirs.remove_top_via();
  sip::Via via;
  via.transport = "UDP";
  via.host = "127.0.0.1";
  via.params.append({"branch", "z9hG4bKof-another-process"});
  theirs.prepend_via(via);
  theirs.set_cseq(121, "INVITE");
  kamailio.deliver(theirs);
  const SipMessage ack = kamailio.take_request("ACK");
  EXPECT_EQ(ack.cseq().number, 121U);
  EXPECT_EQ(ack.to_tag(), "client-tag");
  EXPECT_EQ(ack.request_uri_text(), "sip:client@127.0.0.12:5060");
  kamailio.deliver(theirs);
  EXPECT_EQ(kamailio.copies(ack), 2U) << "each copy again";
  EXPECT_THAT(reports(), IsEmpty());
  theirs.set_header(HeaderName::kCallId, "nobody's");
  const auto sent = kamailio.sent.size();
  kamailio.deliver(theirs);
  pass(Duration(20));
  EXPECT_EQ(kamailio.sent.size(), sent);
}

TEST_F(TakeOverTest, O4_BridgesARetrievedCallAgain) {
  take_over(row_of(RowState::kRetrieved));
  set_bridged(true);
  const SipMessage hold = john.request("INVITE", johns_sdp());
  kamailio.deliver(hold);
  accept_offer();
  EXPECT_EQ(kamailio.take_response(hold).status(), 200);
  kamailio.deliver(john.ack(hold));
  EXPECT_TRUE(is_held_by("102"));
}

TEST_F(TakeOverTest, WorksWithoutThePeerOfARetrievedCall) {
  ParkedCallRow row = row_of(RowState::kRetrieved);
  row.peer.reset();
  take_over(row);
  set_bridged(true);
  const SipMessage info = client.request("INFO");
  const SipMessage hold = client.request("INVITE", clients_sdp());
  kamailio.deliver(info);
  kamailio.deliver(hold);
  EXPECT_EQ(kamailio.take_response(info).status(), 200);
  EXPECT_GE(kamailio.take_response(hold).status(), 400);
  EXPECT_FALSE(held_by("102"));
}

}  // namespace
}  // namespace callpark::leg
