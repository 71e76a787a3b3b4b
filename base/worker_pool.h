// Threads for work that blocks (SQL). The queue is bounded: submit() returns false at once if it is full, so a dead
// database becomes a refusal and not a growing heap. Work returns its results by EventLoop::post, which it calls
// itself.
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
    /// The most work that may wait for a thread; running work is not counted.
    std::size_t queue_max = 1024;
    /// Called on each thread before its first and after its last work (a client library's per-thread set-up).
    std::function<void()> on_thread_start = {};
    std::function<void()> on_thread_stop = {};
  };

  explicit WorkerPool(Options options);
  /// Does the same as stop().
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Queues `work` for any of the threads; work is started in the order submitted. Returns false if the queue is full
  /// or the pool is stopping, and then `work` never runs. May be called from any thread; never blocks on the work. An
  /// exception that leaves `work` is logged and ends that work only.
  [[nodiscard]] bool submit(Work work);

  /// Accepts no more work, does what is queued, and joins the threads. Must not be called on a worker's thread.
  void stop();

  /// Returns how much work waits for a thread now.
  std::size_t queued() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
