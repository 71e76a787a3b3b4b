#include "parkd/transport/udp_transport.h"

#include <array>
#include <cerrno>
#include <vector>

namespace callpark::sip {
namespace {

constexpr std::size_t kBatchSize = 32;
constexpr std::size_t kDatagramBytesMax = 65535;
// After this many batches the other sockets and the timers are served.
constexpr int kBatchesAtOnce = 4;
constexpr std::size_t kWaitingBytesMax = 4UL * 1024 * 1024;
// The buffer holds a burst of calls while SQL answers of the last burst are handled.
constexpr int kKernelBufferBytes = 4 * 1024 * 1024;

}  // namespace

struct UdpTransport::Batch {
  std::vector<char> bytes = std::vector<char>(kBatchSize * kDatagramBytesMax);
  std::array<sockaddr_storage, kBatchSize> addresses{};
  std::array<iovec, kBatchSize> vectors{};
  std::array<mmsghdr, kBatchSize> headers{};

  void prepare() {
    for (std::size_t i = 0; i < kBatchSize; ++i) {
      vectors[i] = {bytes.data() + i * kDatagramBytesMax, kDatagramBytesMax};
      headers[i] = {};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &addresses[i];
      headers[i].msg_hdr.msg_namelen = sizeof addresses[i];
    }
  }
};

void UdpTransport::BatchDeleter::operator()(Batch* batch) const noexcept {
  delete batch;
}

UdpTransport::UdpTransport(EventLoop& loop, const Endpoint& listen)
    : loop_(loop),
      socket_(bind_socket(listen)),
      local_(bound_endpoint(TransportProtocol::kUdp, socket_)),
      batch_(new Batch) {
  setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUF, &kKernelBufferBytes, sizeof kKernelBufferBytes);
  setsockopt(socket_.fd(), SOL_SOCKET, SO_SNDBUF, &kKernelBufferBytes, sizeof kKernelBufferBytes);
}

void UdpTransport::start(Receiver receiver) {
  receiver_ = std::move(receiver);
  read_watch_ = loop_.watch(socket_.fd(), Readiness::kRead, [this](bool, bool) { on_readable(); });
}

void UdpTransport::on_readable() {
  is_receiving_ = true;
  for (int i = 0; i < kBatchesAtOnce && receive_batch(); ++i) {
  }
  is_receiving_ = false;
  flush();
}

// Returns true if there may be more.
bool UdpTransport::receive_batch() {
  batch_->prepare();
  const int count = recvmmsg(socket_.fd(), batch_->headers.data(), kBatchSize, MSG_DONTWAIT, nullptr);
  // An error here is an ICMP answer to an earlier packet (which retransmission handles) or an empty socket.
  if (count <= 0) return count < 0 && errno == EINTR;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const mmsghdr& header = batch_->headers[i];
    const std::string_view datagram(batch_->bytes.data() + i * kDatagramBytesMax, header.msg_len);
    const bool whole = (header.msg_hdr.msg_flags & MSG_TRUNC) == 0;
    receiver_(datagram, whole, Endpoint::from_sockaddr(TransportProtocol::kUdp, batch_->addresses[i]));
  }
  return static_cast<std::size_t>(count) == kBatchSize;
}

bool UdpTransport::send(std::string datagram, const Endpoint& destination) {
  Outgoing outgoing{std::move(datagram), {}, 0};
  outgoing.address_length = destination.to_sockaddr(outgoing.address);
  if (outgoing.datagram.size() > kDatagramBytesMax) return false;
  if (!is_receiving_ && waiting_.empty()) {
    const auto sent = sendto(socket_.fd(), outgoing.datagram.data(), outgoing.datagram.size(), MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&outgoing.address), outgoing.address_length);
    if (sent >= 0) return true;
    if (errno != EAGAIN && errno != EINTR) return false;
  }
  if (waiting_bytes_ + outgoing.datagram.size() > kWaitingBytesMax) return false;
  waiting_bytes_ += outgoing.datagram.size();
  waiting_.push_back(std::move(outgoing));
  if (!is_receiving_) watch_writable();
  return true;
}

void UdpTransport::flush() {
  while (!waiting_.empty()) {
    std::array<mmsghdr, kBatchSize> headers{};
    std::array<iovec, kBatchSize> vectors{};
    const std::size_t count = std::min(waiting_.size(), kBatchSize);
    for (std::size_t i = 0; i < count; ++i) {
      Outgoing& outgoing = waiting_[i];
      vectors[i] = {outgoing.datagram.data(), outgoing.datagram.size()};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &outgoing.address;
      headers[i].msg_hdr.msg_namelen = outgoing.address_length;
    }
    int done = sendmmsg(socket_.fd(), headers.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
    if (done < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return watch_writable();
      // The kernel refuses the first one (no route, too long, ...) but may accept the rest.
      ++lost_;
      done = 1;
    }
    for (; done > 0; --done) {
      waiting_bytes_ -= waiting_.front().datagram.size();
      waiting_.pop_front();
    }
  }
  write_watch_.reset();
}

void UdpTransport::watch_writable() {
  if (write_watch_) return;
  write_watch_ = loop_.watch(socket_.fd(), Readiness::kWrite, [this](bool, bool) { flush(); });
}

}  // namespace callpark::sip
