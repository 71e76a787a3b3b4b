// A UDP socket of the test equipment, bound to a loopback address, with the kernel's own time of each arrival.
#pragma once

#include <netinet/in.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace callpark::test {

/// "127.0.0.1:5060" in its parts.
struct Endpoint {
  std::string address;
  uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
  [[nodiscard]] std::string text() const { return address + ":" + std::to_string(port); }
};

struct Datagram {
  std::string bytes;
  Endpoint from;
  std::chrono::system_clock::time_point arrived;
};

class UdpSocket {
 public:
  /// Port 0: any even one, as RTP wants it. Throws std::runtime_error when the port is in use.
  explicit UdpSocket(const Endpoint& own);
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;
  ~UdpSocket();

  [[nodiscard]] const Endpoint& own() const { return own_; }
  [[nodiscard]] int fd() const { return fd_; }
  /// Does not wait; a full buffer or an unreachable port loses the datagram, as the network would.
  void send(const std::string& bytes, const Endpoint& to);
  /// Waits up to `timeout`; empty when nothing came.
  std::optional<Datagram> receive(std::chrono::milliseconds timeout);

 private:
  int fd_ = -1;
  Endpoint own_;
};

sockaddr_in to_sockaddr(const Endpoint& endpoint);
Endpoint to_endpoint(const sockaddr_in& address);

}  // namespace callpark::test
