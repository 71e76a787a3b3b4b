// SIP over TCP as a test's user agent has it: one address at which it listens, a connection of its own that it makes
// when it has something to send, and those that others have made to it.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "tests/support/udp_socket.h"

namespace callpark::test {

class TcpSocket {
 public:
  /// Throws std::runtime_error when the port is in use.
  TcpSocket(const Endpoint& own, Endpoint proxy, bool listens);
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;
  ~TcpSocket();

  /// A request goes by the connection of its own, which is made if there is none; an answer by that of its request.
  /// What cannot be sent is lost.
  void send(const std::string& text);
  /// One whole message; empty when none has come.
  std::optional<std::string> receive(std::chrono::milliseconds timeout);
  /// Ends all connections, but goes on listening.
  void disconnect();
  /// How many connections others have made.
  [[nodiscard]] int accepted() const;
  /// How many connections there are.
  [[nodiscard]] std::size_t connections() const;

 private:
  int own_connection();
  std::optional<std::string> first_message(int fd);
  void drop(int fd);

  const Endpoint own_;
  const Endpoint proxy_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  int outgoing_ = -1;
  int accepted_ = 0;
  std::map<int, std::string> buffers_;
  /// First Via of a request, and its connection.
  std::map<std::string, int> ways_back_;
};

}  // namespace callpark::test
