#include "tests/support/tcp_socket.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/support/sip_text.h"

namespace callpark::test {
namespace {

constexpr int kWaitingConnections = 8;
constexpr std::string_view kAnswer = "SIP/2.0 ";

int bound_socket(const Endpoint& own) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in address = to_sockaddr(own);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    throw std::runtime_error("cannot bind TCP " + own.text());
  }
  return fd;
}

std::string first_via(const SipText& message) {
  const auto vias = message.headers("Via");
  return vias.empty() ? "" : vias.front();
}

}  // namespace

TcpSocket::TcpSocket(const Endpoint& own, Endpoint proxy, bool listens) : own_(own), proxy_(std::move(proxy)) {
  if (!listens) return;
  listener_ = bound_socket(own_);
  if (listen(listener_, kWaitingConnections) != 0) throw std::runtime_error("cannot listen at TCP " + own_.text());
}

TcpSocket::~TcpSocket() {
  disconnect();
  if (listener_ >= 0) close(listener_);
}

int TcpSocket::own_connection() {
  if (outgoing_ >= 0) return outgoing_;
  const int fd = bound_socket({own_.address, 0});
  const sockaddr_in remote = to_sockaddr(proxy_);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&remote), sizeof remote) != 0) {
    close(fd);
    return -1;
  }
  buffers_[fd];
  outgoing_ = fd;
  return fd;
}

void TcpSocket::send(const std::string& text) {
  const std::lock_guard lock(mutex_);
  int fd = -1;
  if (text.starts_with(kAnswer)) {
    const auto way = ways_back_.find(first_via(SipText(text)));
    fd = way != ways_back_.end() && buffers_.contains(way->second) ? way->second : -1;
  }
  if (fd < 0) fd = own_connection();
  if (fd >= 0) ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

// RFC 3261 18.3: Content-Length shows where a message ends.
std::optional<std::string> TcpSocket::first_message(int fd) {
  std::string& buffer = buffers_[fd];
  const auto head_end = buffer.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  const std::string length = SipText(buffer.substr(0, head_end + 4)).header("Content-Length");
  const std::size_t size = head_end + 4 + (length.empty() ? 0 : std::stoul(length));
  if (buffer.size() < size) return std::nullopt;
  std::string text = buffer.substr(0, size);
  buffer.erase(0, size);
  if (!text.starts_with(kAnswer)) ways_back_[first_via(SipText(text))] = fd;
  return text;
}

void TcpSocket::drop(int fd) {
  close(fd);
  buffers_.erase(fd);
  if (outgoing_ == fd) outgoing_ = -1;
}

std::optional<std::string> TcpSocket::receive(std::chrono::milliseconds timeout) {
  std::vector<pollfd> waiting;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [fd, buffer] : buffers_) {
      if (auto message = first_message(fd)) return message;
      waiting.push_back({fd, POLLIN, 0});
    }
  }
  if (listener_ >= 0) waiting.push_back({listener_, POLLIN, 0});
  if (poll(waiting.data(), waiting.size(), static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  for (const auto& one : waiting) {
    if ((one.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    if (one.fd == listener_) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        buffers_[fd];
        ++accepted_;
      }
      continue;
    }
    if (!buffers_.contains(one.fd)) continue;
    char bytes[65536];
    const ssize_t got = recv(one.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) {
      drop(one.fd);
      continue;
    }
    buffers_[one.fd].append(bytes, static_cast<std::size_t>(got));
    if (auto message = first_message(one.fd)) return message;
  }
  return std::nullopt;
}

void TcpSocket::disconnect() {
  const std::lock_guard lock(mutex_);
  while (!buffers_.empty()) drop(buffers_.begin()->first);
}

int TcpSocket::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::size_t TcpSocket::connections() const {
  const std::lock_guard lock(mutex_);
  return buffers_.size();
}

}  // namespace callpark::test
