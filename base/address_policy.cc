#include "base/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace callpark {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Refused {
  const char* network;
  std::string_view what;
};

constexpr Refused kRefused[] = {
    {"0.0.0.0/8", "an unspecified address"},  // RFC 1122 3.2.1.3; Linux connects 0.0.0.0 to itself
    {"127.0.0.0/8", "a loopback address"},
    {"169.254.0.0/16", "a link-local address"},  // 169.254.169.254 is the metadata service of most clouds
    {"192.0.0.0/24", "a reserved address"},      // RFC 6890; 192.0.0.192 is a metadata service of Oracle's
    {"100.100.100.200", "a metadata service"},   // Alibaba's
    {"168.63.129.16", "a metadata service"},     // Azure's
    {"224.0.0.0/4", "a multicast address"},
    {"255.255.255.255", "a broadcast address"},
    {"240.0.0.0/4", "a reserved address"},
    {"::", "an unspecified address"},
    {"::1", "a loopback address"},
    {"fe80::/10", "a link-local address"},
    {"ff00::/8", "a multicast address"},
    {"fd00:ec2::/32", "a metadata service"},       // Amazon's: ::254, and its name, time and identity services
    {"fd20:ce::254", "a metadata service"},        // Google's
    {"fd00:c1::a9fe:a9fe", "a metadata service"},  // Oracle's
    {"fd00:42::42", "a metadata service"},         // Scaleway's
    // Where these lead depends on a gateway, and may be any IPv4 address.
    {"64:ff9b:1::/48", "an address of a translator"},  // RFC 8215
    {"2001::/32", "an address of a tunnel"},           // RFC 4380, Teredo
    {"2002::/16", "an address of a tunnel"},           // RFC 7526, 6to4
};

// An IPv4 address is at the end of these, and decides.
constexpr const char* kWithIpv4[] = {
    "::/96",            // RFC 4291 2.5.5.1, IPv4-compatible
    "::ffff:0:0:0/96",  // RFC 7915, IPv4-translated
    "64:ff9b::/96",     // RFC 6052, NAT64
};

IpNetwork constant(std::string_view text) {
  return IpNetwork::parse(text).value();
}

const std::vector<std::pair<IpNetwork, std::string_view>>& refused_networks() {
  static const auto networks = [] {
    std::vector<std::pair<IpNetwork, std::string_view>> list;
    for (const Refused& refused : kRefused) list.emplace_back(constant(refused.network), refused.what);
    return list;
  }();
  return networks;
}

bool has_ipv4_at_the_end(const IpAddress& address) {
  static const auto networks = [] {
    std::vector<IpNetwork> list;
    for (const char* text : kWithIpv4) list.push_back(constant(text));
    return list;
  }();
  return std::any_of(networks.begin(), networks.end(), [&](const IpNetwork& each) { return each.contains(address); });
}

bool is_bit_set(const IpAddress& address, int bit) {
  return (address.bytes()[static_cast<std::size_t>(bit / 8)] & (0x80 >> (bit % 8))) != 0;
}

}  // namespace

IpAddress::IpAddress(bool is_ipv4, const void* bytes) : is_ipv4_(is_ipv4) {
  std::memcpy(bytes_.data(), bytes, is_ipv4 ? 4 : 16);
  if (is_ipv4 || !std::equal(kMapped.begin(), kMapped.end(), bytes_.begin())) return;
  *this = last_32_bits();
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  in_addr ipv4{};
  in6_addr ipv6{};
  if (copy.size() != text.size()) return std::nullopt;
  if (inet_pton(AF_INET, copy.c_str(), &ipv4) == 1) return IpAddress(true, &ipv4);
  if (inet_pton(AF_INET6, copy.c_str(), &ipv6) == 1) return IpAddress(false, &ipv6);
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::of(const sockaddr& address) {
  if (address.sa_family == AF_INET) return IpAddress(true, &reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family == AF_INET6) return IpAddress(false, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return std::nullopt;
}

IpAddress IpAddress::last_32_bits() const {
  return {true, bytes_.data() + 12};
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(is_ipv4_ ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

Result<IpNetwork, std::string> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return failure(std::string("a network is a numeric address and a length: 10.0.0.0/8 or fd00::/8"));
  if (address->is_ipv4() && text.find(':') != std::string_view::npos) {
    return failure(std::string("an IPv4-mapped network is written as the IPv4 network"));
  }
  const int bits = address->is_ipv4() ? 32 : 128;
  int length = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size() || length < 0 || length > bits) {
      return failure("the length of a network is a number from 0 to " + std::to_string(bits));
    }
  }
  for (int bit = length; bit < bits; ++bit) {
    if (is_bit_set(*address, bit)) return failure(std::string("the address of a network is zero after its length"));
  }
  return IpNetwork(*address, length);
}

bool IpNetwork::contains(const IpAddress& address) const {
  if (address.is_ipv4() != first_.is_ipv4()) return false;
  const auto whole = static_cast<std::size_t>(length_ / 8);
  if (std::memcmp(address.bytes().data(), first_.bytes().data(), whole) != 0) return false;
  const int rest = length_ % 8;
  return rest == 0 || ((address.bytes()[whole] ^ first_.bytes()[whole]) >> (8 - rest)) == 0;
}

std::optional<std::string_view> AddressPolicy::refusal(const IpAddress& address) const {
  const auto has_address = [&address](const IpNetwork& network) { return network.contains(address); };
  if (std::any_of(permitted_.begin(), permitted_.end(), has_address)) return std::nullopt;
  for (const auto& [network, what] : refused_networks()) {
    if (network.contains(address)) return what;
  }
  // A permitted IPv4 network permits no detour to it: the translator's loopback is another host's.
  if (!address.is_ipv4() && has_ipv4_at_the_end(address)) return AddressPolicy().refusal(address.last_32_bits());
  return std::nullopt;
}

}  // namespace callpark
