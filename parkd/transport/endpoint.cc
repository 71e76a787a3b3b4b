#include "parkd/transport/endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace callpark::sip {

std::string_view text_of(TransportProtocol protocol) noexcept {
  return protocol == TransportProtocol::kTcp ? "tcp" : "udp";
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) noexcept {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;
  }
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.data(), &v4) == 1) return from_v4(v4);
  in6_addr v6{};
  if (inet_pton(AF_INET6, terminated.data(), &v6) == 1) return from_v6(v6);
  return std::nullopt;
}

IpAddress IpAddress::from_v4(const in_addr& address) noexcept {
  IpAddress result;
  std::memcpy(result.bytes_.data(), &address, sizeof address);
  return result;
}

IpAddress IpAddress::from_v6(const in6_addr& address) noexcept {
  IpAddress result;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    std::copy_n(&address.s6_addr[12], 4, result.bytes_.begin());
    return result;
  }
  result.family_ = Family::kV6;
  std::copy_n(&address.s6_addr[0], 16, result.bytes_.begin());
  return result;
}

bool IpAddress::is_unspecified() const noexcept {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family_ == Family::kV4 ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::string IpAddress::to_uri_host() const {
  return family_ == Family::kV4 ? to_string() : "[" + to_string() + "]";
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) noexcept {
  Endpoint endpoint;
  const auto after_protocol = text.find(':');
  if (after_protocol == std::string_view::npos) return std::nullopt;
  const auto protocol = text.substr(0, after_protocol);
  if (protocol == "tcp") {
    endpoint.protocol = TransportProtocol::kTcp;
  } else if (protocol != "udp") {
    return std::nullopt;
  }
  text.remove_prefix(after_protocol + 1);
  const auto before_port = text.rfind(':');
  if (before_port == std::string_view::npos) return std::nullopt;
  const auto host = text.substr(0, before_port);
  // Without brackets the last group of an IPv6 address would be read as the port.
  if (host.find(':') != std::string_view::npos && host.front() != '[') return std::nullopt;
  const auto address = IpAddress::parse(host);
  if (!address) return std::nullopt;
  endpoint.address = *address;
  const auto port = text.substr(before_port + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return endpoint;
}

Endpoint Endpoint::from_sockaddr(TransportProtocol protocol, const sockaddr_storage& address) noexcept {
  Endpoint endpoint;
  endpoint.protocol = protocol;
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    endpoint.address = IpAddress::from_v4(v4.sin_addr);
    endpoint.port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    endpoint.address = IpAddress::from_v6(v6.sin6_addr);
    endpoint.port = ntohs(v6.sin6_port);
  }
  return endpoint;
}

std::string Endpoint::to_string() const {
  return std::string(text_of(protocol)) + ":" + host_and_port();
}

std::string Endpoint::host_and_port() const {
  return address.to_uri_host() + ":" + std::to_string(port);
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& out) const noexcept {
  out = {};
  if (address.family() == IpAddress::Family::kV4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof v4.sin_addr);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof v6.sin6_addr);
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

}  // namespace callpark::sip

std::size_t std::hash<callpark::sip::IpAddress>::operator()(const callpark::sip::IpAddress& address) const noexcept {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), address.bytes().data(), sizeof words);
  return std::hash<std::uint64_t>()(words[0] * 0x9E3779B97F4A7C15U ^ words[1]);
}

std::size_t std::hash<callpark::sip::Endpoint>::operator()(const callpark::sip::Endpoint& endpoint) const noexcept {
  const auto rest = static_cast<std::uint64_t>(endpoint.port) << 1U | static_cast<std::uint64_t>(endpoint.protocol);
  return std::hash<callpark::sip::IpAddress>()(endpoint.address) ^ (rest * 0xD6E8FEB86659FD93U);
}
