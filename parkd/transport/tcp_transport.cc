#include "parkd/transport/tcp_transport.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

namespace callpark::sip {
namespace {

constexpr std::size_t kReadBytes = 64UL * 1024;
// After this many reads the other sockets and the timers are served.
constexpr int kReadsAtOnce = 4;
constexpr int kAcceptsAtOnce = 64;
constexpr std::string_view kPong = "\r\n";

void set_no_delay(const Socket& socket) {
  const int one = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

}  // namespace

struct TcpTransport::Listener {
  Socket socket;
  LoopHandle accept_watch;
  LoopHandle pause_end;
};

struct TcpTransport::Connection {
  enum class State : std::uint8_t {
    kConnecting,
    kOpen,
    kClosing,  // queued data is still sent; received data is dropped
    kEnded,
  };

  Endpoint remote;
  Socket socket;
  State state = State::kOpen;
  StreamFramer framer;
  std::string queue;  // unsent data begins at `queue_begin`
  std::size_t queue_begin = 0;
  bool watches_write = false;
  MonotonicTime since = monotonic_now();  // when this state began
  MonotonicTime active = since;           // when a byte last came or went
  std::optional<MonotonicTime> message_began;
  LoopHandle ready_watch;

  std::size_t queued() const noexcept { return queue.size() - queue_begin; }
};

TcpTransport::TcpTransport(EventLoop& loop, TcpSettings settings)
    : loop_(loop), settings_(settings), read_buffer_(kReadBytes) {}

TcpTransport::~TcpTransport() = default;

Endpoint TcpTransport::listen(const Endpoint& endpoint) {
  auto listener = std::make_unique<Listener>();
  listener->socket = bind_socket(endpoint);
  if (::listen(listener->socket.fd(), SOMAXCONN) != 0) {
    throw std::system_error(errno, std::generic_category(), "cannot listen on " + endpoint.to_string());
  }
  const Endpoint bound = bound_endpoint(TransportProtocol::kTcp, listener->socket);
  listeners_.push_back(std::move(listener));
  return bound;
}

void TcpTransport::start(TcpUser& user) {
  user_ = &user;
  for (const auto& listener : listeners_) {
    listener->accept_watch = loop_.watch(listener->socket.fd(), Readiness::kRead,
                                         [this, &listener = *listener](bool, bool) { accept_all(listener); });
  }
  const Duration shortest = std::min({settings_.connect_timeout, settings_.message_timeout, settings_.idle_timeout});
  sweeper_ = loop_.every(std::clamp(shortest / 4, Duration(5), Duration(1000)), [this] { sweep(); });
}

void TcpTransport::accept_all(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    Socket socket(
        accept4(listener.socket.fd(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause(listener);
      return;
    }
    const Endpoint remote = Endpoint::from_sockaddr(TransportProtocol::kTcp, address);
    if (!user_->is_peer(remote.address)) {
      ++counters_.unknown_peers;
    } else if (connections_.size() >= settings_.connections_max) {
      ++counters_.refused;
    } else {
      ++counters_.accepted;
      watch(add(std::move(socket), remote));
    }
  }
}

// A connection that cannot be accepted stays in the kernel's queue and keeps the listener readable: without a pause the
// loop would spin until a descriptor is free.
void TcpTransport::pause(Listener& listener) {
  ++counters_.accept_pauses;
  listener.accept_watch.reset();
  listener.pause_end = loop_.after(settings_.accept_pause, [this, &listener] {
    listener.accept_watch =
        loop_.watch(listener.socket.fd(), Readiness::kRead, [this, &listener](bool, bool) { accept_all(listener); });
  });
}

TcpTransport::Connection& TcpTransport::add(Socket socket, const Endpoint& remote) {
  set_no_delay(socket);
  auto connection = std::make_unique<Connection>();
  connection->remote = remote;
  connection->socket = std::move(socket);
  Connection& added = *connection;
  auto& place = connections_[remote];
  // The kernel has reused this remote endpoint, so the old connection of that name is dead.
  if (place) {
    place->state = Connection::State::kEnded;
    place->ready_watch.reset();
    ended_.push_back(std::move(place));
    bury();
  }
  place = std::move(connection);
  return added;
}

TcpTransport::Connection* TcpTransport::connect(const Endpoint& destination, const IpAddress& from) {
  if (connections_.size() >= settings_.connections_max) return nullptr;
  Socket socket = open_socket(destination);
  if (!socket) return nullptr;
  sockaddr_storage address{};
  // The peer knows parkd by this address, so the kernel must not choose another one.
  socklen_t length = Endpoint{TransportProtocol::kTcp, from, 0}.to_sockaddr(address);
  if (bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return nullptr;
  length = destination.to_sockaddr(address);
  const int result = ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), length);
  if (result != 0 && errno != EINPROGRESS) return nullptr;
  Connection& connection = add(std::move(socket), destination);
  // Even if connect() succeeds at once, the loop's first "writable" reports it: one path for both cases.
  connection.state = Connection::State::kConnecting;
  watch(connection);
  return &connection;
}

void TcpTransport::watch(Connection& connection) {
  connection.watches_write = connection.state == Connection::State::kConnecting || connection.queued() > 0;
  connection.ready_watch =
      loop_.watch(connection.socket.fd(), connection.watches_write ? Readiness::kReadWrite : Readiness::kRead,
                  [this, &connection](bool readable, bool writable) { on_ready(connection, readable, writable); });
}

void TcpTransport::on_ready(Connection& connection, bool readable, bool writable) {
  if (connection.state == Connection::State::kConnecting && !finish_connecting(connection)) return;
  if (writable && !flush(connection)) return;
  if (readable) read(connection);
}

bool TcpTransport::finish_connecting(Connection& connection) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(connection.socket.fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
    lose(connection);
    return false;
  }
  ++counters_.connected;
  connection.state = Connection::State::kOpen;
  connection.since = connection.active = monotonic_now();
  return true;
}

void TcpTransport::read(Connection& connection) {
  for (int i = 0; i < kReadsAtOnce; ++i) {
    const auto count = recv(connection.socket.fd(), read_buffer_.data(), read_buffer_.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end(connection);
    connection.active = monotonic_now();
    if (connection.state == Connection::State::kClosing) continue;
    connection.framer.push({read_buffer_.data(), static_cast<std::size_t>(count)});
    take_messages(connection);
    if (connection.state != Connection::State::kOpen) return;
    if (static_cast<std::size_t>(count) < read_buffer_.size()) return;
  }
}

void TcpTransport::take_messages(Connection& connection) {
  using Kind = StreamFramer::Frame::Kind;
  while (connection.state == Connection::State::kOpen) {
    const auto frame = connection.framer.next();
    switch (frame.kind) {
      case Kind::kMore:
        if (!connection.framer.is_inside_message()) {
          connection.message_began.reset();
        } else if (!connection.message_began) {
          connection.message_began = connection.active;
        }
        return;
      case Kind::kMessage:
        connection.message_began.reset();
        user_->on_stream_message(frame.bytes, connection.remote);
        break;
      case Kind::kPing:
        send(kPong, connection.remote, {});
        break;
      case Kind::kError:
        user_->on_stream_error(*frame.error, frame.bytes, connection.remote);
        if (connection.state != Connection::State::kOpen) return;
        connection.state = Connection::State::kClosing;
        connection.since = monotonic_now();
        flush(connection);
        return;
    }
  }
}

bool TcpTransport::send(std::string_view bytes, const Endpoint& destination, const IpAddress& from) {
  const auto found = connections_.find(destination);
  Connection* connection = found != connections_.end() ? found->second.get() : connect(destination, from);
  if (connection == nullptr || connection->state == Connection::State::kClosing) return false;
  if (connection->queued() + bytes.size() > settings_.write_queue_bytes_max) {
    lose(*connection);
    return false;
  }
  connection->queue.append(bytes);
  if (connection->state == Connection::State::kConnecting || connection->watches_write) return true;
  return flush(*connection);
}

// Writes what the kernel accepts. Returns false if the connection is lost by that.
bool TcpTransport::flush(Connection& connection) {
  while (connection.queued() > 0) {
    const auto count = ::send(connection.socket.fd(), connection.queue.data() + connection.queue_begin,
                              connection.queued(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) {
      lose(connection);
      return false;
    }
    connection.queue_begin += static_cast<std::size_t>(count);
    connection.active = monotonic_now();
  }
  if (connection.queued() == 0 || connection.queue_begin > kReadBytes) {
    connection.queue.erase(0, connection.queue_begin);
    connection.queue_begin = 0;
  }
  if (connection.watches_write != (connection.queued() > 0)) watch(connection);
  // close() would discard by a reset what the peer has not read yet; after shutdown() the peer ends the connection.
  if (connection.state == Connection::State::kClosing && connection.queued() == 0) {
    shutdown(connection.socket.fd(), SHUT_WR);
  }
  return true;
}

// A connection that is being closed and has nothing left to send ends without a report.
void TcpTransport::end(Connection& connection) {
  if (connection.state == Connection::State::kClosing && connection.queued() == 0) {
    remove(connection);
  } else {
    lose(connection);
  }
}

void TcpTransport::lose(Connection& connection) {
  if (connection.state == Connection::State::kEnded) return;
  lost_.push_back(connection.remote);
  remove(connection);
}

void TcpTransport::remove(Connection& connection) {
  connection.state = Connection::State::kEnded;
  connection.ready_watch.reset();
  auto node = connections_.extract(connection.remote);
  ended_.push_back(std::move(node.mapped()));
  bury();
}

void TcpTransport::bury() {
  if (burial_) return;
  burial_ = loop_.after(Duration::zero(), [this] {
    burial_.reset();
    ended_.clear();
    const auto lost = std::exchange(lost_, {});
    if (user_ == nullptr) return;
    for (const Endpoint& remote : lost) user_->on_connection_lost(remote);
  });
}

void TcpTransport::sweep() {
  const MonotonicTime now = monotonic_now();
  std::vector<Connection*> stuck;
  std::vector<Connection*> idle;
  for (const auto& [remote, connection] : connections_) {
    if (is_stuck(*connection, now)) {
      stuck.push_back(connection.get());
    } else if (now - connection->active >= settings_.idle_timeout) {
      idle.push_back(connection.get());
    }
  }
  counters_.timed_out += stuck.size() + idle.size();
  for (Connection* connection : stuck) end(*connection);
  for (Connection* connection : idle) {
    // The end is reported only if the peer never read what was queued.
    connection->queued() == 0 ? remove(*connection) : lose(*connection);
  }
}

bool TcpTransport::is_stuck(const Connection& connection, MonotonicTime now) const {
  switch (connection.state) {
    case Connection::State::kConnecting:
      return now - connection.since >= settings_.connect_timeout;
    case Connection::State::kClosing:
      return now - connection.since >= settings_.message_timeout;
    case Connection::State::kOpen:
      return connection.message_began && now - *connection.message_began >= settings_.message_timeout;
    case Connection::State::kEnded:
      break;
  }
  return false;
}

}  // namespace callpark::sip
