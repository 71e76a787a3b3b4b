// The source or destination of a SIP message: transport protocol, IP address and port. No names, so no DNS.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace callpark::sip {

enum class TransportProtocol : std::uint8_t { kUdp, kTcp };

/// "udp" or "tcp".
std::string_view text_of(TransportProtocol protocol) noexcept;
/// RFC 3261 17: the transaction layer does not retransmit over a reliable transport.
constexpr bool is_reliable(TransportProtocol protocol) noexcept {
  return protocol == TransportProtocol::kTcp;
}

class IpAddress {
 public:
  enum class Family : std::uint8_t { kV4, kV6 };

  /// 0.0.0.0
  IpAddress() = default;
  /// Reads "127.0.0.1", "::1" or, as in URIs, "[::1]". None for anything else, names included.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;
  static IpAddress from_v4(const in_addr& address) noexcept;
  /// An IPv4-mapped address becomes its IPv4 address.
  static IpAddress from_v6(const in6_addr& address) noexcept;

  Family family() const noexcept { return family_; }
  /// 0.0.0.0 or ::
  bool is_unspecified() const noexcept;
  const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

  /// Writes no brackets.
  std::string to_string() const;
  /// Writes brackets around IPv6, as in URIs and Via.
  std::string to_uri_host() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::kV4;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4: the first four
};

struct Endpoint {
  TransportProtocol protocol = TransportProtocol::kUdp;
  IpAddress address;
  std::uint16_t port = 0;

  /// Reads "udp:127.0.0.1:5060" or "tcp:[::1]:5060". The protocol and the port are required.
  static std::optional<Endpoint> parse(std::string_view text) noexcept;
  static Endpoint from_sockaddr(TransportProtocol protocol, const sockaddr_storage& address) noexcept;

  /// Writes the form that parse() reads.
  std::string to_string() const;
  /// Writes "127.0.0.1:5060": sent-by of a Via, host and port of a URI.
  std::string host_and_port() const;
  /// Fills `out` and returns how many of its bytes are used.
  socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;

  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace callpark::sip

template <>
struct std::hash<callpark::sip::IpAddress> {
  std::size_t operator()(const callpark::sip::IpAddress& address) const noexcept;
};
template <>
struct std::hash<callpark::sip::Endpoint> {
  std::size_t operator()(const callpark::sip::Endpoint& endpoint) const noexcept;
};
