#include "parkd/transport/transport_layer.h"

#include <charconv>
#include <functional>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>

#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "parkd/transport/response_routing.h"
#include "parkd/transport/tcp_transport.h"
#include "parkd/transport/udp_transport.h"

namespace callpark::sip {
namespace {

constexpr std::uint16_t kDefaultPort = 5060;

TcpSettings tcp_settings(const TransportSettings& settings) {
  TcpSettings tcp;
  tcp.connections_max = settings.tcp_connections_max;
  tcp.write_queue_bytes_max = settings.tcp_write_queue_bytes_max;
  tcp.connect_timeout = settings.tcp_connect_timeout;
  tcp.message_timeout = settings.tcp_message_timeout;
  tcp.idle_timeout = settings.tcp_idle_timeout;
  return tcp;
}

// RFC 3261 8.2.7: without state the To tag must be equal each time, so it is derived from the request.
std::string stateless_tag(const SipMessage& request) {
  const std::hash<std::string_view> hash;
  const std::size_t value = hash(request.call_id()) * 31 + hash(request.top_branch());
  char text[2 * sizeof value];
  const auto end = std::to_chars(std::begin(text), std::end(text), value, 16).ptr;
  return {text, end};
}

}  // namespace

class TransportLayer::Impl final : public TcpUser {
 public:
  Impl(EventLoop& loop, const TransportSettings& settings)
      : peers_(settings.peers.begin(), settings.peers.end()),
        peer_socket_(settings.peer_socket),
        tcp_(loop, tcp_settings(settings)) {
    for (const Endpoint& endpoint : settings.listen) listen(loop, endpoint);
  }

  void start(TransportUser& user) {
    user_ = &user;
    for (const auto& udp : udp_) {
      udp->start([this](std::string_view datagram, bool whole, const Endpoint& source) {
        on_datagram(datagram, whole, source);
      });
    }
    tcp_.start(*this);
  }

  bool send(const SipMessage& message, Endpoint destination) {
    // RFC 3261 18.2.2: if the connection of the request has ended, a response goes to the address where, by its Via,
    // the peer listens.
    if (message.is_response() && destination.protocol == TransportProtocol::kTcp && !tcp_.is_connected(destination)) {
      const auto by_via = response_endpoint(message.top_via());
      if (by_via && by_via->protocol == TransportProtocol::kTcp) destination = *by_via;
    }
    const bool sent = send_bytes(write(message), destination);
    ++(sent ? counters_.sent : counters_.send_failures);
    return sent;
  }

  const Endpoint* local_endpoint(const Endpoint& destination) const {
    for (const Endpoint& local : listening_) {
      if (local.protocol == destination.protocol && local.address.family() == destination.address.family()) {
        return &local;
      }
    }
    return nullptr;
  }

  const std::vector<Endpoint>& listening() const noexcept { return listening_; }
  std::size_t tcp_connections() const noexcept { return tcp_.connections(); }

  const TransportCounters& counters() noexcept {
    const TcpCounters& tcp = tcp_.counters();
    counters_.unknown_peers_dropped = datagrams_of_unknown_peers_ + tcp.unknown_peers;
    counters_.tcp_accepted = tcp.accepted;
    counters_.tcp_connected = tcp.connected;
    counters_.tcp_refused = tcp.refused;
    counters_.tcp_timed_out = tcp.timed_out;
    counters_.accept_pauses = tcp.accept_pauses;
    counters_.udp_lost = 0;
    for (const auto& udp : udp_) counters_.udp_lost += udp->lost();
    return counters_;
  }

  bool is_peer(const IpAddress& address) const override { return peers_.contains(address); }

  void on_stream_message(std::string_view bytes, const Endpoint& source) override { on_bytes(bytes, source); }

  void on_stream_error(FramingError error, std::string_view head, const Endpoint& source) override {
    auto parsed = parse(head);
    std::optional<SipMessage> request;
    if (parsed) {
      request = std::move(*parsed);
    } else {
      request = std::move(parsed.error().request);
    }
    const int status = error == FramingError::kTooLong ? 513 : 400;
    refuse(std::move(request), status, sentence(error), source);
  }

  void on_connection_lost(const Endpoint& remote) override { user_->on_send_failure(remote); }

