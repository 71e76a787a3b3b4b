#include "parkd/transport/endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <unordered_set>

namespace callpark::sip {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(IpAddress::parse("127.0.0.1")->to_string(), "127.0.0.1");
  EXPECT_EQ(IpAddress::parse("127.0.0.1")->to_uri_host(), "127.0.0.1");
  EXPECT_EQ(IpAddress::parse("::1")->to_string(), "::1");
  EXPECT_EQ(IpAddress::parse("[2001:db8::1]")->to_uri_host(), "[2001:db8::1]");
}

TEST(IpAddress, IsNoneForNamesAndNonsense) {
  for (const char* text : {"", "localhost", "127.0.0", "127.0.0.256", "[127.0.0.1]", "[::1", "::1]", "::1%lo",
                           "1234567890123456789012345678901234567890123456789012345678901234567890"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, AMappedAddressIsTheIpv4AddressThatItIs) {
  EXPECT_EQ(IpAddress::parse("::ffff:127.0.0.1"), IpAddress::parse("127.0.0.1"));
}

TEST(IpAddress, KnowsTheUnspecifiedOnes) {
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_unspecified());
}

TEST(Endpoint, ReadsWhatItWrites) {
  for (const char* text : {"udp:127.0.0.1:5060", "tcp:[::1]:5061", "udp:0.0.0.0:0", "tcp:10.0.0.1:65535"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
}

TEST(Endpoint, IsNoneForNonsense) {
  for (const char* text : {"", "127.0.0.1:5060", "tls:127.0.0.1:5060", "udp:127.0.0.1", "udp:127.0.0.1:", "udp::1:5060",
                           "udp:127.0.0.1:65536", "udp:127.0.0.1:5060x", "udp:localhost:5060", "udp:[]:5060"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Endpoint, SurvivesASockaddr) {
  for (const char* text : {"udp:127.0.0.1:5060", "tcp:[2001:db8::7]:5061"}) {
    const auto endpoint = *Endpoint::parse(text);
    sockaddr_storage address{};
    const socklen_t length = endpoint.to_sockaddr(address);
    EXPECT_EQ(length, endpoint.address.family() == IpAddress::Family::kV4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    EXPECT_EQ(Endpoint::from_sockaddr(endpoint.protocol, address), endpoint);
  }
}

TEST(Endpoint, IsAKey) {
  std::unordered_set<Endpoint> seen;
  for (int port = 1; port <= 1000; ++port) {
    for (const auto protocol : {TransportProtocol::kUdp, TransportProtocol::kTcp}) {
      seen.insert({protocol, *IpAddress::parse("127.0.0.1"), static_cast<std::uint16_t>(port)});
    }
  }
  EXPECT_EQ(seen.size(), 2000U);
  EXPECT_TRUE(seen.contains(*Endpoint::parse("tcp:127.0.0.1:500")));
  EXPECT_FALSE(seen.contains(*Endpoint::parse("tcp:127.0.0.2:500")));
}

}  // namespace
}  // namespace callpark::sip
