#include "mediad/engine/receiver.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace callpark::media {
namespace {

constexpr int kKeyCheckMs = 100;
constexpr std::size_t kEventsPerWait = 256;

// The tag of an epoll event: a stream's address with the socket in its lowest bit, or the inbox.
constexpr std::uint64_t kInboxTag = 0;
constexpr std::uint64_t kRtcpBit = 1;
static_assert(alignof(IncomingStream) > kRtcpBit);

std::uint64_t tag_of(const std::shared_ptr<IncomingStream>& stream) {
  return reinterpret_cast<std::uintptr_t>(stream.get());
}

}  // namespace

Receiver::Receiver() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  watch(inbox_.fd(), kInboxTag);
  thread_ = std::thread([this] { run(); });
}

Receiver::~Receiver() {
  inbox_.stop();
  thread_.join();
  close(epoll_fd_);
}

void Receiver::watch(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (fd >= 0) epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event);
}

void Receiver::add(std::shared_ptr<IncomingStream> stream) {
  inbox_.post([this, stream = std::move(stream)] {
    const std::uint64_t tag = tag_of(stream);
    watch(stream->port()->rtp_fd(), tag);
    watch(stream->port()->rtcp_fd(), tag | kRtcpBit);
    streams_.emplace(tag, stream);
  });
}

void Receiver::remove(std::shared_ptr<IncomingStream> stream) {
  inbox_.post([this, stream = std::move(stream)] {
    // Closing the port has removed it from the epoll set.
    with_key_pressed_.erase(tag_of(stream));
    streams_.erase(tag_of(stream));
  });
}

void Receiver::change(std::shared_ptr<IncomingStream> stream, std::function<void(IncomingStream&)> change) {
  inbox_.post([stream = std::move(stream), change = std::move(change)] { change(*stream); });
}

void Receiver::handle(std::uint64_t tag, MonotonicTime now) {
  const auto found = streams_.find(tag & ~kRtcpBit);
  if (found == streams_.end()) return;
  if ((tag & kRtcpBit) != 0) return found->second->receive_rtcp();
  found->second->receive_rtp(now);
  if (found->second->is_key_pressed()) with_key_pressed_.insert(*found);
}

void Receiver::look_after_keys(MonotonicTime now) {
  for (const auto& [tag, stream] : with_key_pressed_) stream->on_time(now);
  std::erase_if(with_key_pressed_, [](const auto& entry) { return !entry.second->is_key_pressed(); });
}

void Receiver::run() {
  prctl(PR_SET_NAME, "receiver");
  std::array<epoll_event, kEventsPerWait> events;
  for (;;) {
    const int timeout = with_key_pressed_.empty() ? -1 : kKeyCheckMs;
    const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout);
    // The inbox comes first: what was posted before a packet came counts for that packet.
    if (inbox_.do_all() == ThreadInbox::Run::kStopped) return;
    const MonotonicTime now = monotonic_now();
    for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)].data.u64, now);
    look_after_keys(now);
  }
}

}  // namespace callpark::media
