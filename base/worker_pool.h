// Threads for work that blocks (SQL). The queue is bounded: when it is full the caller is told at once, so a dead
// database becomes a refusal and not a growing heap. Results come back by EventLoop::post, which the work itself calls.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace callpark {

class WorkerPool {
 public:
  using Work = std::function<void()>;
  struct Options {
    std::size_t threads = 4;
    /// Work that waits for a thread; what runs already is not counted.
    std::size_t queue_max = 1024;
    /// Run on each thread before its first and after its last work (a client library's per-thread set-up).
    std::function<void()> on_thread_start = {};
    std::function<void()> on_thread_stop = {};
  };

  explicit WorkerPool(Options options);
  /// As stop().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Queues `work` for any of the threads; work is started in the order submitted. False when the queue is full or the
  /// pool is stopping, and then `work` is never run. From any thread; never blocks on the work. An exception that
  /// leaves `work` is logged and ends that work only.
  [[nodiscard]] bool submit(Work work);

  /// Takes no more work, does what is queued, and joins the threads. Not from a worker's thread.
  void stop();

  /// How much waits for a thread now.
  std::size_t queued() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
