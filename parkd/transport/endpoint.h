// Where a SIP message comes from or goes to: transport protocol, IP address and port. No names, so no DNS.
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
/// RFC 3261 17: no retransmission by the transaction layer where the transport does it.
constexpr bool is_reliable(TransportProtocol protocol) noexcept {
  return protocol == TransportProtocol::kTcp;
}

class IpAddress {
 public:
  enum class Family : std::uint8_t { kV4, kV6 };

  /// 0.0.0.0
  IpAddress() = default;
  /// "127.0.0.1", "::1" or, as in URIs, "[::1]". None for anything else, names included.
  static std::optional<IpAddress> parse(std::string_view text) noexcept;
  static IpAddress from_v4(const in_addr& address) noexcept;
  /// An IPv4-mapped address becomes the IPv4 address that it is.
  static IpAddress from_v6(const in6_addr& address) noexcept;

  Family family() const noexcept { return family_; }
  /// 0.0.0.0 or ::
  bool is_unspecified() const noexcept;
  const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

  /// Without brackets.
  std::string to_string() const;
  /// With brackets around IPv6, as URIs and Via want it.
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

  /// "udp:127.0.0.1:5060", "tcp:[::1]:5060". The protocol and the port must be there.
  static std::optional<Endpoint> parse(std::string_view text) noexcept;
  static Endpoint from_sockaddr(TransportProtocol protocol, const sockaddr_storage& address) noexcept;

  /// As parse() reads it.
  std::string to_string() const;
  /// "127.0.0.1:5060": sent-by of a Via, host and port of a URI.
  std::string host_and_port() const;
  /// Fills `out` and says how much of it counts.
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
