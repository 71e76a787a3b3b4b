#include "base/socket_address.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace callpark {
namespace {

TEST(SocketAddress, ReadsWhatItWrites) {
  for (const char* text : {"127.0.0.1:5060", "[::1]:5060", "0.0.0.0:0", "unix:/run/mediad.sock"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
}

TEST(SocketAddress, O8_AnAddressOfAnotherHostIsKnown) {
  for (const char* text : {"127.0.0.1:1", "127.100.7.1:5060", "0.0.0.0:5060", "unix:/nowhere/x.sock"}) {
    EXPECT_TRUE(SocketAddress::parse(text)->is_of_this_host()) << text;
  }
  for (const char* text : {"240.0.0.1:5060", "[2001:db8::1]:5060"}) {
    EXPECT_FALSE(SocketAddress::parse(text)->is_of_this_host()) << text;
  }
}

TEST(SocketAddress, APathIsAUnixSocket) {
  const auto address = SocketAddress::parse("/run/mediad.sock");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->is_unix());
  EXPECT_EQ(address->host(), "/run/mediad.sock");
  EXPECT_EQ(address->port(), 0);
}

TEST(SocketAddress, HasHostAndPort) {
  const auto address = SocketAddress::parse("[2001:db8::7]:70");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->host(), "2001:db8::7");
  EXPECT_EQ(address->port(), 70);
  EXPECT_EQ(address->family(), AF_INET6);
}

TEST(SocketAddress, RefusesEverythingElse) {
  for (const char* text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:5060 ", "localhost:5060",
        "::1:5060", "[127.0.0.1]:5060", "[::1]", "256.0.0.1:1", "unix:relative", "unix:", ":5060"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_FALSE(address.error().empty());
  }
}

TEST(SocketAddress, APathThatTheKernelWouldCutIsRefused) {
  EXPECT_TRUE(SocketAddress::parse("/" + std::string(106, 'x')));
  EXPECT_FALSE(SocketAddress::parse("/" + std::string(107, 'x')));
}

TEST(SocketAddress, OwnConstantsMustBeRight) {
  EXPECT_EQ(SocketAddress::ip("::1", 5).to_string(), "[::1]:5");
  EXPECT_THROW(SocketAddress::ip("example.org", 5), std::invalid_argument);
}

TEST(SocketAddress, EqualWhenWrittenEqual) {
  EXPECT_EQ(*SocketAddress::parse("[0:0::1]:5"), *SocketAddress::parse("[::1]:5"));
  EXPECT_FALSE(*SocketAddress::parse("127.0.0.1:5") == *SocketAddress::parse("127.0.0.1:6"));
}

}  // namespace
}  // namespace callpark
