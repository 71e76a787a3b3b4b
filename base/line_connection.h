// Lines of text over a unix or TCP stream on the event loop: one connection, a server that accepts connections, and a
// client that reconnects for as long as it lives. The user gives the lines their meaning.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "base/socket_address.h"

namespace callpark {

struct LineLimits {
  /// The longest line, without its newline. A peer that sends a longer one is disconnected.
  std::size_t line_max_bytes = 64 * 1024;
  /// The most data that may wait to be written. A peer that reads too slowly for it is disconnected.
  std::size_t unsent_max_bytes = 4 * 1024 * 1024;
};

/// A connected stream. Its destructor closes it without a callback; either callback may destroy it. For the loop's
/// thread only.
class LineConnection {
 public:
  struct Events {
    /// A line without its newline (and without a carriage return before that). Valid during the call.
    std::function<void(std::string_view line)> on_line;
    /// Called once when the stream ends for any reason but close() and the destructor. The reason is a sentence.
    std::function<void(const std::string& reason)> on_closed;
  };

  /// Owns `fd`, a connected stream socket, from now on.
  LineConnection(EventLoop& loop, int fd, LineLimits limits = {});
  ~LineConnection();
  LineConnection(LineConnection&&) noexcept;
  LineConnection& operator=(LineConnection&&) noexcept;

  /// Called once; nothing is read before.
  void start(Events events);
  /// Sends `line` and a newline; `line` must hold no newline. Queued lines leave in order. Returns false if the stream
  /// has ended already; an error while sending is reported by on_closed, later.
  bool send_line(std::string_view line);
  void close();
  bool is_open() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

/// Accepts connections and passes each to its user.
class LineServer {
 public:
  using OnAccept = std::function<void(LineConnection connection)>;

  /// Port 0 lets the kernel choose one. A unix socket's path is reused if no process listens on it any more; the
  /// destructor removes the file. The error is a sentence.
  static Result<LineServer, std::string> listen(EventLoop& loop, const SocketAddress& address, OnAccept on_accept,
                                                LineLimits limits = {});
  ~LineServer();
  LineServer(LineServer&&) noexcept;
  LineServer& operator=(LineServer&&) noexcept;

  /// The address that it listens on, with the port that the kernel chose.
  SocketAddress address() const;

  struct Impl;
  explicit LineServer(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

/// Keeps one connection to `address` up: connects, and reconnects `retry` after each failure or end.
class LineClient {
 public:
  struct Events {
    /// Called each time a connection is established; lines may be sent from now on.
    std::function<void()> on_connected;
    std::function<void(std::string_view line)> on_line;
    /// Called when an established connection has ended; not called for a failed attempt.
    std::function<void(const std::string& reason)> on_closed;
  };

  LineClient(EventLoop& loop, const SocketAddress& address, Duration retry, LineLimits limits = {});
  ~LineClient();
  LineClient(const LineClient&) = delete;
  LineClient& operator=(const LineClient&) = delete;

  /// Called once. The first attempt is made in the next iteration of the loop.
  void start(Events events);
  /// Returns false while not connected: the line is dropped, since an answer would belong to another connection.
  bool send_line(std::string_view line);
  bool is_connected() const;
  /// Ends this connection (on_closed is called) and connects again, for a peer that sends invalid answers.
  void reconnect(const std::string& reason);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace callpark
