// Which IP addresses an HTTP request may be sent to. A URL is a setting of a tenant or an answer of a name server, so
// without this policy both could make parkd speak to itself, or to the metadata service of its cloud. Pure.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace callpark {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:192.0.2.1) becomes the IPv4 address that the kernel
/// makes of it.
class IpAddress {
 public:
  /// Reads a numeric address without brackets, port or zone.
  static std::optional<IpAddress> parse(std::string_view text);
  /// Empty if `address` belongs to another family.
  static std::optional<IpAddress> of(const sockaddr& address);

  bool is_ipv4() const { return is_ipv4_; }
  /// Most significant first; the first 4 are those of an IPv4 address.
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  /// The last 32 bits of an IPv6 address, as an address of their own.
  IpAddress last_32_bits() const;
  std::string to_string() const;

 private:
  IpAddress(bool is_ipv4, const void* bytes);
  bool is_ipv4_;
  std::array<std::uint8_t, 16> bytes_{};
};

/// The addresses that begin with the same bits.
class IpNetwork {
 public:
  /// Reads "10.0.0.0/8", "fd00::/8", or an address without a length, which is a network of one. An address with bits
  /// after the length is refused, as is an IPv4-mapped one. The error is a sentence.
  static Result<IpNetwork, std::string> parse(std::string_view text);

  bool contains(const IpAddress& address) const;

 private:
  IpNetwork(const IpAddress& first, int length) : first_(first), length_(length) {}
  IpAddress first_;
  int length_;
};

/// Refuses loopback, link-local, unspecified, multicast, broadcast and reserved addresses, metadata services of clouds,
/// and IPv6 addresses that represent one of these behind a translator or a tunnel. Allows private networks (RFC 1918,
/// RFC 6598, unique local): billing systems are there. An address in a permitted network is always allowed.
class AddressPolicy {
 public:
  AddressPolicy() = default;
  explicit AddressPolicy(std::vector<IpNetwork> permitted) : permitted_(std::move(permitted)) {}

  /// Names what a refused address is ("a loopback address"); empty if it may be connected to.
  std::optional<std::string_view> refusal(const IpAddress& address) const;

 private:
  std::vector<IpNetwork> permitted_;
};

}  // namespace callpark
