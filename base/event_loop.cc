#include "base/event_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace callpark {
namespace {

timeval to_timeval(Duration delay) {
  if (delay < Duration::zero()) delay = Duration::zero();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(delay);
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(delay - seconds);
  timeval value{};
  value.tv_sec = static_cast<decltype(value.tv_sec)>(seconds.count());
  value.tv_usec = static_cast<decltype(value.tv_usec)>(rest.count());
  return value;
}

// The loop and its handles share the base, so that a handle which outlives its loop can still remove its event.
std::shared_ptr<event_base> make_base() {
  const std::unique_ptr<event_config, decltype(&event_config_free)> config(event_config_new(), &event_config_free);
  if (!config) throw std::runtime_error("no memory for the event loop's configuration");
  // A timer must never be early: no coarse clock, and no time cached at the beginning of the iteration.
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NO_CACHE_TIME);
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_PRECISE_TIMER);
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  event_base* base = event_base_new_with_config(config.get());
  if (base == nullptr) throw std::runtime_error("the kernel gives no descriptors for an event loop");
  return {base, &event_base_free};
}

// Equal delays share one of libevent's queues, where setting and cancelling are O(1), but libevent has only 256 of
// them. A delay therefore gets a queue once it is used again; one-time delays stay in the heap.
class DelayQueues {
 public:
  const timeval* find_or_promote(event_base* base, Duration delay) {
    const auto known = queues_.find(delay.count());
    if (known != queues_.end()) return known->second;
    if (queues_.size() >= kQueuesMax) return nullptr;
    if (uses_.size() >= kCandidatesMax) uses_.clear();
    if (++uses_[delay.count()] < kUsesToPromote) return nullptr;
    uses_.erase(delay.count());
    const timeval plain = to_timeval(delay);
    const timeval* queue = event_base_init_common_timeout(base, &plain);
    if (queue != nullptr) queues_.emplace(delay.count(), queue);
    return queue;
  }

 private:
  static constexpr std::size_t kQueuesMax = 200;
  static constexpr std::size_t kCandidatesMax = 1024;
  static constexpr int kUsesToPromote = 4;
  std::unordered_map<Duration::rep, const timeval*> queues_;
  std::unordered_map<Duration::rep, int> uses_;
};

}  // namespace

struct LoopHandle::Impl {
  using Callback = std::function<void(short what)>;

