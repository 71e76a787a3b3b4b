#include "base/address_policy.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

namespace callpark {
namespace {

using testing::HasSubstr;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

IpAddress ipv4(std::uint32_t value) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(value);
  return IpAddress::of(reinterpret_cast<const sockaddr&>(address)).value();
}

// The IPv6 address that begins like `prefix` and ends with an IPv4 address.
IpAddress ipv6_with(const char* prefix, std::uint32_t value) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, prefix, &address.sin6_addr), 1);
  const std::uint32_t end = htonl(value);
  std::memcpy(address.sin6_addr.s6_addr + 12, &end, sizeof end);
  return IpAddress::of(reinterpret_cast<const sockaddr&>(address)).value();
}

AddressPolicy permitting(std::initializer_list<const char*> networks) {
  std::vector<IpNetwork> permitted;
  for (const char* text : networks) permitted.push_back(IpNetwork::parse(text).value());
  return AddressPolicy(std::move(permitted));
}

// The same rule in arithmetic, with no table.
bool is_refused(std::uint32_t address) {
  const std::uint32_t first = address >> 24;
  return first == 0 || first == 127 || first >= 224 || address >> 16 == 0xa9fe || address >> 8 == 0xc00000 ||
         address == 0x646464c8 || address == 0xa83f8110;
}

constexpr std::uint32_t kSteps[] = {0x0000, 0x0001, 0x00c0, 0x00ff, 0x0100, 0x64c7, 0x64c8,
                                    0x64c9, 0x810f, 0x8110, 0x8111, 0xa9fe, 0xfffe, 0xffff};

// The lower halves of an IPv4 address in which a rule begins or ends, with one upper half.
template <class Check>
void for_lower_halves(std::uint32_t upper, const Check& check) {
  for (const std::uint32_t lower : kSteps) check(upper << 16 | lower);
}

TEST(AddressPolicy, RefusesExactlyTheSpecialIpv4Addresses) {
  const AddressPolicy policy;
  for (std::uint32_t upper = 0; upper < 0x10000 && !HasFailure(); ++upper) {
    for_lower_halves(upper, [&](std::uint32_t value) {
      EXPECT_EQ(policy.refusal(ipv4(value)).has_value(), is_refused(value)) << ipv4(value).to_string();
    });
  }
}

TEST(AddressPolicy, JudgesAnIpv6AddressByTheIpv4AddressInIt) {
  const AddressPolicy policy;
  for (const char* prefix : {"::ffff:0:0", "64:ff9b::", "::ffff:0:0:0", "::"}) {
    for (std::uint32_t upper = 0; upper < 0x10000 && !HasFailure(); upper += upper % 0x100 < 0xfd ? 0x21 : 1) {
      for_lower_halves(upper, [&](std::uint32_t value) {
        const IpAddress address = ipv6_with(prefix, value);
        EXPECT_EQ(policy.refusal(address).has_value(), is_refused(value)) << address.to_string();
      });
    }
    for (const std::uint32_t upper : {0x0000U, 0x7f00U, 0x6464U, 0xa83fU, 0xa9feU, 0xc000U}) {
      for_lower_halves(upper, [&](std::uint32_t value) {
        EXPECT_EQ(policy.refusal(ipv6_with(prefix, value)).has_value(), is_refused(value)) << prefix << ' ' << value;
      });
    }
  }
}

TEST(AddressPolicy, NamesWhatItRefuses) {
  const AddressPolicy policy;
  const std::pair<const char*, const char*> cases[] = {
      {"0.0.0.0", "unspecified"},
      {"127.0.0.1", "loopback"},
      {"127.255.255.255", "loopback"},
      {"169.254.169.254", "link-local"},
      {"100.100.100.200", "metadata"},
      {"168.63.129.16", "metadata"},
      {"192.0.0.192", "reserved"},
      {"224.0.0.1", "multicast"},
      {"239.255.255.255", "multicast"},
      {"240.0.0.1", "reserved"},
      {"255.255.255.255", "broadcast"},
      {"::", "unspecified"},
      {"::1", "loopback"},
      {"fe80::1", "link-local"},
      {"febf:ffff::1", "link-local"},
      {"ff02::1", "multicast"},
      {"fd00:ec2::254", "metadata"},
      {"fd20:ce::254", "metadata"},
      {"fd00:c1::a9fe:a9fe", "metadata"},
      {"fd00:42::42", "metadata"},
      {"::ffff:127.0.0.1", "loopback"},
      {"::127.0.0.1", "loopback"},
      {"::ffff:a9fe:a9fe", "link-local"},
      {"64:ff9b::a9fe:a9fe", "link-local"},
      {"::ffff:0:127.0.0.1", "loopback"},
      {"64:ff9b:1::1", "translator"},
      {"2002:7f00:1::", "tunnel"},
      {"2001:0:7f00:1::", "tunnel"},
      {"64:ff9b::255.255.255.255", "broadcast"},
  };
  for (const auto& [address, what] : cases) {
    const auto refusal = policy.refusal(ip(address));
    ASSERT_TRUE(refusal) << address;
    EXPECT_THAT(std::string(*refusal), HasSubstr(what)) << address;
  }
}

