// The IP address and port that packets go to or come from.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>

#include "media_protocol/messages.h"

namespace callpark::media {

class PeerAddress {
 public:
  PeerAddress() = default;
  PeerAddress(const sockaddr_storage& storage, socklen_t length) : storage_(storage), length_(length) {}
  /// Returns nothing if the address is not numeric.
  static std::optional<PeerAddress> of(const Endpoint& endpoint);

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  /// Returns the same host at another port.
  PeerAddress with_port(std::uint16_t port) const;
  Endpoint endpoint() const;
  bool is_same_host(const PeerAddress& other) const;

  friend bool operator==(const PeerAddress& left, const PeerAddress& right);

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace callpark::media
