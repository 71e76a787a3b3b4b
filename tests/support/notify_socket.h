// What a service manager hears of a daemon: a datagram socket for NOTIFY_SOCKET.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <string>

namespace callpark::test {

class NotifySocket {
 public:
  NotifySocket() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof address.sun_family;  // without a name, the kernel finds an abstract one
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0) throw std::runtime_error("no socket");
    length = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length);
    name_ = "@" + std::string(address.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1);
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket() { close(fd_); }

  /// The value of NOTIFY_SOCKET.
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The next message; empty if there is none yet.
  std::string receive() {
    char bytes[4096];
    const auto count = recv(fd_, bytes, sizeof bytes, 0);
    return count > 0 ? std::string(bytes, static_cast<std::size_t>(count)) : std::string();
  }
  /// Reads up to a message that contains `part`, which is returned; empty if it is not there yet.
  std::string find(const std::string& part) {
    for (;;) {
      std::string message = receive();
      if (message.empty() || message.find(part) != std::string::npos) return message;
    }
  }
  void forget() {
    while (!receive().empty()) {
    }
  }

 private:
  int fd_;
  std::string name_;
};

}  // namespace callpark::test
