// Work that other threads pass to a thread which sleeps on a descriptor, and the end of that thread.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace callpark::media {

class ThreadInbox {
 public:
  using Work = std::function<void()>;
  enum class Run { kOn, kStopped };

  /// Throws std::system_error if the kernel gives no descriptor.
  ThreadInbox() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ThreadInbox(const ThreadInbox&) = delete;
  ThreadInbox& operator=(const ThreadInbox&) = delete;
  ~ThreadInbox() { close(fd_); }

  /// May be called from any thread.
  void post(Work work) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(work));
    }
    wake();
  }
  /// From any thread. The work that was posted before is still done.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      run_ = Run::kStopped;
    }
    wake();
  }

  /// Readable while there is work. Only for the owning thread, like do_all().
  int fd() const { return fd_; }
  /// After kStopped the owning thread must not sleep again: nothing wakes it.
  [[nodiscard]] Run do_all() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
    Run run = Run::kOn;
    {
      const std::lock_guard lock(mutex_);
      doing_.swap(waiting_);
      run = run_;
    }
    for (const Work& work : doing_) work();
    doing_.clear();
    return run;
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
  }

  int fd_;
  std::mutex mutex_;
  std::vector<Work> waiting_;  // guarded by mutex_, as is run_
  Run run_ = Run::kOn;
  std::vector<Work> doing_;
};

}  // namespace callpark::media
