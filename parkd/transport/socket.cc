#include "parkd/transport/socket.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace callpark::sip {

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    const Socket old(std::exchange(fd_, std::exchange(other.fd_, -1)));
  }
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Socket open_socket(const Endpoint& endpoint) noexcept {
  const int family = endpoint.address.family() == IpAddress::Family::kV4 ? AF_INET : AF_INET6;
  const int type = endpoint.protocol == TransportProtocol::kTcp ? SOCK_STREAM : SOCK_DGRAM;
  Socket socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket && family == AF_INET6) {
    const int one = 1;
    setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  }
  return socket;
}

Socket bind_socket(const Endpoint& endpoint) {
  Socket socket = open_socket(endpoint);
  if (!socket) throw std::system_error(errno, std::generic_category(), "no socket for " + endpoint.to_string());
  if (endpoint.protocol == TransportProtocol::kTcp) {
    const int one = 1;
    setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  }
  sockaddr_storage address{};
  const socklen_t length = endpoint.to_sockaddr(address);
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot bind " + endpoint.to_string());
  }
  return socket;
}

Endpoint bound_endpoint(TransportProtocol protocol, const Socket& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::system_error(errno, std::generic_category(), "getsockname");
  }
  return Endpoint::from_sockaddr(protocol, address);
}

}  // namespace callpark::sip
