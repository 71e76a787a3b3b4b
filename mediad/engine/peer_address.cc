#include "mediad/engine/peer_address.h"

#include <arpa/inet.h>

#include <cstring>

namespace callpark::media {
namespace {

const sockaddr_in& v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
const sockaddr_in6& v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}

}  // namespace

std::optional<PeerAddress> PeerAddress::of(const Endpoint& endpoint) {
  PeerAddress address;
  auto& four = reinterpret_cast<sockaddr_in&>(address.storage_);
  auto& six = reinterpret_cast<sockaddr_in6&>(address.storage_);
  if (inet_pton(AF_INET, endpoint.address.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(endpoint.port);
    address.length_ = sizeof four;
    return address;
  }
  if (inet_pton(AF_INET6, endpoint.address.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(endpoint.port);
    address.length_ = sizeof six;
    return address;
  }
  return std::nullopt;
}

std::uint16_t PeerAddress::port() const {
  return ntohs(family() == AF_INET6 ? v6(storage_).sin6_port : v4(storage_).sin_port);
}

PeerAddress PeerAddress::with_port(std::uint16_t port) const {
  PeerAddress other = *this;
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(other.storage_).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(other.storage_).sin_port = htons(port);
  }
  return other;
}

Endpoint PeerAddress::endpoint() const {
  char text[INET6_ADDRSTRLEN] = "";
  const void* bytes = family() == AF_INET6 ? static_cast<const void*>(&v6(storage_).sin6_addr)
                                           : static_cast<const void*>(&v4(storage_).sin_addr);
  inet_ntop(family(), bytes, text, sizeof text);
  return {text, port()};
}

bool PeerAddress::is_same_host(const PeerAddress& other) const {
  if (family() != other.family()) return false;
  if (family() == AF_INET6) {
    return std::memcmp(&v6(storage_).sin6_addr, &v6(other.storage_).sin6_addr, sizeof(in6_addr)) == 0;
  }
  return v4(storage_).sin_addr.s_addr == v4(other.storage_).sin_addr.s_addr;
}

bool operator==(const PeerAddress& left, const PeerAddress& right) {
  return left.is_same_host(right) && left.port() == right.port();
}

}  // namespace callpark::media
