// Executes the statements about calls: those about one call one after the other, in the order in which they came. A
// query is answered on the loop within the budget; a lasting write is repeated until the database is back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/keyed_queue.h"
#include "parkd/call/ids.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/database_workers.h"

namespace callpark {

class CallStatements {
 public:
  struct Settings {
    DatabaseAddress address;
    std::size_t workers = 4;
    std::size_t queue_max = 1024;
    /// Within this each query is answered, if only as unavailable.
    Duration budget{2000};
    /// After the database did not answer: wait before a lasting write is repeated, and time in which queries fail at
    /// once.
    Duration retry{500};
  };
  using Work = DatabaseWorkers::Work;
  using Done = DatabaseWorkers::Done;

  /// Loop's thread only; the loop must outlive the statements. Connects with the first query.
  CallStatements(EventLoop& loop, Settings settings);
  /// Waits for running statements, two seconds at most. No query is answered after that, and lasting writes that are
  /// not done are dropped.
  ~CallStatements();
  CallStatements(const CallStatements&) = delete;
  CallStatements& operator=(const CallStatements&) = delete;

  /// Called on the loop when a query about a call has failed, or its answer came too late: what the row is now is known
  /// by the table alone.
  void set_on_uncertain(std::function<void(const ParkId&)> uncertain) { on_uncertain_ = std::move(uncertain); }

  /// Queries with an id wait for other work under it. `undo` is executed if `work` may have been done although the
  /// answer was `unavailable`.
  template <class T>
  void query(const ParkId& id, std::function<T(DatabaseConnection&)> work, T unavailable, std::function<void(T)> answer,
             const Work& undo = nullptr) {
    // Written by the worker before the loop gets its report.
    const auto result = std::make_shared<std::optional<T>>();
    ask(
        id, [work = std::move(work), result](DatabaseConnection& connection) { *result = work(connection); },
        [result, unavailable = std::move(unavailable), answer = std::move(answer)](bool is_done) {
          answer(is_done ? std::move(**result) : unavailable);
        },
        undo);
  }

  struct Write {
    Work work;
    Done done;  // or null
  };
  /// Is repeated until the database has done or refused it; then `done` is called.
  void write_lastingly(const ParkId& id, Work work, Done done = nullptr);
  /// The same of a write that depends on what was known by the work before it: `prepare` is called at its turn.
  void write_lastingly(const ParkId& id, std::function<Write()> prepare);
  /// Work about no call, of which nothing depends.
  void try_once(const Work& work);

  /// False after the database did not answer, until it does.
  [[nodiscard]] bool available() const { return available_; }
  /// Lasting writes that are not done yet.
  [[nodiscard]] std::size_t waiting_writes() const { return waiting_writes_; }

 private:
  using Report = DatabaseWorkers::Report;
  using Ticket = std::uint64_t;
  struct Query {
    LoopHandle timer;
    std::function<void()> give_up;
  };
  struct LastingWrite {
    ParkId id;
    Write write;
    KeyedQueue<ParkId>::Finished finished;
  };

  void ask(const ParkId& id, Work work, std::function<void(bool is_done)> answer, Work undo);
  void run(const ParkId& id, const Work& work, Duration budget, Done done);
  void undo_twice(const ParkId& id, const Work& undo);
  void try_write(const std::shared_ptr<LastingWrite>& lasting);
  void note(const ParkId& id, const Report& report);

  EventLoop& loop_;
  const Settings settings_;
  std::function<void(const ParkId&)> on_uncertain_;
  bool available_ = true;
  MonotonicTime fails_until_{};
  Ticket last_ticket_ = 0;
  std::unordered_map<Ticket, Query> queries_;  // that are not answered
  KeyedQueue<ParkId> queue_;
  std::unordered_map<ParkId, LoopHandle> retries_;  // of lasting writes
  std::unordered_map<Ticket, LoopHandle> second_undos_;
  std::size_t waiting_writes_ = 0;
  DatabaseWorkers workers_;
};

}  // namespace callpark
