// The transport layer on real sockets of the loopback interface, all ports chosen by the kernel.
#include "parkd/transport/transport_layer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "parkd/transport/socket.h"
#include "tests/unit/base/loop_fixture.h"

namespace callpark::sip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Recorder final : TransportUser {
  std::vector<SipMessage> messages;
  std::vector<Endpoint> sources;
  std::vector<Endpoint> failures;
  std::function<void(const SipMessage&, const Endpoint&)> answer;

  void on_message(SipMessage message, const Endpoint& source) override {
    messages.push_back(std::move(message));
    sources.push_back(source);
    if (answer) answer(messages.back(), source);
  }
  void on_send_failure(const Endpoint& destination) override { failures.push_back(destination); }
};

TransportSettings settings_at(const std::string& address) {
  TransportSettings settings;
  settings.listen = {*Endpoint::parse("udp:" + address + ":0"), *Endpoint::parse("tcp:" + address + ":0")};
  settings.peers = {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("127.0.0.2")};
  return settings;
}

struct Party {
  Party(EventLoop& loop, const TransportSettings& settings) : layer(loop, settings) { layer.start(user); }
  Endpoint at(TransportProtocol protocol) const {
    for (const Endpoint& endpoint : layer.listening()) {
      if (endpoint.protocol == protocol) return endpoint;
    }
    return {};
  }
  Recorder user;
  TransportLayer layer;
};

