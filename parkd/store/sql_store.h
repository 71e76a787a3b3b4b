// The Store and Events ports on MariaDB.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "parkd/ports/events.h"
#include "parkd/ports/presence_store.h"
#include "parkd/ports/store.h"
#include "parkd/store/call_statements.h"
#include "parkd/store/database_connection.h"
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
  /// Refused while this store frees places of the tenant, a claim is made once more when those are free: its answer may
  /// come after three times the budget.
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

  void set_park_events_days(std::int64_t days) { settings_.park_events_days = days; }

  /// `changed` is called on the loop after this store has inserted, written, claimed, unclaimed or removed a row. The
  /// undo of a query with a late answer is not reported, nor is a change by another node.
  void set_on_changed(std::function<void(const CallChange&)> changed) { on_changed_ = std::move(changed); }

  /// A store of calls that become rows of parked_calls under the same ids has its statements executed here, so that all
  /// about one id are executed in sequence; and it writes them as this owner does.
  CallStatements& statements() { return statements_; }
  const RowOwner& owner() const { return owner_; }
  /// Such a store has inserted this row, of state kRetrieved.
  void note_inserted(const ParkedCallRow& row) { note_and_report(row.park_id, call_change(row)); }

  /// See CallStatements.
  [[nodiscard]] bool available() const { return statements_.available(); }
  [[nodiscard]] std::size_t waiting_writes() const { return statements_.waiting_writes(); }

 private:
  /// A lasting write about a row of which only the id is known; `done` gets what the row was to watchers before it,
  /// nothing if there was none.
  using Before = std::optional<CallChange>;
  void write_by_id(const ParkId& park_id, std::function<void(DatabaseConnection&)> work,
                   std::function<void(const Before&)> done);
  /// The same of a write after which the call of this tenant holds no orbit; "": the tenant is not known.
  void release_by_id(const ParkId& park_id, std::string tenant, std::function<void(DatabaseConnection&)> work,
                     std::function<void(const Before&)> done);
  void claim_once(ParkedCallRow row, OrbitRequest request, Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> answer);
  /// Calls `done` when what has been asked about these calls so far is done, or the database does not answer.
  void await(const std::vector<ParkId>& park_ids, const std::function<void()>& done);
  /// Also remembers it as the row's.
  void note_and_report(const ParkId& park_id, const CallChange& change);
  void report_change(const CallChange& change);
  void tidy();

  EventLoop& loop_;
  Settings settings_;
  const RowOwner owner_;
  std::function<void(const CallChange&)> on_changed_;
  /// What watchers see of the rows that this store has written last: a write that needs it does not ask the table.
  std::unordered_map<ParkId, CallChange> changes_;
  /// The releases that the table has not done yet: tenant, call.
  std::multimap<std::string, ParkId> releases_;
  LoopHandle tidying_;
  CallStatements statements_;  // last: what it executes uses the rest
};

}  // namespace callpark
