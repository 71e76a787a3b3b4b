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
  for (const std::string method : {"UPDATE", "OPTIONS"}) {
    ParkedCallRow row = row_of(RowState::kRetrieved);
    row.caller.remote_allow = row.peer->remote_allow = "INVITE " + method;
    take_over(row);
    set_bridged(true);
    pass(seconds(6));
    const SipMessage first = kamailio.take_request(method);
    const SipMessage second = kamailio.take_request(method);
    const bool is_peer_first = first.request_uri_text() == "sip:101@127.0.0.11:5060";
    kamailio.answer(is_peer_first ? second : first, 501);
    EXPECT_THAT(reports(), IsEmpty());
    kamailio.answer(is_peer_first ? first : second, 481);
    EXPECT_THAT(reports(), ElementsAre("peer gone"));
    conversations.forget(talk);
  }
}

TEST_F(TakeOverTest, X13_AsksAPartyOfUnknownMethodsByOptions) {
  take_over(row_of(RowState::kParked));
  pass(seconds(6));
  EXPECT_FALSE(kamailio.sends("UPDATE")) << "RFC 3311 4: only a party that lists it";
  EXPECT_FALSE(kamailio.sends("INVITE"));
  const SipMessage options = kamailio.take_request("OPTIONS");
  EXPECT_EQ(options.to_tag(), "client-tag");
  kamailio.answer(options, 200, std::nullopt,
                  [](SipMessage& response) { response.set_header(HeaderName::kAllow, "INVITE, ACK, UPDATE"); });
  pass(Duration(20));
  EXPECT_EQ(caller_snapshot().remote_allow, "INVITE UPDATE") << "and learns them";
}

TEST_F(TakeOverTest, X13_ReinvitesAPartyThatAllowsNeither) {
  ParkedCallRow row = row_of(RowState::kParked);
  row.caller.remote_allow = "INVITE INFO";
  row.caller.local_sdp = sip::write_sdp(johns_sdp());
  row.caller.remote_sdp = sip::write_sdp(clients_sdp());
  take_over(row);
  const SipMessage invite = kamailio.take_request("INVITE");
  EXPECT_FALSE(kamailio.sends("UPDATE"));
  EXPECT_FALSE(kamailio.sends("OPTIONS"));
  EXPECT_EQ(body_of(invite).media, johns_sdp().media);
  EXPECT_GT(body_of(invite).origin.version, johns_sdp().origin.version + 1000);
  kamailio.answer(invite, 481);
  EXPECT_THAT(reports(), ElementsAre("caller gone"));
}

TEST_F(TakeOverTest, X13_LearnsTheMethodsFromTheAnswerToTheMusic) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  kamailio.answer(kamailio.take_request("INVITE"), 200, clients_sdp(), [](SipMessage& response) {
    response.set_header(HeaderName::kAllow, "INVITE, ACK, BYE, CANCEL, OPTIONS");
  });
  reports();
  ParkedCallRow row = row_of(RowState::kParked);
  row.caller = caller_snapshot();
  EXPECT_EQ(row.caller.remote_allow, "INVITE OPTIONS");
  conversations.forget(talk);
  take_over(row);
  pass(seconds(6));
  EXPECT_TRUE(kamailio.sends("OPTIONS"));
  EXPECT_FALSE(kamailio.sends("UPDATE"));
}

TEST_F(TakeOverTest, O4_KeepsTheSessionTimer) {
  ParkedCallRow row = row_of(RowState::kParked);
  row.caller.remote_allow = "INVITE UPDATE";
  take_over(row);
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