// A peer without any SIP stack.
class RawSocket {
 public:
  explicit RawSocket(TransportProtocol protocol, const std::string& address = "127.0.0.1", int receive_buffer = 0)
      : protocol_(protocol), socket_(open(protocol, address)) {
    if (receive_buffer > 0) setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  void connect(const Endpoint& to) {
    sockaddr_storage address{};
    const socklen_t length = to.to_sockaddr(address);
    if (::connect(socket_.fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0 && errno != EINPROGRESS) {
      ADD_FAILURE() << "connect: " << errno;
    }
  }
  void send(std::string_view bytes) {
    pollfd ready{socket_.fd(), POLLOUT, 0};
    while (!bytes.empty() && poll(&ready, 1, 5000) == 1) {
      const auto count = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0) break;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // What is there now, appended to what was there before.
  const std::string& received() {
    std::vector<char> buffer(65536);
    for (;;) {
      const auto count = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
      if (count == 0) is_closed = true;
      if (count < 0 && errno != EAGAIN && errno != ENOTCONN) is_closed = true;
      if (count <= 0) return received_;
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  void reset_connection() {
    const linger now{1, 0};
    setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_ = Socket();
  }
  void close() { socket_ = Socket(); }
  Endpoint local() const { return bound_endpoint(protocol_, socket_); }

  bool is_closed = false;

 private:
  static Socket open(TransportProtocol protocol, const std::string& address) {
    return bind_socket({protocol, *IpAddress::parse(address), 0});
  }

  TransportProtocol protocol_;
  Socket socket_;
  std::string received_;
};

std::string via_of(const Endpoint& sender, bool rport = true) {
  return std::string("SIP/2.0/") + (sender.protocol == TransportProtocol::kTcp ? "TCP " : "UDP ") +
         sender.host_and_port() + ";branch=z9hG4bK1" + (rport ? ";rport" : "");
}

SipMessage request_from(const Endpoint& sender, std::string_view call_id = "call-1") {
  SipMessage request = make_request("OPTIONS", "sip:parkd@127.0.0.1");
  request.add_header("Via", via_of(sender));
  request.add_header("From", "<sip:101@demo.callpark>;tag=a");
  request.add_header("To", "<sip:102@demo.callpark>");
  request.add_header("Call-ID", call_id);
  request.set_cseq(1, "OPTIONS");
  return request;
}

class TransportLayerTest : public LoopFixture, public testing::WithParamInterface<TransportProtocol> {
 protected:
  void answer_everything(Party& party) {
    party.user.answer = [&party](const SipMessage& request, const Endpoint& source) {
      if (request.is_request()) party.layer.send(make_response(request, 200, {}, "b"), source);
    };
  }
};

INSTANTIATE_TEST_SUITE_P(Over, TransportLayerTest, testing::Values(TransportProtocol::kUdp, TransportProtocol::kTcp),
                         [](const auto& over) { return std::string(text_of(over.param)); });

TEST_P(TransportLayerTest, ARequestArrivesAndItsResponseComesBack) {
  Party here(loop_, settings_at("127.0.0.1"));
  Party there(loop_, settings_at("127.0.0.2"));
  answer_everything(there);
  const Endpoint destination = there.at(GetParam());
  EXPECT_EQ(here.layer.local_endpoint(destination), here.at(GetParam()));
  ASSERT_TRUE(here.layer.send(request_from(here.at(GetParam())), destination));
  run_until([&] { return here.user.messages.size() == 1; });
  EXPECT_EQ(here.user.messages[0].status(), 200);
  ASSERT_THAT(there.user.messages, SizeIs(1));
  EXPECT_EQ(there.user.messages[0].top_via().received(), "127.0.0.1");
  EXPECT_EQ(there.user.messages[0].top_via().rport(), there.user.sources[0].port);
  EXPECT_EQ(there.user.sources[0].address, *IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(here.layer.counters().sent, 1U);
  EXPECT_EQ(here.layer.counters().received, 1U);
}

TEST_P(TransportLayerTest, AThousandRequestsInOneGoAllComeBack) {
  Party here(loop_, settings_at("127.0.0.1"));
  Party there(loop_, settings_at("127.0.0.2"));
  answer_everything(there);
  // As much at once as a socket's buffer surely holds.
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(
          here.layer.send(request_from(here.at(GetParam()), "call-" + std::to_string(i)), there.at(GetParam())));
    }
    const auto expected = static_cast<std::size_t>(round + 1) * 100;
    run_until([&] { return here.user.messages.size() == expected; });
  }
  EXPECT_EQ(there.layer.counters().received, 1000U);
  EXPECT_EQ(there.layer.counters().udp_lost, 0U);
  EXPECT_LE(there.layer.tcp_connections(), 1U);
}

TEST_P(TransportLayerTest, StrangersAreNotHeard) {
  auto settings = settings_at("127.0.0.1");
  settings.peers = {*IpAddress::parse("127.0.0.2")};
  Party here(loop_, settings);
  RawSocket stranger(GetParam(), "127.0.0.3");
  stranger.connect(here.at(GetParam()));
  stranger.send(write(request_from(stranger.local())));
  run_until([&] { return here.layer.counters().unknown_peers_dropped >= 1; });
  EXPECT_THAT(here.user.messages, IsEmpty());
  EXPECT_EQ(here.layer.tcp_connections(), 0U);
}

TEST_P(TransportLayerTest, ADatagramBesideThePeersSocketIsNotHeard) {
  RawSocket peer(TransportProtocol::kUdp);
  RawSocket beside(GetParam());
  RawSocket elsewhere(GetParam(), "127.0.0.2");
  auto settings = settings_at("127.0.0.1");
  settings.peer_socket = peer.local();
  Party here(loop_, settings);
  beside.connect(here.at(GetParam()));
  beside.send(write(request_from(beside.local(), "beside")));
  const bool is_udp = GetParam() == TransportProtocol::kUdp;
  run_until([&] { return here.user.messages.size() + here.layer.counters().unknown_peers_dropped == 1; });
  EXPECT_EQ(here.layer.counters().unknown_peers_dropped, is_udp ? 1U : 0U);
  peer.connect(here.at(TransportProtocol::kUdp));
  peer.send(write(request_from(peer.local(), "peer")));
  elsewhere.connect(here.at(GetParam()));
  elsewhere.send(write(request_from(elsewhere.local(), "elsewhere")));
  run_until([&] { return here.user.messages.size() == (is_udp ? 2U : 3U); });
  EXPECT_EQ(here.layer.counters().unknown_peers_dropped, is_udp ? 1U : 0U);
}

TEST_P(TransportLayerTest, AMalformedRequestIsAnswered400AndCounted) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(GetParam());
  peer.connect(here.at(GetParam()));
  SipMessage request = request_from(peer.local());
  request.add_header("Contact", "<sip:not closed");
  request.set_header("Max-Forwards", "many");
  peer.send(write(request));
  run_until([&] { return peer.received().find("\r\n\r\n") != std::string::npos; });
  EXPECT_THAT(peer.received(), HasSubstr("SIP/2.0 400 "));
  const auto response = parse(peer.received());
  ASSERT_TRUE(response);
  EXPECT_NE(response->to_tag(), "");
  EXPECT_EQ(response->top_via().received(), "127.0.0.1");
  EXPECT_EQ(here.layer.counters().malformed_answered, 1U);
  EXPECT_THAT(here.user.messages, IsEmpty());
}

TEST_P(TransportLayerTest, WhatCannotBeAnsweredIsDroppedAndCounted) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(GetParam());
  peer.connect(here.at(GetParam()));
  peer.send("garbage in one line\r\nContent-Length: 0\r\n\r\n");
  run_until([&] { return here.layer.counters().malformed_dropped == 1; });
  peer.send(write(request_from(peer.local())));
  run_until([&] { return here.user.messages.size() == 1; });
}

TEST_P(TransportLayerTest, AResponseToAViaThatIsNotOursIsDropped) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(GetParam());
  peer.connect(here.at(GetParam()));
  peer.send(write(make_response(request_from(peer.local()), 200)));
  run_until([&] { return here.layer.counters().responses_not_ours == 1; });
  peer.send(write(make_response(request_from(here.at(GetParam())), 200)));
  run_until([&] { return here.user.messages.size() == 1; });
}

TEST_P(TransportLayerTest, WithoutAnAddressOfThatFamilyNothingCanBeSent) {
  Party here(loop_, settings_at("127.0.0.1"));
  const Endpoint destination{GetParam(), *IpAddress::parse("::1"), 5060};
  EXPECT_EQ(here.layer.local_endpoint(destination), std::nullopt);
  EXPECT_FALSE(here.layer.send(request_from(here.at(GetParam())), destination));
  EXPECT_EQ(here.layer.counters().send_failures, 1U);
}

class UdpTest : public LoopFixture {};

TEST_F(UdpTest, AResponseWithoutRportGoesToThePortOfSentBy) {
  Party here(loop_, settings_at("127.0.0.1"));
  Party there(loop_, settings_at("127.0.0.2"));
  RawSocket sender(TransportProtocol::kUdp, "127.0.0.2");
  sender.connect(here.at(TransportProtocol::kUdp));
  SipMessage request = request_from(there.at(TransportProtocol::kUdp));
  request.set_header("Via", via_of(there.at(TransportProtocol::kUdp), false));
  request.set_header("Max-Forwards", "many");  // so that the layer answers by itself
  sender.send(write(request));
  run_until([&] { return there.user.messages.size() == 1; });
  EXPECT_EQ(there.user.messages[0].status(), 400);
}

TEST_F(UdpTest, KeepAlivesAreNoMessages) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(TransportProtocol::kUdp);
  peer.connect(here.at(TransportProtocol::kUdp));
  for (const std::string_view keep_alive : {std::string_view("\r\n\r\n"), std::string_view("\r\n"),
                                            std::string_view("\0\0\0\0", 4), std::string_view("")}) {
    peer.send(keep_alive);
  }
  peer.send(write(request_from(peer.local())));
  run_until([&] { return here.user.messages.size() == 1; });
  EXPECT_EQ(here.layer.counters().malformed_dropped, 0U);
}

