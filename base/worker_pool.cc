#include "base/worker_pool.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"

namespace callpark {

struct WorkerPool::Impl {
  explicit Impl(Options the_options) : options(std::move(the_options)) {}

  void run_thread() {
    if (options.on_thread_start) options.on_thread_start();
    while (auto work = next()) run_one(work);
    if (options.on_thread_stop) options.on_thread_stop();
  }

  // Returns an empty work if the pool is stopping and the queue is empty.
  Work next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return stopping || !queue.empty(); });
    if (queue.empty()) return {};
    Work work = std::move(queue.front());
    queue.pop_front();
    return work;
  }

  static void run_one(const Work& work) {
    try {
      work();
    } catch (const std::exception& error) {
      log_error({}, "work on a worker thread failed: {}", error.what());
    } catch (...) {
      log_error({}, "work on a worker thread failed with an unknown exception");
    }
  }

  Options options;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Work> queue;
  bool stopping = false;
  std::vector<std::thread> threads;
};

WorkerPool::WorkerPool(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
  for (std::size_t i = 0; i < impl_->options.threads; ++i) {
    impl_->threads.emplace_back([impl = impl_.get()] { impl->run_thread(); });
  }
}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::submit(Work work) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping || impl_->queue.size() >= impl_->options.queue_max) return false;
    impl_->queue.push_back(std::move(work));
  }
  impl_->changed.notify_one();
  return true;
}

void WorkerPool::stop() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->changed.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

std::size_t WorkerPool::queued() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->queue.size();
}

}  // namespace callpark
