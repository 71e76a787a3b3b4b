#include "mediad/session/remote_rules.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cstring>
#include <variant>

namespace callpark::media {
namespace {

using Address = std::variant<std::monostate, in_addr, in6_addr>;

Address parse(const std::string& text) {
  in_addr four{};
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return four;
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1) return six;
  return {};
}

bool is_unspecified(const Address& address) {
  if (const auto* four = std::get_if<in_addr>(&address)) return four->s_addr == INADDR_ANY;
  const auto* six = std::get_if<in6_addr>(&address);
  return six != nullptr && IN6_IS_ADDR_UNSPECIFIED(six);
}

bool is_loopback(const Address& address) {
  if (const auto* four = std::get_if<in_addr>(&address)) return ntohl(four->s_addr) >> 24 == 127;
  const auto* six = std::get_if<in6_addr>(&address);
  return six != nullptr && IN6_IS_ADDR_LOOPBACK(six);
}

bool is_multicast(const Address& address) {
  if (const auto* four = std::get_if<in_addr>(&address)) return IN_MULTICAST(ntohl(four->s_addr));
  const auto* six = std::get_if<in6_addr>(&address);
  return six != nullptr && IN6_IS_ADDR_MULTICAST(six);
}

// 0.0.0.0/8 and 240.0.0.0/4 with the broadcast address (RFC 6890 section 2.2.2); IPv4 addresses in IPv6 form would
// evade the other rules.
bool is_no_host(const Address& address) {
  if (const auto* four = std::get_if<in_addr>(&address)) {
    const std::uint32_t bits = ntohl(four->s_addr);
    return bits >> 24 == 0 || bits >> 28 == 0xF;
  }
  const auto* six = std::get_if<in6_addr>(&address);
  return six != nullptr && (IN6_IS_ADDR_V4MAPPED(six) || IN6_IS_ADDR_V4COMPAT(six)) && !IN6_IS_ADDR_LOOPBACK(six);
}

bool is_same(const Address& left, const Address& right) {
  if (const auto* four = std::get_if<in_addr>(&left)) {
    const auto* other = std::get_if<in_addr>(&right);
    return other != nullptr && four->s_addr == other->s_addr;
  }
  const auto* six = std::get_if<in6_addr>(&left);
  const auto* other = std::get_if<in6_addr>(&right);
  return six != nullptr && other != nullptr && std::memcmp(six, other, sizeof *six) == 0;
}

}  // namespace

bool is_hold(const Endpoint& remote) {
  return remote.port == 0 || is_unspecified(parse(remote.address));
}

std::optional<std::string> fault_of_remote(const Endpoint& remote, const OwnPorts& own) {
  const Address address = parse(remote.address);
  const Address own_address = parse(own.address);
  if (std::holds_alternative<std::monostate>(address) || address.index() != own_address.index()) {
    return fmt::format("{} is no numeric address that RTP can be sent to from here", remote.address);
  }
  if (is_multicast(address)) return fmt::format("{} is a multicast address", remote.address);
  if (is_no_host(address)) return fmt::format("{} is the address of no host", remote.address);
  if (is_loopback(address) && !is_loopback(own_address)) {
    return fmt::format("{} is a loopback address, which no party can be at", remote.address);
  }
  // RTCP goes to the port above.
  const bool is_own = is_same(address, own_address) || is_same(address, parse(own.advertised_address));
  if (is_own && remote.port + 1 >= own.port_min && remote.port <= own.port_max) {
    return fmt::format("{} port {} belongs to mediad itself", remote.address, remote.port);
  }
  return std::nullopt;
}

}  // namespace callpark::media
