// TCP listeners and connections. A connection is found by its remote endpoint and made if there is none. It is closed
// if its peer does not read, does not finish a message, or is idle for too long. Knows framing, but not SIP.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "parkd/transport/endpoint.h"
#include "parkd/transport/socket.h"
#include "parkd/transport/stream_framer.h"

namespace callpark::sip {

struct TcpSettings {
  std::size_t connections_max = 256;
  std::size_t write_queue_bytes_max = 1024 * 1024;
  Duration connect_timeout{5000};
  Duration message_timeout{10000};
  Duration idle_timeout{600000};
  Duration accept_pause{100};
};

struct TcpCounters {
  std::uint64_t accepted = 0;
  std::uint64_t connected = 0;
  std::uint64_t unknown_peers = 0;
  std::uint64_t refused = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t accept_pauses = 0;
};

/// Called from the loop only, never from inside a call of the transport.
class TcpUser {
 public:
  virtual ~TcpUser() = default;
  virtual bool is_peer(const IpAddress& address) const = 0;
  /// One whole message.
  virtual void on_stream_message(std::string_view bytes, const Endpoint& source) = 0;
  /// The stream of this connection can no longer be read. What is sent to `source` now is still sent, then the
  /// connection is closed. `head`: start line and headers of the faulty message, or empty.
  virtual void on_stream_error(FramingError error, std::string_view head, const Endpoint& source) = 0;
  /// The connection could not be made, or has ended; data that was sent last may be lost.
  virtual void on_connection_lost(const Endpoint& remote) = 0;
};

class TcpTransport {
 public:
  TcpTransport(EventLoop& loop, TcpSettings settings);
  ~TcpTransport();
  TcpTransport(const TcpTransport&) = delete;
  TcpTransport& operator=(const TcpTransport&) = delete;

  /// Binds and listens. Throws std::system_error.
  Endpoint listen(const Endpoint& endpoint);
  /// Begins to accept.
  void start(TcpUser& user);

  bool is_connected(const Endpoint& remote) const { return connections_.contains(remote); }
  /// Sends by the connection to `destination`; makes one from the address `from` if there is none. Returns false if
  /// that is impossible or too much is queued already.
  bool send(std::string_view bytes, const Endpoint& destination, const IpAddress& from);

  std::size_t connections() const noexcept { return connections_.size(); }
  const TcpCounters& counters() const noexcept { return counters_; }

 private:
  struct Listener;
  struct Connection;

  void accept_all(Listener& listener);
  void pause(Listener& listener);
  Connection* connect(const Endpoint& destination, const IpAddress& from);
  Connection& add(Socket socket, const Endpoint& remote);
  void watch(Connection& connection);
  void on_ready(Connection& connection, bool readable, bool writable);
  bool finish_connecting(Connection& connection);
  void read(Connection& connection);
  void take_messages(Connection& connection);
  bool flush(Connection& connection);
  void end(Connection& connection);
  void lose(Connection& connection);
  void remove(Connection& connection);
  void bury();
  void sweep();
  bool is_stuck(const Connection& connection, MonotonicTime now) const;

  EventLoop& loop_;
  const TcpSettings settings_;
  std::vector<char> read_buffer_;
  TcpUser* user_ = nullptr;
  TcpCounters counters_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<Endpoint, std::unique_ptr<Connection>> connections_;
  // Ended connections may still be in a call further up the stack, so they are kept until the loop's next iteration.
  std::vector<std::unique_ptr<Connection>> ended_;
  std::vector<Endpoint> lost_;
  LoopHandle burial_;
  LoopHandle sweeper_;
};

}  // namespace callpark::sip
