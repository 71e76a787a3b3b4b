// How a test's user agent sends and receives whole SIP messages: UDP from an address of its own, or one TCP connection.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/udp_socket.h"

namespace callpark::test {

class SipWire {
 public:
  SipWire() = default;
  SipWire(const SipWire&) = delete;
  SipWire& operator=(const SipWire&) = delete;
  virtual ~SipWire() = default;

  virtual void send(const std::string& message) = 0;
  /// Waits up to `timeout`; empty when nothing came.
  virtual std::optional<std::string> receive(std::chrono::milliseconds timeout) = 0;
  /// Where it is reached.
  [[nodiscard]] virtual Endpoint own() const = 0;
  /// "UDP", "TCP".
  [[nodiscard]] virtual std::string transport() const = 0;
};

/// Throws std::runtime_error when the port is in use.
std::unique_ptr<SipWire> udp_wire(const Endpoint& own, const Endpoint& proxy);
/// Throws std::runtime_error when the connection is refused.
std::unique_ptr<SipWire> tcp_wire(const std::string& own_address, const Endpoint& proxy);

}  // namespace callpark::test
