// Transactions over the real loop, clock and sockets: the parts fit together as parkd uses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "parkd/transaction/transaction_layer.h"
#include "parkd/transport/transport_layer.h"
#include "tests/unit/base/loop_fixture.h"

namespace callpark::sip {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

struct Party final : TransactionUser {
  Party(EventLoop& loop, const std::string& address)
      : transport(loop, settings(address)), clock(loop), layer(transport, clock, timers()) {
    layer.start(*this);
    transport.start(layer);
  }
  static TransportSettings settings(const std::string& address) {
    TransportSettings settings;
    settings.listen = {*Endpoint::parse("udp:" + address + ":0"), *Endpoint::parse("tcp:" + address + ":0")};
    settings.peers = {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("127.0.0.2")};
    return settings;
  }
  // Fifty times as fast as the RFC's.
  static TransactionTimers timers() {
    TransactionTimers timers;
    timers.t1 = timers.d_min = timers.t4 = Duration(10);
    timers.t2 = Duration(80);
    return timers;
  }
  std::size_t live() const {
    const auto counts = layer.live();
    return counts.invite_client + counts.invite_server + counts.non_invite_client + counts.non_invite_server;
  }

  void on_request(ServerTransactionKey key, const SipMessage& request, const Endpoint&) override {
    layer.respond(key, make_response(request, request.method() == "INVITE" ? 180 : 200, {}, "b"));
    if (request.method() != "INVITE") return;
    invites.push_back(key);
    layer.respond(key, make_response(request, request.call_id() == "refused" ? 486 : 200, {}, "b"));
  }
  void on_ack(const SipMessage& ack, const Endpoint&) override { acks.push_back(ack); }
  void on_cancel(ServerTransactionKey) override {}
  void on_server_transaction_failure(ServerTransactionKey, ServerFailure) override { ++failures; }
  void on_stray_2xx(const SipMessage&) override {}

  TransportLayer transport;
  LoopAlarmClock clock;
  TransactionLayer layer;
  std::vector<ServerTransactionKey> invites;
  std::vector<SipMessage> acks;
  int failures = 0;
};

class TransactionsOnSockets : public LoopFixture, public testing::WithParamInterface<TransportProtocol> {
 protected:
  Endpoint destination() const {
    for (const Endpoint& endpoint : there_.transport.listening()) {
      if (endpoint.protocol == GetParam()) return endpoint;
    }
    return {};
  }
  SipMessage request(std::string_view method, std::string_view call_id) const {
    SipMessage request = make_request(method, "sip:parkd@" + destination().host_and_port());
    request.add_header("From", "<sip:101@demo.callpark>;tag=a");
    request.add_header("To", "<sip:102@demo.callpark>");
    request.add_header("Call-ID", call_id);
    request.set_cseq(1, method);
    return request;
  }
  void send(std::string_view method, std::string_view call_id) {
    here_.layer.send_request(request(method, call_id), destination(),
                             {[this](const SipMessage& response) { statuses_.push_back(response.status()); },
                              [this](ClientFailure failure) { failures_.push_back(failure); }});
  }

  Party here_{loop_, "127.0.0.1"};
  Party there_{loop_, "127.0.0.2"};
  std::vector<int> statuses_;
  std::vector<ClientFailure> failures_;
};

INSTANTIATE_TEST_SUITE_P(Over, TransactionsOnSockets, testing::Values(TransportProtocol::kUdp, TransportProtocol::kTcp),
                         [](const auto& over) { return std::string(text_of(over.param)); });

TEST_P(TransactionsOnSockets, ACallIsAcceptedAcknowledgedAndEnded) {
  send("INVITE", "call");
  run_until([&] { return statuses_.size() == 2; });
  here_.layer.send_ack(request("ACK", "call"), destination());
  run_until([&] { return there_.acks.size() == 1; });
  send("BYE", "call");
  run_until([&] { return statuses_.size() == 3; });
  EXPECT_THAT(statuses_, ElementsAre(180, 200, 200));
  EXPECT_THAT(there_.invites, SizeIs(1));
  run_until([&] { return here_.live() + there_.live() == 0; });
}

TEST_P(TransactionsOnSockets, ARefusedCallIsAcknowledgedByTheLayer) {
  send("INVITE", "refused");
  run_until([&] { return statuses_.size() == 2; });
  EXPECT_THAT(statuses_, ElementsAre(180, 486));
  run_until([&] { return here_.live() + there_.live() == 0; });
  EXPECT_EQ(there_.failures, 0);
  EXPECT_THAT(there_.acks, SizeIs(0));
}

TEST_P(TransactionsOnSockets, NobodyThereIsATimeoutOverUdpAndATransportErrorOverTcp) {
  const Endpoint nobody{GetParam(), *IpAddress::parse("127.0.0.9"), 9};
  here_.layer.send_request(request("OPTIONS", "lost"), nobody,
                           {nullptr, [this](ClientFailure failure) { failures_.push_back(failure); }});
  run_until([&] { return !failures_.empty(); });
  EXPECT_THAT(failures_, ElementsAre(GetParam() == TransportProtocol::kUdp ? ClientFailure::kTimeout
                                                                           : ClientFailure::kTransportError));
  EXPECT_EQ(here_.live(), 0U);
}

}  // namespace
}  // namespace callpark::sip
