// A descriptor that closes itself, and the socket calls that both transports make.
#pragma once

#include <utility>

#include "parkd/transport/endpoint.h"

namespace callpark::sip {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) noexcept : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  int fd() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Opens a non-blocking socket, closed on exec, for the protocol and address family of `endpoint`. Without a
/// descriptor, and with errno set, if the kernel has none.
Socket open_socket(const Endpoint& endpoint) noexcept;
/// Opens a socket and binds it. Throws std::system_error.
Socket bind_socket(const Endpoint& endpoint);
/// Returns the endpoint that a bound socket really has.
Endpoint bound_endpoint(TransportProtocol protocol, const Socket& socket);

}  // namespace callpark::sip
