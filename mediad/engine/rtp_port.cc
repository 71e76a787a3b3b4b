#include "mediad/engine/rtp_port.h"

#include <netinet/ip.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace callpark::media {
namespace {

constexpr int kReceiveBufferBytes = 32 * 1024;
constexpr std::size_t kDatagramsPerCall = 32;
// Larger datagrams are cut off; no voice packet is larger.
constexpr std::size_t kDatagramBytesMax = 1500;

int open_socket(const PeerAddress& address, int dscp) {
  const int fd = socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int traffic_class = dscp << 2;
  if (address.family() == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
  } else {
    setsockopt(fd, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
  }
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof kReceiveBufferBytes);
  if (bind(fd, address.data(), address.length()) != 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

void disconnect(int fd) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  static_cast<void>(connect(fd, &nobody, sizeof nobody));
}

}  // namespace

Result<std::unique_ptr<RtpPort>, RtpPort::OpenError> RtpPort::open(const Options& options, std::uint16_t port) {
  const auto reason = [] { return failure(errno == EADDRINUSE ? OpenError::kTaken : OpenError::kRefused); };
  const auto address = PeerAddress::of({options.address, port});
  if (!address) {
    errno = EINVAL;
    return reason();
  }
  const int rtp_fd = open_socket(*address, options.dscp);
  if (rtp_fd < 0) return reason();
  const int rtcp_fd = open_socket(address->with_port(static_cast<std::uint16_t>(port + 1)), options.dscp);
  if (rtcp_fd < 0) {
    const int error = errno;
    ::close(rtp_fd);
    errno = error;
    return reason();
  }
  return std::unique_ptr<RtpPort>(new RtpPort(rtp_fd, rtcp_fd, port));
}

RtpPort::~RtpPort() {
  close();
}

void RtpPort::close() {
  const std::lock_guard lock(mutex_);
  for (int* fd : {&rtp_fd_, &rtcp_fd_}) {
    if (*fd >= 0) ::close(std::exchange(*fd, -1));
  }
}

int RtpPort::rtp_fd() const {
  const std::lock_guard lock(mutex_);
  return rtp_fd_;
}

int RtpPort::rtcp_fd() const {
  const std::lock_guard lock(mutex_);
  return rtcp_fd_;
}

std::optional<PeerAddress> RtpPort::destination() const {
  const std::lock_guard lock(mutex_);
  return rtp_destination_;
}

void RtpPort::set_destination(const PeerAddress& remote) {
  const std::lock_guard lock(mutex_);
  if (source_ == Source::kOnlyTheRemote && rtp_fd_ >= 0) disconnect(rtp_fd_);
  source_ = Source::kAnybody;
  rtp_destination_ = remote;
  rtcp_destination_ = remote.with_port(static_cast<std::uint16_t>(remote.port() + 1));
}

void RtpPort::lock_to(const PeerAddress& remote) {
  set_destination(remote);
  const std::lock_guard lock(mutex_);
  if (rtp_fd_ >= 0 && connect(rtp_fd_, remote.data(), remote.length()) == 0) source_ = Source::kOnlyTheRemote;
}

void RtpPort::send(int fd, std::span<const iovec> parts, const PeerAddress& to) const {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  if (fd != rtp_fd_ || source_ == Source::kAnybody) {
    message.msg_name = const_cast<sockaddr*>(to.data());
    message.msg_namelen = to.length();
  }
  sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void RtpPort::send_rtp(std::span<const iovec> parts) {
  const std::lock_guard lock(mutex_);
  if (rtp_destination_ && rtp_fd_ >= 0) send(rtp_fd_, parts, *rtp_destination_);
}

void RtpPort::send_rtcp(std::span<const iovec> parts) {
  const std::lock_guard lock(mutex_);
  if (rtp_destination_ && rtcp_fd_ >= 0) send(rtcp_fd_, parts, rtcp_destination_);
}

void RtpPort::receive_rtp(const OnDatagram& on_datagram) {
  receive(rtp_fd_, on_datagram);
}

void RtpPort::receive_rtcp(const OnDatagram& on_datagram) {
  receive(rtcp_fd_, on_datagram);
}

void RtpPort::receive(const int& fd, const OnDatagram& on_datagram) {
  static thread_local std::array<std::array<std::uint8_t, kDatagramBytesMax>, kDatagramsPerCall> buffers;
  std::array<sockaddr_storage, kDatagramsPerCall> from;
  std::array<iovec, kDatagramsPerCall> parts;
  std::array<mmsghdr, kDatagramsPerCall> messages{};
  for (std::size_t i = 0; i < kDatagramsPerCall; ++i) {
    parts[i] = {buffers[i].data(), buffers[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &from[i];
    messages[i].msg_hdr.msg_namelen = sizeof from[i];
  }
  int count = 0;
  {
    const std::lock_guard lock(mutex_);
    if (fd < 0) return;
    // This call also fetches the error of an earlier packet (ICMP), which is ignored.
    count = recvmmsg(fd, messages.data(), messages.size(), MSG_DONTWAIT, nullptr);
  }
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    on_datagram({buffers[at].data(), messages[at].msg_len}, PeerAddress(from[at], messages[at].msg_hdr.msg_namelen));
  }
}

}  // namespace callpark::media
