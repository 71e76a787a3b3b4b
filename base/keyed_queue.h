// Jobs under keys: those of one key run one after the other, in the order in which they came; keys do not wait for each
// other.
#pragma once

#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>

namespace callpark {

/// Used by one thread at a time; so are the jobs.
template <class Key>
class KeyedQueue {
 public:
  using Finished = std::function<void()>;
  /// Calls `finished` once, now or later, when the next job of its key may start; not after the queue is destroyed.
  using Job = std::function<void(Finished finished)>;

  /// Starts the job at once if no other of its key is unfinished.
  void push(const Key& key, Job job) {
    Line& line = lines_[key];
    line.waiting.push_back(std::move(job));
    if (!line.is_busy && !line.is_starting) start(key, line);
  }
  /// True if all jobs are finished.
  bool empty() const { return lines_.empty(); }

 private:
  struct Line {
    std::deque<Job> waiting;
    bool is_busy = false;      // a job has started and is not finished
    bool is_starting = false;  // start() has not returned
  };

  // A loop and no recursion: any number of jobs may finish before they return.
  void start(Key key, Line& line) {
    line.is_starting = true;
    while (!line.is_busy && !line.waiting.empty()) {
      const Job job = std::move(line.waiting.front());
      line.waiting.pop_front();
      line.is_busy = true;
      job([this, key] { finish(key); });
    }
    line.is_starting = false;
    if (!line.is_busy) lines_.erase(key);
  }
  void finish(const Key& key) {
    Line& line = lines_.at(key);
    line.is_busy = false;
    if (!line.is_starting) start(key, line);
  }

  std::unordered_map<Key, Line> lines_;
};

}  // namespace callpark