 private:
  // Any process of the peer's host can send from another port.
  bool is_beside_peer_socket(const Endpoint& source) const {
    return peer_socket_ && source.address == peer_socket_->address && source.port != peer_socket_->port;
  }

  void listen(EventLoop& loop, const Endpoint& endpoint) {
    if (endpoint.address.is_unspecified()) {
      throw std::invalid_argument(endpoint.to_string() + ": SIP needs an address for Via and Contact");
    }
    if (endpoint.protocol == TransportProtocol::kTcp) {
      listening_.push_back(tcp_.listen(endpoint));
    } else {
      udp_.push_back(std::make_unique<UdpTransport>(loop, endpoint));
      listening_.push_back(udp_.back()->local());
    }
  }

  void on_datagram(std::string_view datagram, bool whole, const Endpoint& source) {
    if (!is_peer(source.address) || is_beside_peer_socket(source)) {
      ++datagrams_of_unknown_peers_;
      return;
    }
    // RFC 5626 3.5.1 and common NAT keep-alives: a few bytes of empty lines or zeros only keep a mapping alive.
    if (datagram.size() <= 4 && datagram.find_first_not_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) {
      return;
    }
    if (!whole) {
      ++counters_.malformed_dropped;
      return;
    }
    on_bytes(datagram, source);
  }

  void on_bytes(std::string_view bytes, const Endpoint& source) {
    auto message = parse(bytes);
    if (!message) {
      ParseError& error = message.error();
      return refuse(std::move(error.request), error.status, error.sentence(), source);
    }
    if (message->is_request()) {
      note_source(*message, source);
    } else if (!is_via_ours(message->top_via())) {
      ++counters_.responses_not_ours;
      return;
    }
    ++counters_.received;
    user_->on_message(std::move(*message), source);
  }

  // RFC 3261 18.1.2: a response without our own address in its topmost Via is silently discarded.
  bool is_via_ours(const Via& via) const {
    const auto address = IpAddress::parse(via.host);
    if (!address) return false;
    for (const Endpoint& local : listening_) {
      if (local.address == *address && local.port == via.port.value_or(kDefaultPort)) return true;
    }
    return false;
  }

  void refuse(std::optional<SipMessage> request, int status, std::string_view reason, const Endpoint& source) {
    // RFC 3261 17.1.1.3: an ACK is never answered.
    if (!request || !request->is_request() || request->method() == method::kAck) {
      ++counters_.malformed_dropped;
      return;
    }
    note_source(*request, source);
    ++counters_.malformed_answered;
    send(make_response(*request, status, reason, stateless_tag(*request)), response_endpoint(*request, source));
  }

  bool send_bytes(std::string bytes, const Endpoint& destination) {
    const Endpoint* local = local_endpoint(destination);
    if (local == nullptr || destination.port == 0) return false;
    if (destination.protocol == TransportProtocol::kTcp) return tcp_.send(bytes, destination, local->address);
    for (const auto& udp : udp_) {
      if (udp->local() == *local) return udp->send(std::move(bytes), destination);
    }
    return false;
  }

  std::unordered_set<IpAddress> peers_;
  std::optional<Endpoint> peer_socket_;
  TransportCounters counters_;
  std::uint64_t datagrams_of_unknown_peers_ = 0;
  TransportUser* user_ = nullptr;
  std::vector<Endpoint> listening_;
  std::vector<std::unique_ptr<UdpTransport>> udp_;
  TcpTransport tcp_;
};

TransportLayer::TransportLayer(EventLoop& loop, const TransportSettings& settings)
    : impl_(std::make_unique<Impl>(loop, settings)) {}

TransportLayer::~TransportLayer() = default;

void TransportLayer::start(TransportUser& user) {
  impl_->start(user);
}

bool TransportLayer::send(const SipMessage& message, const Endpoint& destination) {
  return impl_->send(message, destination);
}

std::optional<Endpoint> TransportLayer::local_endpoint(const Endpoint& destination) const {
  const Endpoint* local = impl_->local_endpoint(destination);
  return local == nullptr ? std::nullopt : std::optional<Endpoint>(*local);
}

std::vector<Endpoint> TransportLayer::listening() const {
  return impl_->listening();
}

std::size_t TransportLayer::tcp_connections() const noexcept {
  return impl_->tcp_connections();
}

const TransportCounters& TransportLayer::counters() const noexcept {
  return impl_->counters();
}

}  // namespace callpark::sip
