// Threads that do blocking work on connections to the database, and report its outcome on the loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/worker_pool.h"
#include "parkd/store/database_connection.h"

namespace callpark {

class DatabaseWorkers {
 public:
  enum class Outcome {
    kDone,
    kBusy,        // nothing was done: a lock was held, or too much work waits
    kAway,        // nothing was done: no connection, or the database is read-only or full
    kUncertain,   // the connection broke, and no try within the budget got an answer
    kImpossible,  // the work was refused, and would be again
  };
  struct Report {
    Outcome outcome = Outcome::kDone;
    std::string reason;  // "" for kDone
  };
  /// Runs on a worker's thread, and again from its start if the connection broke; throws DatabaseError.
  using Work = std::function<void(DatabaseConnection&)>;
  using Done = std::function<void(const Report&)>;

  /// The loop must outlive the workers. Work opens connections.
  DatabaseWorkers(EventLoop& loop, DatabaseAddress address, std::size_t threads, std::size_t queue_max);
  /// Waits for running work; its `done` is not called any more.
  ~DatabaseWorkers();

  /// `done` is called on the loop, never from within start(). After `budget` no try and no wait for a connection
  /// begins; one that began may last about a second longer.
  void start(Work work, Duration budget, Done done);

 private:
  Report run(const Work& work, MonotonicTime deadline);
  void report(std::uint64_t id, Report report);
  std::unique_ptr<DatabaseConnection> get_connection();
  void give_back(std::unique_ptr<DatabaseConnection> connection);
  void drop_connections();

  EventLoop& loop_;
  const DatabaseAddress address_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, Done> under_way_;  // the loop's
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::mutex mutex_;
  std::vector<std::unique_ptr<DatabaseConnection>> idle_;  // guarded by mutex_
  WorkerPool pool_;                                        // last: its threads use the rest
};

}  // namespace callpark
