// RFC 6026: what happens to an INVITE after its 2xx, seen from both ends of a network without sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/transaction_party.h"

namespace callpark::sip {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Rfc6026 : public testing::TestWithParam<TransportProtocol> {
 protected:
  Rfc6026()
      : client_(time_, network_, {GetParam(), *IpAddress::parse("127.0.0.1"), 5061}),
        server_(time_, network_, {GetParam(), *IpAddress::parse("127.0.0.2"), 5062}) {
    server_.answer = [this](const TransactionParty::Request& request) { server_.respond(request, 200); };
    client_.send(simulated_request("INVITE", server_.endpoint), server_.endpoint);
    time_.pass(milliseconds(5));
  }

  void send_invite_again() {
    const SipMessage invite = network_.sent.at(0).message;
    client_.transport.send(invite, server_.endpoint);
  }
  void send_200_again() { server_.respond(server_.requests.at(0), 200); }

  SimulatedTime time_;
  SimulatedNetwork network_{time_};
  TransactionParty client_;
  TransactionParty server_;
};

INSTANTIATE_TEST_SUITE_P(Over, Rfc6026, testing::Values(TransportProtocol::kUdp, TransportProtocol::kTcp),
                         [](const auto& over) { return std::string(text_of(over.param)); });

TEST_P(Rfc6026, BothTransactionsLiveFor64T1AfterThe2xx) {
  ASSERT_THAT(client_.statuses, ElementsAre(200));
  time_.pass(milliseconds(31990));
  EXPECT_EQ(client_.layer.live().invite_client, 1U);
  EXPECT_EQ(server_.layer.live().invite_server, 1U);
  time_.pass(milliseconds(20));
  EXPECT_EQ(client_.live() + server_.live(), 0U);
  EXPECT_THAT(client_.failures, IsEmpty());
  EXPECT_THAT(server_.server_failures, IsEmpty());
}

TEST_P(Rfc6026, ACopyOfTheInviteIsAbsorbed) {
  send_invite_again();
  time_.pass(milliseconds(31000));
  send_invite_again();
  time_.pass(milliseconds(5));
  EXPECT_THAT(server_.requests, SizeIs(1));
  EXPECT_THAT(client_.statuses, ElementsAre(200));
  EXPECT_EQ(server_.layer.counters().retransmissions_received, 2U);
}

TEST_P(Rfc6026, Each2xxOfTheTuGoesOutAndUp) {
  time_.pass(milliseconds(500));
  send_200_again();
  time_.pass(milliseconds(1000));
  send_200_again();
  time_.pass(milliseconds(5));
  EXPECT_THAT(client_.statuses, ElementsAre(200, 200, 200));
}

TEST_P(Rfc6026, TheLayerItselfSendsNo2xxAgain) {
  time_.pass(milliseconds(31000));
  EXPECT_EQ(network_.count([](const SipMessage& message) { return message.status() == 200; }), 1U);
}

TEST_P(Rfc6026, A2xxOfAnotherBranchGoesUpToo) {
  client_.layer.on_message(make_response(server_.requests.at(0).message, 200, {}, "another callee"), server_.endpoint);
  EXPECT_THAT(client_.statuses, ElementsAre(200, 200));
}

TEST_P(Rfc6026, NothingBut2xxGoesOutOrUpAfterA2xx) {
  server_.respond(server_.requests.at(0), 180);
  server_.respond(server_.requests.at(0), 486);
  time_.pass(milliseconds(5));
  EXPECT_EQ(server_.layer.counters().answers_too_late, 2U);
  const SipMessage& invite = server_.requests.at(0).message;
  client_.layer.on_message(make_response(invite, 180, {}, "callee"), server_.endpoint);
  client_.layer.on_message(make_response(invite, 486, {}, "callee"), server_.endpoint);
  EXPECT_THAT(client_.statuses, ElementsAre(200));
}

TEST_P(Rfc6026, AnAckWithTheBranchOfTheInviteGoesUp) {
  SipMessage ack = simulated_request("ACK", server_.endpoint);
  ack.prepend_via(network_.sent.at(0).message.top_via());
  client_.transport.send(ack, server_.endpoint);
  time_.pass(milliseconds(5));
  EXPECT_THAT(server_.acks, SizeIs(1));
}

TEST_P(Rfc6026, A2xxThatCannotBeSentIsReportedAndTheTransactionLives) {
  server_.transport.is_broken = true;
  send_200_again();
  time_.pass(milliseconds(5));
  ASSERT_THAT(server_.server_failures, SizeIs(1));
  EXPECT_EQ(server_.server_failures[0].second, ServerFailure::kTransportError);
  EXPECT_EQ(server_.layer.live().invite_server, 1U);
}

TEST_P(Rfc6026, A2xxThatComesAfter64T1IsDroppedAndCounted) {
  time_.pass(milliseconds(32010));
  client_.layer.on_message(make_response(server_.requests.at(0).message, 200, {}, "callee"), server_.endpoint);
  EXPECT_THAT(client_.statuses, ElementsAre(200));
  EXPECT_EQ(client_.layer.counters().responses_unmatched, 1U);
}

}  // namespace
}  // namespace callpark::sip