TEST_F(UdpTest, AMessageTooLongForADatagramIsNotSent) {
  Party here(loop_, settings_at("127.0.0.1"));
  Party there(loop_, settings_at("127.0.0.2"));
  SipMessage request = request_from(here.at(TransportProtocol::kUdp));
  request.set_body("text/plain", std::string(70000, 'x'));
  EXPECT_FALSE(here.layer.send(request, there.at(TransportProtocol::kUdp)));
}

TEST_F(UdpTest, AnAddressOfEverythingIsRefused) {
  auto settings = settings_at("127.0.0.1");
  settings.listen = {*Endpoint::parse("udp:0.0.0.0:0")};
  EXPECT_THROW(TransportLayer(loop_, settings), std::invalid_argument);
}

TEST_F(UdpTest, AnAddressThatIsTakenIsRefused) {
  Party here(loop_, settings_at("127.0.0.1"));
  auto settings = settings_at("127.0.0.1");
  settings.listen = here.layer.listening();
  EXPECT_THROW(TransportLayer(loop_, settings), std::system_error);
}

class TcpTest : public LoopFixture {
 protected:
  Endpoint at(const Party& party) const { return party.at(TransportProtocol::kTcp); }
};

TEST_F(TcpTest, AConnectionIsUsedAgain) {
  Party here(loop_, settings_at("127.0.0.1"));
  Party there(loop_, settings_at("127.0.0.2"));
  here.layer.send(request_from(at(here)), at(there));
  here.layer.send(request_from(at(here)), at(there));
  run_until([&] { return there.user.messages.size() == 2; });
  here.layer.send(request_from(at(here)), at(there));
  run_until([&] { return there.user.messages.size() == 3; });
  EXPECT_EQ(there.layer.counters().tcp_accepted, 1U);
  EXPECT_EQ(here.layer.counters().tcp_connected, 1U);
}

