#include "tests/support/udp_socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>

namespace callpark::test {
namespace {

bool bind_to(int fd, const Endpoint& endpoint) {
  const sockaddr_in address = to_sockaddr(endpoint);
  return bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// RFC 3550 11: RTP has an even port and RTCP the next one.
bool bind_to_even_port(int fd, Endpoint& endpoint) {
  std::random_device random;
  for (int attempt = 0; attempt < 200; ++attempt) {
    endpoint.port = static_cast<uint16_t>(40000 + 2 * (random() % 10000));
    if (bind_to(fd, endpoint)) return true;
  }
  return false;
}

}  // namespace

sockaddr_in to_sockaddr(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  inet_pton(AF_INET, endpoint.address.c_str(), &address.sin_addr);
  return address;
}

Endpoint to_endpoint(const sockaddr_in& address) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return {text, ntohs(address.sin_port)};
}

UdpSocket::UdpSocket(const Endpoint& own) : own_(own) {
  fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool bound = own_.port == 0 ? bind_to_even_port(fd_, own_) : bind_to(fd_, own_);
  if (!bound) {
    close(fd_);
    throw std::runtime_error("cannot bind " + own_.text() + ": " + strerror(errno));
  }
  const int on = 1;
  setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  const int buffer_bytes = 1 << 20;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
}

UdpSocket::~UdpSocket() {
  close(fd_);
}

void UdpSocket::send(const std::string& bytes, const Endpoint& to) {
  const sockaddr_in address = to_sockaddr(to);
  sendto(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
         sizeof address);
}

std::optional<Datagram> UdpSocket::receive(std::chrono::milliseconds timeout) {
  pollfd waiting{fd_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  char bytes[65536];
  iovec part{bytes, sizeof bytes};
  sockaddr_in from{};
  alignas(cmsghdr) char control[256];
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(fd_, &message, MSG_DONTWAIT);
  if (got < 0) return std::nullopt;
  auto arrived = std::chrono::system_clock::now();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec stamp{};
    memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
    arrived = std::chrono::system_clock::time_point(std::chrono::seconds(stamp.tv_sec) +
                                                    std::chrono::nanoseconds(stamp.tv_nsec));
  }
  return Datagram{std::string(bytes, static_cast<size_t>(got)), to_endpoint(from), arrived};
}

}  // namespace callpark::test
