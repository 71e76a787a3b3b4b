// Threads that do blocking work on connections to the database, and say on the loop what became of it.
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
    kBusy,        // nothing was done: locks were held, or too much work waits
    kAway,        // nothing was done: no connection could be made, or the database takes nothing at present
    kUncertain,   // the connection broke on the way and no answer could be had within the budget
    kImpossible,  // the work was refused, and will be again
  };
  struct Report {
    Outcome outcome = Outcome::kDone;
    std::string words;  // why, when it is not kDone
  };
  /// Runs on a worker's thread, again from the start when the connection broke; throws DatabaseError.
  using Work = std::function<void(DatabaseConnection&)>;
  using Done = std::function<void(const Report&)>;

  /// The loop must outlive the workers. Connections are made when there is work.
  DatabaseWorkers(EventLoop& loop, DatabaseAddress address, std::size_t threads, std::size_t queue_max);
  /// Waits for the work that is under way; its `done` is not called any more.
  ~DatabaseWorkers();

  /// `done` is called on the loop, later than this returns. Work begins no try, and no wait for a connection, when
  /// `budget` has passed; a try may take about a second longer.
  void start(Work work, Duration budget, Done done);

 private:
  Report run(const Work& work, MonotonicTime deadline);
  void report(std::uint64_t id, Report report);
  std::unique_ptr<DatabaseConnection> take_connection();
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
