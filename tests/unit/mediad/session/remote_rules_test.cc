#include "mediad/session/remote_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callpark::media {
namespace {

using testing::HasSubstr;

const OwnPorts kPublic{"203.0.113.2", "203.0.113.2", 15060, 20059};
const OwnPorts kPublicV6{"2001:db8::2", "2001:db8::2", 15060, 20059};
const OwnPorts kLoopback{"127.0.0.1", "127.0.0.1", 15060, 20059};
const OwnPorts kBehindNat{"10.0.0.2", "203.0.113.2", 15060, 20059};

std::string fault_of(const Endpoint& remote, const OwnPorts& own) {
  return fault_of_remote(remote, own).value_or("none");
}

TEST(RemoteRules, PartiesMayBeAnywhereElse) {
  for (const char* address : {"192.168.1.5", "10.0.0.1", "198.51.100.7", "169.254.1.1"}) {
    EXPECT_EQ(fault_of({address, 15070}, kPublic), "none") << address;
  }
  EXPECT_EQ(fault_of({"2001:db8::7", 15070}, kPublicV6), "none");
  EXPECT_EQ(fault_of({kPublic.address, 4000}, kPublic), "none") << "a phone on the same host";
}

TEST(RemoteRules, X37_OwnPortsAreRefused) {
  for (const int port : {15060, 15061, 17000, 20059, 15059}) {  // RTCP goes to the port above
    EXPECT_THAT(fault_of({kPublic.address, static_cast<std::uint16_t>(port)}, kPublic), HasSubstr("mediad itself"));
  }
  for (const int port : {15058, 20060}) {
    EXPECT_EQ(fault_of({kPublic.address, static_cast<std::uint16_t>(port)}, kPublic), "none") << port;
  }
  EXPECT_THAT(fault_of({"2001:0db8:0::2", 15060}, kPublicV6), HasSubstr("mediad itself")) << "however it is written";
}

TEST(RemoteRules, X67_OwnPortsAreRefusedAtBothSidesOfANat) {
  for (const char* address : {"10.0.0.2", "203.0.113.2"}) {
    EXPECT_THAT(fault_of({address, 15060}, kBehindNat), HasSubstr("mediad itself")) << address;
    EXPECT_EQ(fault_of({address, 4000}, kBehindNat), "none") << address;
  }
}

TEST(RemoteRules, X37_LoopbackIsRefusedUnlessMediadIsThere) {
  EXPECT_THAT(fault_of({"127.0.0.1", 4000}, kPublic), HasSubstr("loopback"));
  EXPECT_THAT(fault_of({"127.9.9.9", 4000}, kPublic), HasSubstr("loopback"));
  EXPECT_THAT(fault_of({"::1", 4000}, kPublicV6), HasSubstr("loopback"));
  EXPECT_EQ(fault_of({"127.0.0.11", 15060}, kLoopback), "none");
}

TEST(RemoteRules, X37_MulticastAndBroadcastAreRefused) {
  EXPECT_THAT(fault_of({"224.0.0.1", 4000}, kPublic), HasSubstr("multicast"));
  EXPECT_THAT(fault_of({"239.255.255.255", 4000}, kPublic), HasSubstr("multicast"));
  EXPECT_THAT(fault_of({"ff02::1", 4000}, kPublicV6), HasSubstr("multicast"));
  EXPECT_THAT(fault_of({"255.255.255.255", 4000}, kPublic), HasSubstr("no host"));
  EXPECT_THAT(fault_of({"240.0.0.1", 4000}, kPublic), HasSubstr("no host"));
  EXPECT_THAT(fault_of({"0.0.0.1", 4000}, kPublic), HasSubstr("no host"));
}

TEST(RemoteRules, X37_IPv4AddressesInIPv6FormAreRefused) {
  for (const char* address : {"::ffff:127.0.0.1", "::ffff:224.0.0.1", "::127.0.0.1"}) {
    EXPECT_THAT(fault_of({address, 4000}, kPublicV6), HasSubstr("no host")) << address;
  }
}

TEST(RemoteRules, NamesAndOtherFamiliesAreRefused) {
  for (const char* address : {"phone.example", "", "1.2.3", "2001:db8::7", "0x7f.1"}) {
    EXPECT_THAT(fault_of({address, 4000}, kPublic), HasSubstr("no numeric address")) << address;
  }
  EXPECT_THAT(fault_of({"192.168.1.5", 4000}, kPublicV6), HasSubstr("no numeric address"));
}

TEST(RemoteRules, X37_UnspecifiedAddressesAndPortZeroMeanHold) {
  for (const Endpoint& hold :
       {Endpoint{"0.0.0.0", 4000}, Endpoint{"::", 4000}, Endpoint{"0:0::0", 4000}, Endpoint{"192.168.1.5", 0}}) {
    EXPECT_TRUE(is_hold(hold)) << hold.address;
  }
  EXPECT_FALSE(is_hold({"192.168.1.5", 4000}));
  EXPECT_FALSE(is_hold({"phone.example", 4000}));
}

}  // namespace
}  // namespace callpark::media
