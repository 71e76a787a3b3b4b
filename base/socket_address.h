// Where a stream socket listens or connects: a numeric IP address and port, or a unix socket's path.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace callpark {

class SocketAddress {
 public:
  /// Holds no address; only for later assignment.
  SocketAddress() = default;

  /// Reads "127.0.0.1:5060", "[::1]:5060", "unix:/run/callpark/mediad.sock" or a path that begins with "/". Names are
  /// not resolved. The error is a sentence.
  static Result<SocketAddress, std::string> parse(std::string_view text);
  /// `address` is numeric, without brackets. Throws std::invalid_argument on anything else: it is for our own
  /// constants.
  static SocketAddress ip(std::string_view address, std::uint16_t port);
  static SocketAddress of(const sockaddr* address, socklen_t length);

  bool is_unix() const { return storage_.ss_family == AF_UNIX; }
  int family() const { return storage_.ss_family; }
  /// Returns the IP address without the port, or the path.
  std::string host() const;
  /// Returns 0 for a unix socket.
  std::uint16_t port() const;
  /// Writes the form that parse() reads.
  std::string to_string() const;

  /// True if this host could listen there: the address is one of its own, whatever uses the port. A unix socket always
  /// is.
  bool is_of_this_host() const;

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }

  friend bool operator==(const SocketAddress& left, const SocketAddress& right) {
    return left.to_string() == right.to_string();
  }

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace callpark
