// The Store and Events ports on MariaDB: questions are answered on the loop within the budget, and orders are carried
// out however long the database is away.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "parkd/service/ports.h"
#include "parkd/service/presence_ports.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/database_workers.h"
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
    /// Within this every question is answered, if only that the database is unavailable.
    Duration budget{2000};
    /// How long an order waits for its next try, and how long questions are refused at once, when the database was
    /// found away.
    Duration retry{500};
    /// How long what happened is kept for people to read.
    std::int64_t park_events_days = 30;
  };

  /// To be used on the loop's thread; the loop must outlive it. Connects when there is something to ask.
  SqlStore(EventLoop& loop, Settings settings);
  /// Waits for what is under way, two seconds at most. Nobody is answered any more, and orders that wait for the
  /// database are dropped: their rows are found by the next parkd.
  ~SqlStore() override;

  void look_up(std::string tenant, std::string user, std::string dialled,
               Answer<Result<DialledFacts, StoreUnavailable>> answer) override;
  void claim_orbit(ParkedCallRow row, OrbitWish wish, Answer<Result<OrbitGot, ClaimOrbitFailure>> answer) override;
  void write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> answer) override;
  void claim_call(std::string tenant, RetrieveWish wish, std::string retriever,
                  Answer<Result<ParkedCallRow, ClaimCallFailure>> answer) override;
  void claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> answer) override;
  void unclaim_call(ParkId park_id) override;
  void write_retrieved(ParkedCallRow row) override;
  void remove(ParkId park_id, park::EndReason reason) override;
  void look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) override;
  void load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) override;

  void append(ParkEvent event) override;

  /// `changed` is called on the loop whenever a row of ours has become another: after it was made, written, won, given
  /// back or removed. What is undone because nobody waited for it any more, and what another node does, is not told.
  void set_on_changed(std::function<void(const CallChange&)> changed) { on_changed_ = std::move(changed); }

  /// Whether the last that was heard of the database was good.
  [[nodiscard]] bool available() const { return available_; }
  /// Orders that have not been carried out yet.
  [[nodiscard]] std::size_t waiting_orders() const { return waiting_orders_; }

 private:
  using Work = DatabaseWorkers::Work;
  using Report = DatabaseWorkers::Report;
  using Done = DatabaseWorkers::Done;
  using Ticket = std::uint64_t;
  // Work under one park_id that waits for its turn.
  struct Waiting {
    Work work;
    Done done;            // of an order: may be empty, and is called when it is carried out
    Ticket question = 0;  // 0: an order, tried until it is carried out
  };
  struct Queue {
    std::deque<Waiting> waiting;  // the first is under way, or waits for another try
    LoopHandle retry;
  };
  struct Question {
    LoopHandle timer;
    std::function<void()> give_up;
  };

  /// `undo` is carried out when `work` may have been done but `answer` was told otherwise.
  template <class T>
  void ask(const ParkId& park_id, std::function<T(DatabaseConnection&)> work, T unavailable, Answer<T> answer,
           Work undo);
  void order(const ParkId& park_id, Work work, Done done = nullptr);
  void undo_twice(const ParkId& park_id, const Work& undo);
  /// An order about a row of which only the name is known; the change is told.
  void order_by_name(const ParkId& park_id, void (ParkedCallsTable::*work)(const ParkId&));
  static void log_written(const ParkedCallRow& row);
  void tell_changed(const ParkedCallRow& row);
  void enqueue(const ParkId& park_id, Waiting waiting);
  void start_first(const ParkId& park_id);
  void on_report(const ParkId& park_id, const Report& report);
  void note(const ParkId& park_id, const Report& report);
  void tidy();

  EventLoop& loop_;
  const Settings settings_;
  const RowOwner owner_;
  std::function<void(const CallChange&)> on_changed_;
  bool available_ = true;
  MonotonicTime refused_until_{};
  Ticket last_ticket_ = 0;
  std::unordered_map<Ticket, Question> questions_;
  std::unordered_map<ParkId, Queue> queues_;
  std::unordered_map<Ticket, LoopHandle> second_undos_;
  std::size_t waiting_orders_ = 0;
  LoopHandle tidying_;
  DatabaseWorkers workers_;
};

}  // namespace callpark
