#include "tests/support/sip_wire.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/support/sip_text.h"

namespace callpark::test {
namespace {

class UdpWire : public SipWire {
 public:
  UdpWire(const Endpoint& own, Endpoint proxy) : socket_(own), proxy_(std::move(proxy)) {}
  void send(const std::string& message) override { socket_.send(message, proxy_); }
  std::optional<std::string> receive(std::chrono::milliseconds timeout) override {
    const auto datagram = socket_.receive(timeout);
    return datagram ? std::optional(datagram->bytes) : std::nullopt;
  }
  [[nodiscard]] Endpoint own() const override { return socket_.own(); }
  [[nodiscard]] std::string transport() const override { return "UDP"; }

 private:
  UdpSocket socket_;
  const Endpoint proxy_;
};

class TcpWire : public SipWire {
 public:
  TcpWire(const std::string& own_address, const Endpoint& proxy) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in own = to_sockaddr({own_address, 0});
    const sockaddr_in remote = to_sockaddr(proxy);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
        connect(fd_, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0) {
      close(fd_);
      throw std::runtime_error("no TCP connection to " + proxy.text() + ": " + strerror(errno));
    }
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &size);
    own_ = to_endpoint(bound);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  TcpWire(const TcpWire&) = delete;
  TcpWire& operator=(const TcpWire&) = delete;
  ~TcpWire() override { close(fd_); }

  void send(const std::string& message) override { ::send(fd_, message.data(), message.size(), MSG_NOSIGNAL); }

  std::optional<std::string> receive(std::chrono::milliseconds timeout) override {
    if (auto message = first_message()) return message;
    pollfd waiting{fd_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
    char bytes[65536];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      // A closed connection is not asked again and again.
      poll(nullptr, 0, static_cast<int>(timeout.count()));
      return std::nullopt;
    }
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return first_message();
  }
  [[nodiscard]] Endpoint own() const override { return own_; }
  [[nodiscard]] std::string transport() const override { return "TCP"; }

 private:
  // RFC 3261 18.3: Content-Length shows where a message ends.
  std::optional<std::string> first_message() {
    const auto head_end = buffer_.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::nullopt;
    const std::string length = SipText(buffer_.substr(0, head_end + 4)).header("Content-Length");
    const std::size_t size = head_end + 4 + (length.empty() ? 0 : std::stoul(length));
    if (buffer_.size() < size) return std::nullopt;
    std::string message = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return message;
  }

  int fd_;
  Endpoint own_;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<SipWire> udp_wire(const Endpoint& own, const Endpoint& proxy) {
  return std::make_unique<UdpWire>(own, proxy);
}

std::unique_ptr<SipWire> tcp_wire(const std::string& own_address, const Endpoint& proxy) {
  return std::make_unique<TcpWire>(own_address, proxy);
}

}  // namespace callpark::test