  Impl(std::shared_ptr<event_base> the_base, int fd, short what, Callback the_callback)
      : base(std::move(the_base)), callback(std::move(the_callback)) {
    if (event_assign(&registration, base.get(), fd, what, &Impl::on_event, this) != 0) {
      throw std::runtime_error("the event loop cannot watch this");
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    event_del(&registration);
    if (destroyed != nullptr) *destroyed = true;
  }

  void add(const timeval* timeout) {
    if (event_add(&registration, timeout) != 0) {
      throw std::system_error(errno, std::generic_category(), "the event loop cannot watch this");
    }
  }

  // The callback may destroy its own handle, so it runs from a local variable and is put back only if the handle still
  // exists.
  static void on_event(evutil_socket_t, short what, void* self) noexcept {
    auto* impl = static_cast<Impl*>(self);
    bool destroyed_meanwhile = false;
    impl->destroyed = &destroyed_meanwhile;
    Callback running = std::move(impl->callback);
    running(what);
    if (destroyed_meanwhile) return;
    impl->destroyed = nullptr;
    impl->callback = std::move(running);
  }

  std::shared_ptr<event_base> base;
  event registration{};
  Callback callback;
  bool* destroyed = nullptr;
};

LoopHandle::LoopHandle() = default;
LoopHandle::LoopHandle(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LoopHandle::LoopHandle(LoopHandle&&) noexcept = default;
LoopHandle& LoopHandle::operator=(LoopHandle&&) noexcept = default;
LoopHandle::~LoopHandle() = default;
void LoopHandle::reset() noexcept {
  impl_.reset();
}
LoopHandle::operator bool() const noexcept {
  return impl_ != nullptr;
}

struct EventLoop::Impl {
  Impl() : base(make_base()), wake_fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (wake_fd < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    wake_handle.reset();
    close(wake_fd);
  }

  LoopHandle add(int fd, short what, const timeval* timeout, LoopHandle::Impl::Callback callback) {
    auto impl = std::make_unique<LoopHandle::Impl>(base, fd, what, std::move(callback));
    impl->add(timeout);
    return LoopHandle(std::move(impl));
  }

  void wake() const noexcept {
    const std::uint64_t one = 1;
    // write() can only fail because the counter is full, and then the loop is awake anyway.
    [[maybe_unused]] const auto written = write(wake_fd, &one, sizeof one);
  }

  void on_wake() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(wake_fd, &count, sizeof count);
    do_posted();
    if (stopping) event_base_loopbreak(base.get());
  }

  // Runs only what is queued now: work which posts more work must not keep the sockets waiting.
  void do_posted() {
    std::deque<Callback> work;
    {
      const std::lock_guard lock(mutex);
      work.swap(posted);
    }
    while (!work.empty() && !stopping) {
      const Callback next = std::move(work.front());
      work.pop_front();
      next();
    }
    if (work.empty()) return;
    const std::lock_guard lock(mutex);
    posted.insert(posted.begin(), std::make_move_iterator(work.begin()), std::make_move_iterator(work.end()));
  }

  std::shared_ptr<event_base> base;
  DelayQueues queues;
  int wake_fd;
  LoopHandle wake_handle;
  std::atomic<bool> stopping{false};
  std::atomic<std::thread::id> thread{};
  std::mutex mutex;
  std::deque<Callback> posted;
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {
  impl_->wake_handle =
      impl_->add(impl_->wake_fd, EV_READ | EV_PERSIST, nullptr, [impl = impl_.get()](short) { impl->on_wake(); });
}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
  impl_->thread = std::this_thread::get_id();
  if (!impl_->stopping) impl_->do_posted();
  if (!impl_->stopping) event_base_loop(impl_->base.get(), EVLOOP_NO_EXIT_ON_EMPTY);
  impl_->thread = std::thread::id();
  impl_->stopping = false;
  impl_->wake();  // for work that was posted and has not run, if the loop runs again
}

void EventLoop::stop() {
  impl_->stopping = true;
  if (impl_->thread.load() == std::this_thread::get_id()) {
    event_base_loopbreak(impl_->base.get());
  } else {
    impl_->wake();
  }
}

LoopHandle EventLoop::watch(int fd, Readiness readiness, SocketCallback callback) {
  short what = EV_PERSIST;
  if (readiness != Readiness::kWrite) what |= EV_READ;
  if (readiness != Readiness::kRead) what |= EV_WRITE;
  return impl_->add(fd, what, nullptr, [callback = std::move(callback)](short ready) {
    callback((ready & EV_READ) != 0, (ready & EV_WRITE) != 0);
  });
}

LoopHandle EventLoop::after(Duration delay, Callback callback) {
  const timeval plain = to_timeval(delay);
  const timeval* queue = impl_->queues.find_or_promote(impl_->base.get(), delay);
  return impl_->add(-1, 0, queue != nullptr ? queue : &plain, [callback = std::move(callback)](short) { callback(); });
}

LoopHandle EventLoop::every(Duration period, Callback callback) {
  const timeval plain = to_timeval(period);
  return impl_->add(-1, EV_PERSIST, &plain, [callback = std::move(callback)](short) { callback(); });
}

LoopHandle EventLoop::on_signal(int signal_number, Callback callback) {
  return impl_->add(signal_number, EV_SIGNAL | EV_PERSIST, nullptr,
                    [callback = std::move(callback)](short) { callback(); });
}

void EventLoop::post(Callback work) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->posted.push_back(std::move(work));
  }
  impl_->wake();
}

event_base* EventLoop::native() noexcept {
  return impl_->base.get();
}

}  // namespace callpark
