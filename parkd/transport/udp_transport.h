// One bound UDP socket: datagrams in and out by batches. Knows nothing of SIP.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "parkd/transport/endpoint.h"
#include "parkd/transport/socket.h"

namespace callpark::sip {

class UdpTransport {
 public:
  /// `datagram` is valid during the call. A datagram that did not fit is cut off, and `whole` is false.
  using Receiver = std::function<void(std::string_view datagram, bool whole, const Endpoint& source)>;

  /// Binds. Throws std::system_error.
  UdpTransport(EventLoop& loop, const Endpoint& listen);
  UdpTransport(const UdpTransport&) = delete;
  UdpTransport& operator=(const UdpTransport&) = delete;

  void start(Receiver receiver);

  /// Returns false if the kernel refuses the datagram or too much is queued. Datagrams sent from inside the receiver
  /// leave together after its batch; if the kernel refuses one of those, only `lost()` counts it.
  bool send(std::string datagram, const Endpoint& destination);

  const Endpoint& local() const noexcept { return local_; }
  /// Datagrams that send() accepted and the kernel then refused.
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  struct Outgoing {
    std::string datagram;
    sockaddr_storage address;
    socklen_t address_length;
  };
  struct Batch;
  struct BatchDeleter {
    void operator()(Batch* batch) const noexcept;
  };

  void on_readable();
  bool receive_batch();
  void flush();
  void watch_writable();

  EventLoop& loop_;
  Socket socket_;
  Endpoint local_;
  Receiver receiver_;
  std::unique_ptr<Batch, BatchDeleter> batch_;
  std::deque<Outgoing> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t lost_ = 0;
  bool is_receiving_ = false;
  LoopHandle read_watch_;
  LoopHandle write_watch_;
};

}  // namespace callpark::sip
