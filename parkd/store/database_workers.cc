#include "parkd/store/database_workers.h"

#include <utility>

namespace callpark {

DatabaseWorkers::DatabaseWorkers(EventLoop& loop, DatabaseAddress address, std::size_t threads, std::size_t queue_max)
    : loop_(loop),
      address_(std::move(address)),
      pool_({.threads = threads,
             .queue_max = queue_max,
             .on_thread_start = &DatabaseConnection::start_thread,
             .on_thread_stop = &DatabaseConnection::stop_thread}) {}

DatabaseWorkers::~DatabaseWorkers() {
  pool_.stop();
}

void DatabaseWorkers::start(Work work, Duration budget, Done done) {
  const std::uint64_t id = ++last_id_;
  under_way_.emplace(id, std::move(done));
  const bool accepted = pool_.submit(
      [this, id, work = std::move(work), deadline = monotonic_now() + budget] { report(id, run(work, deadline)); });
  if (!accepted) report(id, {Outcome::kBusy, "too much work waits for the database"});
}

// From any thread.
void DatabaseWorkers::report(std::uint64_t id, Report report) {
  loop_.post([this, alive = std::weak_ptr<bool>(alive_), id, report = std::move(report)] {
    if (alive.expired()) return;
    const Done done = std::move(under_way_.extract(id).mapped());
    done(report);
  });
}

DatabaseWorkers::Report DatabaseWorkers::run(const Work& work, MonotonicTime deadline) {
  bool sent = false;  // true if an earlier try may have done something
  Report last{Outcome::kBusy, "the budget was spent in the queue"};
  const auto failed = [&](Outcome outcome, const std::exception& error) {
    last = {sent ? Outcome::kUncertain : outcome, error.what()};
  };
  while (monotonic_now() < deadline) {
    std::unique_ptr<DatabaseConnection> connection;
    try {
      connection = get_connection();
    } catch (const DatabaseError& error) {
      failed(Outcome::kAway, error);
      if (error.kind() == DatabaseError::Kind::kLost) continue;
      return last;
    }
    try {
      work(*connection);
      give_back(std::move(connection));
      return {};
    } catch (const DatabaseError& error) {
      switch (error.kind()) {
        case DatabaseError::Kind::kAway:
        case DatabaseError::Kind::kUnknownSchema:
        case DatabaseError::Kind::kLost:
          sent = true;
          drop_connections();  // after a restart of the server they are all dead
          failed(Outcome::kUncertain, error);
          break;
        case DatabaseError::Kind::kBusy:
          give_back(std::move(connection));
          failed(Outcome::kBusy, error);
          break;
        case DatabaseError::Kind::kNotNow:
          // A new connection may reach another server.
          drop_connections();
          failed(Outcome::kAway, error);
          return last;
        case DatabaseError::Kind::kDuplicate:
        case DatabaseError::Kind::kRefused:
          failed(Outcome::kImpossible, error);
          return last;
      }
    } catch (const std::exception& error) {
      failed(Outcome::kImpossible, error);
      return last;
    }
  }
  return last;
}

std::unique_ptr<DatabaseConnection> DatabaseWorkers::get_connection() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<DatabaseConnection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return std::make_unique<DatabaseConnection>(address_);
}

void DatabaseWorkers::give_back(std::unique_ptr<DatabaseConnection> connection) {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(connection));
}

void DatabaseWorkers::drop_connections() {
  std::vector<std::unique_ptr<DatabaseConnection>> dropped;
  const std::lock_guard<std::mutex> lock(mutex_);
  dropped.swap(idle_);
}

}  // namespace callpark
