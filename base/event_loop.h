// The loop that each daemon's signalling runs on: sockets, timers, signals, and work posted from other threads. It is
// the only user of libevent; no code outside base/ sees an event_base.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"

struct event_base;

namespace callpark {

enum class Readiness { kRead, kWrite, kReadWrite };

/// Something that the loop does for the handle's owner until the handle is destroyed or reset. Movable, not copyable. A
/// handle is used and destroyed on the loop's thread; its own callback may destroy it.
class LoopHandle {
 public:
  LoopHandle();
  LoopHandle(LoopHandle&&) noexcept;
  LoopHandle& operator=(LoopHandle&&) noexcept;
  ~LoopHandle();
  void reset() noexcept;
  explicit operator bool() const noexcept;

  struct Impl;  // for event_loop.cc
  explicit LoopHandle(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

class EventLoop {
 public:
  using Callback = std::function<void()>;
  using SocketCallback = std::function<void(bool readable, bool writable)>;

  /// Throws std::runtime_error if the kernel refuses an epoll descriptor.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs until stop(). Work posted before run() is done first.
  void run();
  /// Ends run() after the current callback. May be called from any thread and from signal callbacks.
  void stop();

  /// Calls back while `fd` is ready (level-triggered). The caller keeps ownership of the descriptor.
  [[nodiscard]] LoopHandle watch(int fd, Readiness readiness, SocketCallback callback);
  /// Calls back once, `delay` from now (zero: in the next iteration of the loop). Setting and cancelling are O(1) for
  /// delays that are used often, because equal delays share one queue.
  [[nodiscard]] LoopHandle after(Duration delay, Callback callback);
  /// Calls back every `period`, the first time one period from now.
  [[nodiscard]] LoopHandle every(Duration period, Callback callback);
  /// Calls back on the loop when the process receives `signal_number`.
  [[nodiscard]] LoopHandle on_signal(int signal_number, Callback callback);
  /// Runs `work` on the loop's thread, in the order posted. May be called from any thread; never blocks.
  void post(Callback work);

  /// For the other files of base/ (HTTP on libevent). No code outside base/ includes libevent.
  event_base* native() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