TEST_F(TcpTest, ARefusedConnectionIsReported) {
  Endpoint nobody;
  {
    RawSocket gone(TransportProtocol::kTcp);
    nobody = gone.local();
  }
  Party here(loop_, settings_at("127.0.0.1"));
  here.layer.send(request_from(at(here)), nobody);
  EXPECT_THAT(here.user.failures, IsEmpty());
  run_until([&] { return !here.user.failures.empty(); });
  EXPECT_THAT(here.user.failures, ElementsAre(nobody));
  EXPECT_EQ(here.layer.tcp_connections(), 0U);
}

TEST_F(TcpTest, AResetIsReported) {
  Party here(loop_, settings_at("127.0.0.1"));
  auto peer = std::make_unique<RawSocket>(TransportProtocol::kTcp);
  peer->connect(at(here));
  peer->send(write(request_from(peer->local())));
  run_until([&] { return here.user.messages.size() == 1; });
  const Endpoint remote = peer->local();
  peer->reset_connection();
  run_until([&] { return !here.user.failures.empty(); });
  EXPECT_THAT(here.user.failures, ElementsAre(remote));
  EXPECT_EQ(here.layer.tcp_connections(), 0U);
}

TEST_F(TcpTest, AResponseWhoseConnectionIsGoneGoesToWhereThePeerListens) {
  Party here(loop_, settings_at("127.0.0.1"));
  Party there(loop_, settings_at("127.0.0.2"));
  RawSocket peer(TransportProtocol::kTcp, "127.0.0.2");
  peer.connect(at(here));
  peer.send(write(request_from(at(there))));
  run_until([&] { return here.user.messages.size() == 1; });
  peer.close();
  run_until([&] { return here.layer.tcp_connections() == 0; });
  ASSERT_TRUE(here.layer.send(make_response(here.user.messages[0], 200), here.user.sources[0]));
  run_until([&] { return there.user.messages.size() == 1; });
  EXPECT_EQ(there.user.messages[0].status(), 200);
}

TEST_F(TcpTest, AStreamThatCannotBeCutIsAnsweredAndClosed) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(TransportProtocol::kTcp);
  peer.connect(at(here));
  std::string text = write(request_from(peer.local()));
  text.replace(text.find("Content-Length: 0"), 17, "Content-Length: x");
  peer.send(text + "more of this");
  run_until([&] {
    peer.received();
    return peer.is_closed;
  });
  EXPECT_THAT(peer.received(), HasSubstr("SIP/2.0 400 Bad Content-Length"));
  EXPECT_EQ(here.layer.counters().malformed_answered, 1U);
  peer.close();
  run_until([&] { return here.layer.tcp_connections() == 0; });
}

TEST_F(TcpTest, APingIsAnswered) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(TransportProtocol::kTcp);
  peer.connect(at(here));
  peer.send("\r\n\r\n");
  run_until([&] { return peer.received() == "\r\n"; });
}

TEST_F(TcpTest, WhatThePeerDoesNotReadAtOnceComesLater) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(TransportProtocol::kTcp, "127.0.0.1", 4096);
  peer.connect(at(here));
  peer.send(write(request_from(peer.local())));
  run_until([&] { return here.user.messages.size() == 1; });
  SipMessage big = make_response(here.user.messages[0], 200);
  big.set_body("text/plain", std::string(50000, 'x'));
  const std::size_t size = write(big).size();
  std::size_t sent = 0;
  while (sent < 15 && here.layer.send(big, here.user.sources[0])) ++sent;
  EXPECT_EQ(sent, 15U);
  run_until([&] { return peer.received().size() == sent * size; });
  EXPECT_EQ(peer.received().substr(14 * size), write(big));
  EXPECT_THAT(here.user.failures, IsEmpty());
}