TEST(AddressPolicy, AllowsPrivateAndPublicAddresses) {
  const AddressPolicy policy;
  for (const char* address :
       {"10.0.0.1",     "172.16.0.1",       "172.31.255.255", "192.168.0.1",     "100.64.0.1",    "192.0.1.0",
        "8.8.8.8",      "126.255.255.255",  "128.0.0.0",      "169.253.255.255", "169.255.0.0",   "223.255.255.255",
        "fc00::1",      "fd00::1",          "fdff:ffff::1",   "fd00:ec1::254",   "fd00:ec3::254", "2001:db8::1",
        "2001:1::1",    "2003::1",          "2a00::1",        "fe7f:ffff::1",    "fec0::1",       "feff:ffff::1",
        "64:ff9b:2::1", "64:ff9b::8.8.8.8", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(policy.refusal(ip(address))) << address;
  }
}

TEST(AddressPolicy, APermittedNetworkIsAllowedAndNoMore) {
  const AddressPolicy policy = permitting({"127.0.0.8/29", "::1", "169.254.169.254"});
  for (const char* address : {"127.0.0.8", "127.0.0.15", "::1", "::ffff:127.0.0.9", "169.254.169.254"}) {
    EXPECT_FALSE(policy.refusal(ip(address))) << address;
  }
  for (const char* address : {"127.0.0.7", "127.0.0.16", "::2", "::ffff:127.0.0.7", "169.254.169.253", "fe80::1"}) {
    EXPECT_TRUE(policy.refusal(ip(address))) << address;
  }
}

TEST(AddressPolicy, APermittedIpv4NetworkPermitsNoTranslatorToIt) {
  const AddressPolicy policy = permitting({"0.0.0.0/0"});
  EXPECT_FALSE(policy.refusal(ip("127.0.0.1")));
  EXPECT_TRUE(policy.refusal(ip("64:ff9b::127.0.0.1")));
  EXPECT_TRUE(policy.refusal(ip("::127.0.0.1")));
  EXPECT_TRUE(policy.refusal(ip("::1")));
  EXPECT_FALSE(permitting({"64:ff9b::/96"}).refusal(ip("64:ff9b::127.0.0.1")));
}

TEST(IpNetwork, HasEveryAddressOfItsLengthAndNoneBeside) {
  const std::uint32_t address = 0xac1e55aa;
  for (int length = 0; length <= 32; ++length) {
    const std::uint32_t mask = length == 0 ? 0 : ~0U << (32 - length);
    const auto network = IpNetwork::parse(ipv4(address & mask).to_string() + "/" + std::to_string(length));
    ASSERT_TRUE(network) << length;
    EXPECT_TRUE(network->contains(ipv4(address & mask))) << length;
    EXPECT_TRUE(network->contains(ipv4(address | ~mask))) << length;
    for (int bit = 0; bit < 32; ++bit) {
      EXPECT_EQ(network->contains(ipv4(address ^ 1U << (31 - bit))), bit >= length) << length << ' ' << bit;
    }
    EXPECT_FALSE(network->contains(ip("::1")));
  }
}

TEST(IpNetwork, IsRefusedWithASentence) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "a numeric address"},          {"example.com/8", "a numeric address"},
      {"10.0.0.0/", "from 0 to 32"},      {"10.0.0.0/33", "from 0 to 32"},
      {"10.0.0.0/-1", "from 0 to 32"},    {"10.0.0.0/8x", "from 0 to 32"},
      {"fd00::/129", "from 0 to 128"},    {"10.0.0.1/8", "is zero after"},
      {"fd00::1/64", "is zero after"},    {"::ffff:10.0.0.0/104", "as the IPv4 network"},
      {"10.0/16", "a numeric address"},   {"fe80::1%eth0", "a numeric address"},
      {"[::1]/128", "a numeric address"},
  };
  for (const auto& [text, sentence] : cases) {
    const auto network = IpNetwork::parse(text);
    ASSERT_FALSE(network) << text;
    EXPECT_THAT(network.error(), HasSubstr(sentence)) << text;
  }
}

TEST(IpAddress, WritesWhatItReads) {
  for (const char* text : {"192.0.2.1", "2001:db8::1", "::1", "::"}) EXPECT_EQ(ip(text).to_string(), text);
  EXPECT_EQ(ip("::ffff:192.0.2.1").to_string(), "192.0.2.1");
  EXPECT_TRUE(ip("::ffff:192.0.2.1").is_ipv4());
}

TEST(IpAddress, OtherFamiliesAreNone) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_FALSE(IpAddress::of(address));
}

}  // namespace
}  // namespace callpark
