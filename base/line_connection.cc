#include "base/line_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/log.h"

namespace callpark {
namespace {

constexpr Duration kConnectTimeout{5000};
constexpr Duration kAcceptPause{100};

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Descriptor stream_socket(int family) {
  return Descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// A request and its answer are one small packet each; Nagle's algorithm would delay them. No-op on unix sockets.
void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::string error_text() {
  return std::strerror(errno);
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

struct LineConnection::Impl : std::enable_shared_from_this<LineConnection::Impl> {
  Impl(EventLoop& the_loop, int the_fd, LineLimits the_limits) : loop(the_loop), fd(the_fd), limits(the_limits) {
    set_no_delay(the_fd);
  }

  void on_readable() {
    const auto self = shared_from_this();  // a callback may drop the connection
    std::array<char, 16 * 1024> chunk;
    const ssize_t got = ::recv(fd.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got == 0) return end("the peer closed the connection");
    if (got < 0) {
      if (!would_block()) end("reading failed: " + error_text());
      return;
    }
    input.append(chunk.data(), static_cast<std::size_t>(got));
    hand_out_lines();
    if (is_open && input.size() > limits.line_max_bytes) end("the peer sent a line that is too long");
  }

  // Leaves an incomplete line, or one that is longer than the limit, in the buffer.
  void hand_out_lines() {
    std::size_t start = 0;
    std::size_t newline = input.find('\n', scanned);
    while (newline != std::string::npos && newline - start <= limits.line_max_bytes) {
      std::string_view line(input.data() + start, newline - start);
      if (line.ends_with('\r')) line.remove_suffix(1);
      events.on_line(line);
      if (!is_open) return;
      start = newline + 1;
      newline = input.find('\n', start);
    }
    input.erase(0, start);
    scanned = input.size();
  }

  bool send_line(std::string_view line) {
    if (!is_open || ending) return false;
    const bool idle = output.empty();
    output.append(line);
    output.push_back('\n');
    if (idle) flush();
    if (!ending && output.size() > limits.unsent_max_bytes) end_later("the peer reads too slowly");
    return true;
  }

  void flush() {
    const ssize_t sent = ::send(fd.get(), output.data(), output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && !would_block()) return end_later("writing failed: " + error_text());
    if (sent > 0) output.erase(0, static_cast<std::size_t>(sent));
    if (output.empty()) {
      writing.reset();
    } else if (!writing) {
      writing = loop.watch(fd.get(), Readiness::kWrite, [this](bool, bool) { flush(); });
    }
  }

  // The sender does not expect a callback from within its call, so the end is reported later.
  void end_later(std::string reason) {
    writing.reset();
    ending = loop.after(Duration(0), [this, reason = std::move(reason)] { end(reason); });
  }

  void end(const std::string& reason) {
    const auto self = shared_from_this();
    close();
    if (events.on_closed) events.on_closed(reason);
  }

  void close() {
    is_open = false;
    reading.reset();
    writing.reset();
    ending.reset();
    fd.reset();
  }

  EventLoop& loop;
  Descriptor fd;
  LineLimits limits;
  Events events;
  bool is_open = true;
  LoopHandle reading;
  LoopHandle writing;
  LoopHandle ending;
  std::string input;
  std::size_t scanned = 0;
  std::string output;
};

LineConnection::LineConnection(EventLoop& loop, int fd, LineLimits limits)
    : impl_(std::make_shared<Impl>(loop, fd, limits)) {}

LineConnection::~LineConnection() {
  close();
}

LineConnection::LineConnection(LineConnection&&) noexcept = default;

LineConnection& LineConnection::operator=(LineConnection&& other) noexcept {
  close();
  impl_ = std::move(other.impl_);
  return *this;
}

void LineConnection::start(Events events) {
  impl_->events = std::move(events);
  impl_->reading =
      impl_->loop.watch(impl_->fd.get(), Readiness::kRead, [impl = impl_.get()](bool, bool) { impl->on_readable(); });
}

bool LineConnection::send_line(std::string_view line) {
  return impl_->send_line(line);
}

void LineConnection::close() {
  if (impl_) impl_->close();
}

bool LineConnection::is_open() const {
  return impl_->is_open;
}

struct LineServer::Impl {
  Impl(EventLoop& the_loop, Descriptor the_fd, OnAccept the_on_accept, LineLimits the_limits)
      : loop(the_loop), fd(std::move(the_fd)), on_accept(std::move(the_on_accept)), limits(the_limits) {
    watch();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (!socket_file.empty()) unlink(socket_file.c_str());
  }

  void watch() {
    accepting = loop.watch(fd.get(), Readiness::kRead, [this](bool, bool) { accept_one(); });
  }

  void accept_one() {
    const int accepted = accept4(fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted >= 0) return on_accept(LineConnection(loop, accepted, limits));
    if (would_block() || errno == ECONNABORTED) return;
    // The usual cause is a lack of descriptors. The waiting connection stays readable, so without a pause the loop
    // would spin.
    log_error({}, "cannot accept a connection, trying again: {}", error_text());
    accepting = loop.after(kAcceptPause, [this] { watch(); });
  }

  EventLoop& loop;
  Descriptor fd;
  OnAccept on_accept;
  LineLimits limits;
  std::string socket_file;
  LoopHandle accepting;
};

LineServer::LineServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LineServer::LineServer(LineServer&&) noexcept = default;
LineServer& LineServer::operator=(LineServer&&) noexcept = default;
LineServer::~LineServer() = default;

namespace {

// A socket file outlives a process that was killed; only a file that refuses connections may be removed.
void remove_stale_socket(const SocketAddress& address) {
  const Descriptor probe = stream_socket(AF_UNIX);
  if (connect(probe.get(), address.data(), address.length()) != 0 && errno == ECONNREFUSED) {
    unlink(address.host().c_str());
  }
}

}  // namespace

Result<LineServer, std::string> LineServer::listen(EventLoop& loop, const SocketAddress& address, OnAccept on_accept,
                                                   LineLimits limits) {
  const auto failed = [&address] { return failure("cannot listen on " + address.to_string() + ": " + error_text()); };
  Descriptor fd = stream_socket(address.family());
  if (fd.get() < 0) return failed();
  if (address.is_unix()) {
    remove_stale_socket(address);
  } else {
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  }
  if (bind(fd.get(), address.data(), address.length()) != 0) return failed();
  // Only owner and group may connect, and no process can connect before listen().
  if (address.is_unix() && chmod(address.host().c_str(), 0660) != 0) return failed();
  if (::listen(fd.get(), SOMAXCONN) != 0) return failed();
  auto impl = std::make_unique<Impl>(loop, std::move(fd), std::move(on_accept), limits);
  if (address.is_unix()) impl->socket_file = address.host();
  return LineServer(std::move(impl));
}

SocketAddress LineServer::address() const {
  sockaddr_storage taken{};
  socklen_t length = sizeof taken;
  getsockname(impl_->fd.get(), reinterpret_cast<sockaddr*>(&taken), &length);
  return SocketAddress::of(reinterpret_cast<const sockaddr*>(&taken), length);
}

struct LineClient::Impl : std::enable_shared_from_this<LineClient::Impl> {
  Impl(EventLoop& the_loop, const SocketAddress& the_address, Duration the_retry, LineLimits the_limits)
      : loop(the_loop), address(the_address), retry(the_retry), limits(the_limits) {}

  void connect_after(Duration delay) {
    timer = loop.after(delay, [this] { connect_now(); });
  }

  void connect_now() {
    pending = stream_socket(address.family());
    if (pending.get() < 0) return attempt_failed(error_text());
    if (::connect(pending.get(), address.data(), address.length()) == 0) return connected();
    if (errno != EINPROGRESS) return attempt_failed(error_text());
    connecting = loop.watch(pending.get(), Readiness::kWrite, [this](bool, bool) { finish_connecting(); });
    timer = loop.after(kConnectTimeout, [this] { attempt_failed("no answer"); });
  }

  void finish_connecting() {
    connecting.reset();
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(pending.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return attempt_failed(std::strerror(error));
    if (is_connected_to_itself()) return attempt_failed("no process listens there");
    connected();
  }

  // A connection to a free local port can meet its own SYN if the kernel chooses that port as the source.
  bool is_connected_to_itself() const {
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    getsockname(pending.get(), reinterpret_cast<sockaddr*>(&own), &length);
    return !address.is_unix() && SocketAddress::of(reinterpret_cast<const sockaddr*>(&own), length) == address;
  }

  void attempt_failed(const std::string& reason) {
    connecting.reset();
    pending.reset();
    if (!failure_logged) log_warning({}, "cannot connect to {}, trying on: {}", address.to_string(), reason);
    failure_logged = true;
    connect_after(retry);
  }

  void connected() {
    const auto self = shared_from_this();
    timer.reset();
    failure_logged = false;
    connection.emplace(loop, pending.release(), limits);
    connection->start({[this](std::string_view line) { events.on_line(line); },
                       [this](const std::string& reason) { ended(reason); }});
    if (events.on_connected) events.on_connected();
  }

  void ended(const std::string& reason) {
    const auto self = shared_from_this();
    connection.reset();
    connect_after(retry);
    if (events.on_closed) events.on_closed(reason);
  }

  void stop() {
    timer.reset();
    connecting.reset();
    connection.reset();
  }

  EventLoop& loop;
  SocketAddress address;
  Duration retry;
  LineLimits limits;
  Events events;
  Descriptor pending;
  LoopHandle connecting;
  LoopHandle timer;
  std::optional<LineConnection> connection;
  bool failure_logged = false;
};

LineClient::LineClient(EventLoop& loop, const SocketAddress& address, Duration retry, LineLimits limits)
    : impl_(std::make_shared<Impl>(loop, address, retry, limits)) {}

LineClient::~LineClient() {
  impl_->stop();
}

void LineClient::start(Events events) {
  impl_->events = std::move(events);
  impl_->connect_after(Duration(0));
}

bool LineClient::send_line(std::string_view line) {
  return is_connected() && impl_->connection->send_line(line);
}

bool LineClient::is_connected() const {
  return impl_->connection.has_value();
}

void LineClient::reconnect(const std::string& reason) {
  if (is_connected()) impl_->ended(reason);
}

}  // namespace callpark
