// The loop that each daemon's signalling runs on: sockets, timers, signals, and work posted from other threads.
// It is the only door to libevent; nobody outside base/ sees an event_base.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"

struct event_base;

namespace callpark {

enum class Readiness { kRead, kWrite, kReadWrite };

/// Something the loop does for its holder until the handle is destroyed or reset. Movable, not copyable.
/// To be used and destroyed on the loop's thread; destroying it inside its own callback is allowed.
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

  /// Throws std::runtime_error when the kernel refuses an epoll descriptor.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs until stop(). Work posted before run() is done first.
  void run();
  /// Ends run() after the current callback. From any thread and from signal callbacks.
  void stop();

  /// Calls back while `fd` is ready (level-triggered). The descriptor stays the caller's.
  [[nodiscard]] LoopHandle watch(int fd, Readiness readiness, SocketCallback callback);
  /// Calls back once, `delay` from now (zero: in the next round of the loop). O(1) to set and to cancel for the
  /// delays that are used again and again, because equal delays share one queue.
  [[nodiscard]] LoopHandle after(Duration delay, Callback callback);
  /// Calls back every `period`, the first time one period from now.
  [[nodiscard]] LoopHandle every(Duration period, Callback callback);
  /// Calls back on the loop when the process receives `signal_number`.
  [[nodiscard]] LoopHandle on_signal(int signal_number, Callback callback);
  /// Does `work` on the loop's thread, in the order posted. From any thread; never blocks.
  void post(Callback work);

  /// For the other files of base/ (HTTP on libevent). Nobody else includes libevent.
  event_base* native() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
