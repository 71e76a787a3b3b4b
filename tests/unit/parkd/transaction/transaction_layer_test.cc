#include "parkd/transaction/transaction_layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/transaction_party.h"

namespace callpark::sip {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class TransactionLayerTest : public testing::Test {
 protected:
  explicit TransactionLayerTest(TransportProtocol protocol = TransportProtocol::kUdp)
      : client_(time_, network_, {protocol, *IpAddress::parse("127.0.0.1"), 5061}),
        server_(time_, network_, {protocol, *IpAddress::parse("127.0.0.2"), 5062}) {}

  SipMessage request(std::string_view method, std::string_view call_id = "call-1") const {
    return simulated_request(method, server_.endpoint, call_id);
  }
  ClientTransactionKey send(std::string_view method) { return client_.send(request(method), server_.endpoint); }
  void server_answers(std::vector<int> statuses) {
    server_.answer = [this, statuses](const TransactionParty::Request& request) {
      for (const int status : statuses) server_.respond(request, status);
    };
  }
  std::size_t sent(std::string_view method, int status = 0) const {
    return network_.count(
        [&](const SipMessage& message) { return message.method() == method && message.status() == status; });
  }

  SimulatedTime time_;
  SimulatedNetwork network_{time_};
  TransactionParty client_;
  TransactionParty server_;
};

class TransactionLayerOverTcpTest : public TransactionLayerTest {
 protected:
  TransactionLayerOverTcpTest() : TransactionLayerTest(TransportProtocol::kTcp) {}
};

TEST_F(TransactionLayerTest, ARequestIsAnsweredOnceAndBothSidesForgetIt) {
  server_answers({200});
  send("OPTIONS");
  time_.pass(milliseconds(10));
  EXPECT_THAT(client_.statuses, ElementsAre(200));
  EXPECT_THAT(server_.requests, SizeIs(1));
  EXPECT_EQ(client_.layer.live().non_invite_client, 1U);
  EXPECT_EQ(server_.layer.live().non_invite_server, 1U);
  time_.pass(seconds(33));
  EXPECT_EQ(client_.live() + server_.live(), 0U);
  EXPECT_EQ(sent("OPTIONS"), 1U);
}

TEST_F(TransactionLayerTest, X46_ReportsHowLongRequestsWithinDialogsWait) {
  std::vector<Duration> waits;
  client_.layer.set_on_round_trip([&](Duration wait) { waits.push_back(wait); });
  int seen = 0;
  network_.filter = [&](const SipMessage& message) { return message.is_response() || ++seen != 2; };
  server_answers({100, 200});
  send("OPTIONS");
  time_.pass(milliseconds(10));
  EXPECT_THAT(waits, IsEmpty()) << "outside of a dialog";
  SipMessage within = request("INFO", "call-2");
  within.set_header(HeaderName::kTo, "<sip:bob@example.com>;tag=bob");
  client_.send(within, server_.endpoint);
  time_.pass(seconds(2));
  ASSERT_THAT(waits, SizeIs(1)) << "by the final response";
  EXPECT_GE(waits[0], milliseconds(500)) << "with the time of the copy that was lost";
  EXPECT_LE(waits[0], milliseconds(600));
}

TEST_F(TransactionLayerTest, TheLayersViaHasBranchAndRport) {
  send("OPTIONS");
  const Via via = network_.sent.at(0).message.top_via();
  EXPECT_EQ(via.transport, "UDP");
  EXPECT_EQ(via.host, "127.0.0.1");
  EXPECT_EQ(via.port, 5061);
  EXPECT_EQ(via.branch().substr(0, 7), "z9hG4bK");
  EXPECT_TRUE(via.has_rport());
}

TEST_F(TransactionLayerTest, ALostRequestIsSentAgain) {
  server_answers({200});
  int seen = 0;
  network_.filter = [&](const SipMessage& message) { return message.is_response() || ++seen > 2; };
  send("OPTIONS");
  time_.pass(milliseconds(499));
  EXPECT_EQ(sent("OPTIONS"), 1U);
  time_.pass(milliseconds(1010));
  EXPECT_EQ(sent("OPTIONS"), 3U);
  EXPECT_THAT(client_.statuses, ElementsAre(200));
  EXPECT_EQ(client_.layer.counters().retransmissions_sent, 2U);
}

TEST_F(TransactionLayerTest, ALostResponseIsSentAgainWithoutAskingTheTu) {
  server_answers({200});
  int seen = 0;
  network_.filter = [&](const SipMessage& message) { return message.is_request() || ++seen > 1; };
  send("OPTIONS");
  time_.pass(milliseconds(510));
  EXPECT_THAT(client_.statuses, ElementsAre(200));
  EXPECT_THAT(server_.requests, SizeIs(1));
  EXPECT_EQ(server_.layer.counters().retransmissions_received, 1U);
}

TEST_F(TransactionLayerTest, ARequestThatNobodyAnswersTimesOutAfter64T1) {
  network_.filter = [](const SipMessage&) { return false; };
  send("OPTIONS");
  send("INVITE");
  time_.pass(milliseconds(31999));
  EXPECT_THAT(client_.failures, IsEmpty());
  time_.pass(milliseconds(2));
  EXPECT_THAT(client_.failures, ElementsAre(ClientFailure::kTimeout, ClientFailure::kTimeout));
  EXPECT_EQ(client_.live(), 0U);
  EXPECT_EQ(sent("OPTIONS"), 11U);
  EXPECT_EQ(sent("INVITE"), 7U);
}

TEST_F(TransactionLayerTest, WhatCannotBeSentIsReportedInTheNextRoundAndNotFromInsideTheCall) {
  client_.transport.is_broken = true;
  send("OPTIONS");
  send("INVITE");
  EXPECT_THAT(client_.failures, IsEmpty());
  time_.pass(milliseconds(0));
  EXPECT_THAT(client_.failures, ElementsAre(ClientFailure::kTransportError, ClientFailure::kTransportError));
  EXPECT_EQ(client_.live(), 0U);
}

TEST_F(TransactionLayerTest, ABrokenConnectionFailsWhatWasSentThereOnly) {
  network_.filter = [](const SipMessage&) { return false; };
  Endpoint elsewhere = server_.endpoint;
  elsewhere.port = 9;
  send("OPTIONS");
  client_.send(request("OPTIONS"), elsewhere);
  client_.layer.on_send_failure(server_.endpoint);
  EXPECT_THAT(client_.failures, ElementsAre(ClientFailure::kTransportError));
  EXPECT_EQ(client_.live(), 1U);
}

TEST_F(TransactionLayerTest, AnInviteGets100After200MillisecondsOfSilence) {
  send("INVITE");
  time_.pass(milliseconds(200));
  EXPECT_THAT(client_.statuses, IsEmpty());
  time_.pass(milliseconds(2));
  EXPECT_THAT(client_.statuses, ElementsAre(100));
  time_.pass(seconds(60));
  EXPECT_EQ(sent("INVITE"), 1U);
  EXPECT_EQ(sent("INVITE", 100), 1U);
  EXPECT_EQ(network_.sent.at(1).message.to_tag(), "");
}

TEST_F(TransactionLayerTest, NoOther100WhenTheTuAnswersInTime) {
  server_answers({180});
  send("INVITE");
  time_.pass(seconds(5));
  EXPECT_THAT(client_.statuses, ElementsAre(180));
  EXPECT_EQ(sent("INVITE", 100), 0U);
}

TEST_F(TransactionLayerTest, ARefusedInviteIsAcknowledgedByTheLayerAndTheAckStaysThere) {
  server_answers({180, 486});
  SipMessage invite = request("INVITE");
  invite.add_header(HeaderName::kRoute, "<sip:127.0.0.2:5062;lr>");
  client_.send(invite, server_.endpoint);
  time_.pass(milliseconds(10));
  EXPECT_THAT(client_.statuses, ElementsAre(180, 486));
  EXPECT_THAT(server_.acks, IsEmpty());
  const SipMessage& sent_invite = network_.sent.at(0).message;
  const SipMessage& ack = network_.sent.at(3).message;
  EXPECT_EQ(ack.method(), "ACK");
  EXPECT_EQ(ack.request_uri_text(), sent_invite.request_uri_text());
  EXPECT_EQ(ack.vias(), std::vector<Via>{sent_invite.top_via()});
  EXPECT_EQ(ack.header("Route"), "<sip:127.0.0.2:5062;lr>");
  EXPECT_EQ(ack.from_tag(), "caller");
  EXPECT_EQ(ack.to_tag(), "callee");
  EXPECT_EQ(ack.cseq(), (CSeq{1, "ACK"}));
  time_.pass(seconds(40));
  EXPECT_EQ(client_.live() + server_.live(), 0U);
  EXPECT_THAT(server_.server_failures, IsEmpty());
}

TEST_F(TransactionLayerTest, ALostAckIsSentAgainForEachCopyOfTheRefusal) {
  server_answers({486});
  int seen = 0;
  network_.filter = [&](const SipMessage& message) {
    return message.method() != "ACK" || message.is_response() || ++seen > 2;
  };
  send("INVITE");
  time_.pass(seconds(40));
  EXPECT_THAT(client_.statuses, ElementsAre(486));
  EXPECT_EQ(sent("ACK"), 3U);
  EXPECT_EQ(sent("INVITE", 486), 3U);
  EXPECT_THAT(server_.server_failures, IsEmpty());
}

TEST_F(TransactionLayerTest, TheTuIsToldWhenNobodyAcknowledgesItsRefusal) {
  server_answers({486});
  network_.filter = [&](const SipMessage& message) { return message.method() != "ACK"; };
  send("INVITE");
  time_.pass(milliseconds(32005));
  ASSERT_THAT(server_.server_failures, SizeIs(1));
  EXPECT_EQ(server_.server_failures[0].first, server_.requests[0].key);
  EXPECT_EQ(server_.server_failures[0].second, ServerFailure::kNoAck);
  EXPECT_EQ(server_.live(), 0U);
}

TEST_F(TransactionLayerTest, AnAckOf2xxGoesUp) {
  server_answers({200});
  send("INVITE");
  time_.pass(milliseconds(10));
  client_.layer.send_ack(request("ACK"), server_.endpoint);
  time_.pass(milliseconds(10));
  ASSERT_THAT(server_.acks, SizeIs(1));
  EXPECT_NE(server_.acks[0].top_branch(), server_.requests[0].message.top_branch());
}

TEST_F(TransactionLayerTest, CancelWaitsForAProvisionalResponse) {
  const auto key = send("INVITE");
  client_.layer.cancel(key);
  client_.layer.cancel(key);
  time_.pass(milliseconds(150));
  EXPECT_EQ(sent("CANCEL"), 0U);
  server_.answer_cancel = [this](ServerTransactionKey) { server_.respond(server_.requests.at(0), 487); };
  time_.pass(milliseconds(100));
  EXPECT_EQ(sent("CANCEL"), 1U);
  EXPECT_THAT(server_.cancels, ElementsAre(server_.requests.at(0).key));
  EXPECT_THAT(client_.statuses, ElementsAre(100, 487));
  EXPECT_EQ(sent("CANCEL", 200), 1U);
  EXPECT_EQ(sent("ACK"), 1U);
  time_.pass(seconds(40));
  EXPECT_EQ(client_.live() + server_.live(), 0U);
}

TEST_F(TransactionLayerTest, ACancelRepeatsItsInvite) {
  server_answers({180});
  SipMessage invite = request("INVITE");
  invite.add_header(HeaderName::kRoute, "<sip:127.0.0.2:5062;lr>");
  const auto key = client_.send(invite, server_.endpoint);
  time_.pass(milliseconds(10));
  client_.layer.cancel(key);
  client_.layer.cancel(key);
  time_.pass(milliseconds(10));
  const SipMessage& sent_invite = network_.sent.at(0).message;
  const SipMessage& cancel = network_.sent.at(2).message;
  EXPECT_EQ(sent("CANCEL"), 1U);
  EXPECT_EQ(cancel.method(), "CANCEL");
  EXPECT_EQ(cancel.request_uri_text(), sent_invite.request_uri_text());
  EXPECT_EQ(cancel.vias(), std::vector<Via>{sent_invite.top_via()});
  EXPECT_EQ(cancel.header("Route"), "<sip:127.0.0.2:5062;lr>");
  EXPECT_EQ(cancel.header("To"), sent_invite.header("To"));
  EXPECT_EQ(cancel.cseq(), (CSeq{1, "CANCEL"}));
  EXPECT_EQ(network_.sent.at(3).message.to_tag(), "callee");
}

TEST_F(TransactionLayerTest, ACancelledInviteWithoutAnAnswerTimesOut64T1AfterTheCancel) {
  server_answers({180});
  const auto key = send("INVITE");
  time_.pass(seconds(100));
  client_.layer.cancel(key);
  time_.pass(milliseconds(31999));
  EXPECT_THAT(client_.failures, IsEmpty());
  time_.pass(milliseconds(2));
  EXPECT_THAT(client_.failures, ElementsAre(ClientFailure::kTimeout));
}

TEST_F(TransactionLayerTest, ACancelThatCrossesThe200ChangesNothing) {
  server_answers({180, 200});
  network_.filter = [](const SipMessage& message) { return message.status() != 200 || message.method() == "CANCEL"; };
  const auto key = send("INVITE");
  time_.pass(milliseconds(10));
  client_.layer.cancel(key);
  time_.pass(milliseconds(10));
  EXPECT_EQ(sent("CANCEL", 200), 1U);
  EXPECT_THAT(server_.cancels, IsEmpty());
  network_.filter = nullptr;
  server_.respond(server_.requests.at(0), 200);
  time_.pass(milliseconds(10));
  EXPECT_THAT(client_.statuses, ElementsAre(180, 200));
}

TEST_F(TransactionLayerTest, CancellingWhatIsAnsweredOrUnknownDoesNothing) {
  server_answers({486});
  const auto key = send("INVITE");
  time_.pass(milliseconds(10));
  client_.layer.cancel(key);
  client_.layer.cancel(ClientTransactionKey{999});
  client_.layer.cancel(send("OPTIONS"));
  time_.pass(seconds(1));
  EXPECT_EQ(sent("CANCEL"), 0U);
}

TEST_F(TransactionLayerTest, ACancelOfNothingIsAnswered481AndItsCopiesToo) {
  SipMessage cancel = request("CANCEL");
  Via via;
  via.transport = "UDP";
  via.host = "127.0.0.1";
  via.port = client_.endpoint.port;
  via.params.append({"branch", "z9hG4bKnothing"});
  cancel.prepend_via(via);
  client_.transport.send(cancel, server_.endpoint);
  client_.transport.send(cancel, server_.endpoint);
  time_.pass(milliseconds(10));
  EXPECT_EQ(sent("CANCEL", 481), 2U);
  EXPECT_EQ(server_.layer.counters().cancels_unmatched, 1U);
  EXPECT_THAT(server_.requests, IsEmpty());
}

TEST_F(TransactionLayerTest, AnInviteWithoutTheMagicCookieFindsItsCopiesAckAndCancel) {
  // RFC 3261 17.2.3: a client of RFC 2543 gives all its requests the same branch, or none.
  Via via;
  via.transport = "UDP";
  via.host = "127.0.0.1";
  via.port = client_.endpoint.port;
  via.params.append({"branch", "1"});
  const auto send_raw = [&](std::string_view method, std::string_view call_id, std::string_view to_tag) {
    SipMessage message = request(method, call_id);
    if (!to_tag.empty()) message.set_header(HeaderName::kTo, "<sip:102@demo.callpark>;tag=" + std::string(to_tag));
    message.prepend_via(via);
    client_.transport.send(message, server_.endpoint);
    time_.pass(milliseconds(5));
  };
  server_answers({180});
  send_raw("INVITE", "call-1", "");
  send_raw("INVITE", "call-2", "");
  send_raw("INVITE", "call-1", "");
  EXPECT_THAT(server_.requests, SizeIs(2));
  send_raw("CANCEL", "call-2", "");
  EXPECT_THAT(server_.cancels, ElementsAre(server_.requests.at(1).key));
  server_.respond(server_.requests.at(1), 487);
  send_raw("ACK", "call-2", "callee");
  EXPECT_THAT(server_.acks, IsEmpty());
  time_.pass(seconds(40));
  EXPECT_THAT(server_.server_failures, IsEmpty());
}

TEST_F(TransactionLayerTest, AResponseThatBelongsToNothingIsDroppedAndCounted) {
  SipMessage stray = request("OPTIONS");
  Via via;
  via.transport = "UDP";
  via.host = "127.0.0.1";
  via.params.append({"branch", "z9hG4bKother"});
  stray.prepend_via(via);
  server_.transport.send(make_response(stray, 200), client_.endpoint);
  time_.pass(milliseconds(5));
  EXPECT_EQ(client_.layer.counters().responses_unmatched, 1U);
  EXPECT_THAT(client_.statuses, IsEmpty());
}

TEST_F(TransactionLayerTest, AResponseWithTheRightBranchAndTheWrongMethodIsDropped) {
  send("OPTIONS");
  time_.pass(milliseconds(5));
  SipMessage response = make_response(server_.requests.at(0).message, 200);
  response.set_cseq(1, "INVITE");
  server_.transport.send(response, client_.endpoint);
  time_.pass(milliseconds(5));
  EXPECT_THAT(client_.statuses, IsEmpty());
  EXPECT_EQ(client_.layer.counters().responses_unmatched, 1U);
}

TEST_F(TransactionLayerTest, WhatTheTuAnswersAfterTheFinalResponseIsIgnoredAndCounted) {
  server_answers({200, 180, 404});
  send("OPTIONS");
  time_.pass(milliseconds(5));
  EXPECT_THAT(client_.statuses, ElementsAre(200));
  server_.layer.respond(ServerTransactionKey{999}, make_response(server_.requests.at(0).message, 200));
  EXPECT_EQ(server_.layer.counters().answers_too_late, 3U);
}

TEST_F(TransactionLayerTest, TheTuIsToldWhenItsAnswerCannotBeSentAndTheTransactionLives) {
  send("INVITE");
  time_.pass(milliseconds(5));
  server_.transport.is_broken = true;
  server_.respond(server_.requests.at(0), 180);
  EXPECT_THAT(server_.server_failures, IsEmpty());
  time_.pass(milliseconds(0));
  ASSERT_THAT(server_.server_failures, SizeIs(1));
  EXPECT_EQ(server_.server_failures[0].second, ServerFailure::kTransportError);
  EXPECT_TRUE(server_.layer.is_unanswered(server_.requests.at(0).key));
}

TEST_F(TransactionLayerTest, IsUnansweredUntilTheFinalResponse) {
  send("INVITE");
  time_.pass(milliseconds(5));
  const auto& request = server_.requests.at(0);
  EXPECT_TRUE(server_.layer.is_unanswered(request.key));
  server_.respond(request, 180);
  EXPECT_TRUE(server_.layer.is_unanswered(request.key));
  server_.respond(request, 200);
  EXPECT_FALSE(server_.layer.is_unanswered(request.key));
  EXPECT_FALSE(server_.layer.is_unanswered(ServerTransactionKey{999}));
}

TEST_F(TransactionLayerTest, AnAbandonedTransactionCallsNobodyAndEndsByItself) {
  server_answers({180, 486});
  const auto key = send("INVITE");
  client_.layer.abandon(key);
  client_.layer.abandon(ClientTransactionKey{999});
  time_.pass(seconds(40));
  EXPECT_THAT(client_.statuses, IsEmpty());
  EXPECT_THAT(client_.failures, IsEmpty());
  EXPECT_EQ(sent("ACK"), 1U);
  EXPECT_EQ(client_.live(), 0U);
}

TEST_F(TransactionLayerTest, AHandlerMayAbandonItsOwnTransactionAndSendTheNextOne) {
  server_answers({180, 200});
  std::vector<int> seen;
  ClientTransactionKey key{};
  auto alive = std::make_shared<int>(1);
  key = client_.layer.send_request(request("INVITE"), server_.endpoint,
                                   {[&, alive](const SipMessage& response) {
                                      seen.push_back(response.status());
                                      client_.layer.abandon(key);
                                      for (int i = 0; i < 100; ++i) send("OPTIONS");
                                      EXPECT_EQ(*alive, 1);
                                    },
                                    nullptr});
  time_.pass(milliseconds(20));
  EXPECT_THAT(seen, ElementsAre(180));
  EXPECT_EQ(client_.statuses.size(), 200U);  // 180 and 200 for each
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(TransactionLayerTest, EmptyHandlersAreAllowed) {
  server_answers({200});
  client_.layer.send_request(request("OPTIONS"), server_.endpoint, {});
  time_.pass(seconds(40));
  client_.transport.is_broken = true;
  client_.layer.send_request(request("OPTIONS"), server_.endpoint, {});
  time_.pass(seconds(40));
  EXPECT_EQ(client_.live(), 0U);
}

TEST_F(TransactionLayerTest, KeysAreNeverUsedAgain) {
  const auto first = send("OPTIONS");
  time_.pass(seconds(60));
  const auto second = send("OPTIONS");
  EXPECT_NE(first, second);
  EXPECT_NE(first, ClientTransactionKey{});
  time_.pass(milliseconds(5));
  EXPECT_NE(server_.requests.at(0).key, server_.requests.at(1).key);
}

TEST_F(TransactionLayerTest, BeforeStartRequestsAreDropped) {
  SimulatedClock clock(time_);
  SimulatedTransport transport(network_, server_.endpoint);
  TransactionLayer layer(transport, clock);
  SipMessage message = request("OPTIONS");
  message.prepend_via(Via{"UDP", "127.0.0.1", 5061, {{"branch", "z9hG4bK1"}}});
  layer.on_message(message, client_.endpoint);
  EXPECT_EQ(layer.live().non_invite_server, 0U);
}

TEST_F(TransactionLayerOverTcpTest, NothingIsSentTwiceAndNothingLingers) {
  server_answers({200});
  send("OPTIONS");
  EXPECT_EQ(network_.sent.at(0).message.top_via().transport, "TCP");
  time_.pass(milliseconds(5));
  EXPECT_EQ(client_.live() + server_.live(), 0U);
  network_.filter = [](const SipMessage&) { return false; };
  send("OPTIONS");
  time_.pass(seconds(40));
  EXPECT_EQ(sent("OPTIONS"), 2U);
  EXPECT_THAT(client_.failures, ElementsAre(ClientFailure::kTimeout));
}

TEST_F(TransactionLayerOverTcpTest, ARefusedInviteIsForgottenWithItsAck) {
  server_answers({486});
  send("INVITE");
  time_.pass(milliseconds(5));
  EXPECT_THAT(client_.statuses, ElementsAre(486));
  EXPECT_EQ(sent("ACK"), 1U);
  EXPECT_EQ(client_.live() + server_.live(), 0U);
}

}  // namespace
}  // namespace callpark::sip
