// The Store and Events ports on MariaDB. A query is answered on the loop within the budget; a lasting write is repeated
// until the database is back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/keyed_queue.h"
#include "parkd/ports/events.h"
#include "parkd/ports/presence_store.h"
#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/database_workers.h"
#include "parkd/store/parked_call_columns.h"
#include "parkd/store/parked_calls_table.h"

namespace callpark {

class SqlStore final : public Store, public Events {
 public:
  struct Settings {
    DatabaseAddress address;
    std::string node_name;
    /// RowOwner::wins_calls_of_others.
    bool wins_calls_of_others = false;
    std::size_t workers = 4;
    std::size_t queue_max = 1024;
    /// Within this each query is answered, if only by StoreUnavailable.
    Duration budget{2000};
    /// After the database did not answer: wait before a lasting write is repeated, and time in which queries fail at
    /// once.
    Duration retry{500};
    /// Lifetime of rows of park_events.
    std::int64_t park_events_days = 30;
  };

  /// Loop's thread only; the loop must outlive the store. Connects with the first query.
  SqlStore(EventLoop& loop, Settings settings);
  /// Waits for running statements, two seconds at most. No query is answered after that, and lasting writes that are
  /// not done are dropped: the next parkd finds their rows.
  ~SqlStore() override;

  void look_up(std::string tenant, std::string user, std::string dialled,
               Answer<Result<DialledFacts, StoreUnavailable>> answer) override;
  void claim_orbit(ParkedCallRow row, OrbitRequest request,
                   Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> answer) override;
  void write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> answer) override;
  void claim_call(std::string tenant, RetrieveRequest request, Party retriever,
                  Answer<Result<ParkedCallRow, ClaimCallFailure>> answer) override;
  void claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> answer) override;
  void unclaim_call(ParkId park_id) override;
  void write_retrieved(ParkedCallRow row) override;
  void remove(ParkId park_id, park::EndReason reason, std::vector<EndedSegment> ended) override;
  void look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) override;
  void load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) override;

  void append(ParkEvent event) override;

  /// `changed` is called on the loop after this store has inserted, written, claimed, unclaimed or removed a row. The
  /// undo of a query with a late answer is not reported, nor is a change by another node.
  void set_on_changed(std::function<void(const CallChange&)> changed) { on_changed_ = std::move(changed); }

  /// False after the database did not answer, until it does.
  [[nodiscard]] bool available() const { return available_; }
  /// Lasting writes that are not done yet.
  [[nodiscard]] std::size_t waiting_writes() const { return waiting_writes_; }

 private:
  using Work = DatabaseWorkers::Work;
  using Report = DatabaseWorkers::Report;
  using Done = DatabaseWorkers::Done;
  using Ticket = std::uint64_t;
  struct Query {
    LoopHandle timer;
    std::function<void()> give_up;
  };
  struct LastingWrite {
    ParkId park_id;
    Work work;
    Done done;
    KeyedQueue<ParkId>::Finished finished;
  };

  /// Queries with a park_id wait for other work under it. `undo` is executed if `work` may have been done although the
  /// answer was `unavailable`.
  template <class T>
  void query(const ParkId& park_id, std::function<T(DatabaseConnection&)> work, T unavailable, Answer<T> answer,
             Work undo);
  void run(const ParkId& park_id, const Work& work, Done done);
  void undo_twice(const ParkId& park_id, const Work& undo);
  /// Is repeated until the database has done or refused it; then `done` is called, if there is one.
  void write_lastingly(const ParkId& park_id, Work work, Done done = nullptr);
  void try_write(const std::shared_ptr<LastingWrite>& write);
  /// A lasting write about a row of which only the id is known; `done` gets what the row was to watchers before it,
  /// nothing if there was none.
  using Before = std::optional<CallChange>;
  void write_by_id(const ParkId& park_id, std::function<void(DatabaseConnection&)> work,
                   std::function<void(const Before&)> done);
  /// Also remembers it as the row's.
  void note_and_report(const ParkId& park_id, const CallChange& change);
  void report_change(const CallChange& change);
  void note(const ParkId& park_id, const Report& report);
  void tidy();

  EventLoop& loop_;
  const Settings settings_;
  const RowOwner owner_;
  std::function<void(const CallChange&)> on_changed_;
  bool available_ = true;
  MonotonicTime fails_until_{};
  Ticket last_ticket_ = 0;
  /// What watchers see of the rows that this store has written last: a write that needs it does not ask the table.
  std::unordered_map<ParkId, CallChange> changes_;
  std::unordered_map<Ticket, Query> queries_;  // that are not answered
  KeyedQueue<ParkId> queue_;
  std::unordered_map<ParkId, LoopHandle> retries_;  // of lasting writes
  std::unordered_map<Ticket, LoopHandle> second_undos_;
  std::size_t waiting_writes_ = 0;
  LoopHandle tidying_;
  DatabaseWorkers workers_;
};

}  // namespace callpark
