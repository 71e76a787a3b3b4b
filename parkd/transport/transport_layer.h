// Owns the sockets: sends messages by UDP or TCP and delivers the well-formed ones of configured peers. A malformed
// message is answered 400 without state if possible, else dropped; everything is counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "parkd/transport/endpoint.h"
#include "parkd/transport/message_transport.h"

namespace callpark::sip {

struct TransportSettings {
  /// The addresses to listen on, one socket each; port 0 lets the kernel choose. An unspecified address (0.0.0.0) is
  /// refused, because Via and Contact must name an address.
  std::vector<Endpoint> listen;
  /// Messages and connections from other addresses are dropped. If empty, all are dropped.
  std::vector<IpAddress> peers;
  /// If set, the UDP socket of a peer: a datagram from its address, but from another port, is dropped like that of an
  /// unknown peer. Connections come from any port.
  std::optional<Endpoint> peer_socket;
  std::size_t tcp_connections_max = 256;
  /// The most unsent data of one connection. A connection with more is closed.
  std::size_t tcp_write_queue_bytes_max = 1024 * 1024;
  Duration tcp_connect_timeout{5000};
  /// The time from the first to the last byte of a message.
  Duration tcp_message_timeout{10000};
  Duration tcp_idle_timeout{600000};
};

struct TransportCounters {
  std::uint64_t received = 0;  // well-formed messages handed up
  std::uint64_t sent = 0;
  std::uint64_t send_failures = 0;
  std::uint64_t malformed_dropped = 0;
  std::uint64_t malformed_answered = 0;
  std::uint64_t unknown_peers_dropped = 0;  // datagrams and connections of others than the peers
  std::uint64_t responses_not_ours = 0;     // responses with a foreign topmost Via
  std::uint64_t udp_lost = 0;               // datagrams that the kernel refused after send() had accepted them
  std::uint64_t tcp_accepted = 0;
  std::uint64_t tcp_connected = 0;
  std::uint64_t tcp_refused = 0;  // incoming, beyond the maximum
  std::uint64_t tcp_timed_out = 0;
  std::uint64_t accept_pauses = 0;  // no descriptor or memory left for accept
};

/// Lives on the loop's thread. The loop must outlive it.
class TransportLayer final : public MessageTransport {
 public:
  /// Binds and listens; messages wait in the kernel until start(). Throws std::system_error if that fails, and
  /// std::invalid_argument for invalid settings.
  TransportLayer(EventLoop& loop, const TransportSettings& settings);
  ~TransportLayer() override;
  TransportLayer(const TransportLayer&) = delete;
  TransportLayer& operator=(const TransportLayer&) = delete;

  /// Messages go to `user` from now on, which must outlive this object.
  void start(TransportUser& user);

  bool send(const SipMessage& message, const Endpoint& destination) override;
  std::optional<Endpoint> local_endpoint(const Endpoint& destination) const override;

  /// Returns the addresses that it listens on, in the order of the settings, with the ports that the kernel chose.
  std::vector<Endpoint> listening() const;
  std::size_t tcp_connections() const noexcept;
  const TransportCounters& counters() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark::sip