TEST_F(TcpTest, APeerThatNeverReadsIsGivenUp) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(TransportProtocol::kTcp, "127.0.0.1", 4096);
  peer.connect(at(here));
  peer.send(write(request_from(peer.local())));
  run_until([&] { return here.user.messages.size() == 1; });
  SipMessage big = make_response(here.user.messages[0], 200);
  big.set_body("text/plain", std::string(60000, 'x'));
  int sent = 0;
  while (sent < 1000 && here.layer.send(big, here.user.sources[0])) ++sent;
  EXPECT_LT(sent, 1000);
  EXPECT_THAT(here.user.failures, IsEmpty());
  run_until([&] { return here.user.failures.size() == 1; });
  EXPECT_EQ(here.layer.tcp_connections(), 0U);
}

TEST_F(TcpTest, AMessageThatIsNotFinishedInTimeEndsItsConnection) {
  auto settings = settings_at("127.0.0.1");
  settings.tcp_message_timeout = Duration(30);
  Party here(loop_, settings);
  RawSocket peer(TransportProtocol::kTcp);
  peer.connect(at(here));
  peer.send("OPTIONS sip:parkd@127.0.0.1 SIP/2.0\r\nVia: ");
  run_until([&] {
    peer.received();
    return peer.is_closed;
  });
  EXPECT_EQ(here.layer.counters().tcp_timed_out, 1U);
}

TEST_F(TcpTest, AnIdleConnectionEndsAndNobodyIsTold) {
  auto settings = settings_at("127.0.0.1");
  settings.tcp_idle_timeout = Duration(30);
  Party here(loop_, settings);
  RawSocket peer(TransportProtocol::kTcp);
  peer.connect(at(here));
  run_until([&] {
    peer.received();
    return peer.is_closed;
  });
  EXPECT_EQ(here.layer.counters().tcp_timed_out, 1U);
  EXPECT_THAT(here.user.failures, IsEmpty());
}

TEST_F(TcpTest, MoreConnectionsThanAllowedAreClosedAtOnce) {
  auto settings = settings_at("127.0.0.1");
  settings.tcp_connections_max = 2;
  Party here(loop_, settings);
  std::vector<std::unique_ptr<RawSocket>> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(std::make_unique<RawSocket>(TransportProtocol::kTcp));
    peers.back()->connect(at(here));
  }
  run_until([&] { return here.layer.counters().tcp_refused == 2; });
  EXPECT_EQ(here.layer.tcp_connections(), 2U);
}

// Opens every descriptor that the process may still have.
class DescriptorShortage {
 public:
  DescriptorShortage() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) {
      taken_.push_back(fd);
    }
  }
  ~DescriptorShortage() { end(); }
  DescriptorShortage(const DescriptorShortage&) = delete;
  DescriptorShortage& operator=(const DescriptorShortage&) = delete;
  void end() {
    for (const int fd : taken_) close(fd);
    taken_.clear();
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(TcpTest, WithoutDescriptorsAcceptingPausesAndGoesOnLater) {
  Party here(loop_, settings_at("127.0.0.1"));
  RawSocket peer(TransportProtocol::kTcp);
  const Endpoint destination = at(here);
  const SipMessage request = request_from(destination);
  // UBSan's first look at an object uses descriptors too.
  run_until([&] { return here.user.messages.empty() && here.layer.counters().accept_pauses == 0; });
  {
    const DescriptorShortage shortage;
    peer.connect(destination);
    peer.send(write(request_from(peer.local())));
    run_until([&] { return here.layer.counters().accept_pauses >= 2; });
    EXPECT_TRUE(here.user.messages.empty());
    EXPECT_LT(here.layer.counters().accept_pauses, 50U);
    // Nor can a connection be made; that fails at once and harms nothing.
    EXPECT_FALSE(here.layer.send(request, *Endpoint::parse("tcp:127.0.0.1:9")));
  }
  run_until([&] { return here.user.messages.size() == 1; });
}

}  // namespace
}  // namespace callpark::sip
