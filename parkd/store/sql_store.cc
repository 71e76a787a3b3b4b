#include "parkd/store/sql_store.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/store/dialled_facts_query.h"
#include "parkd/store/park_events_table.h"

namespace callpark {
namespace {

using Outcome = DatabaseWorkers::Outcome;

constexpr std::size_t kOperationIdLength = 26;  // 130 bits
constexpr Duration kTidyingPeriod{30000};
// More old events than come in the meantime: a backlog is worked off, and other statements find a thread.
constexpr int kForgottenPiecesMax = 10;
// A question that nobody waits for any more is not asked a second time.
constexpr Duration kAnswerMargin{200};

std::string new_operation_id() {
  return random_token(kOperationIdLength);
}

// As the column caller_uri says it.
std::string caller_uri_of(const DialogSnapshot& caller) {
  return caller.remote_aor.empty() ? caller.remote_uri : "sip:" + caller.remote_aor;
}

}  // namespace

SqlStore::SqlStore(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      owner_{settings_.node_name, wall_now().time_since_epoch().count(), settings_.wins_calls_of_others},
      workers_(loop, settings_.address, settings_.workers, settings_.queue_max) {
  tidying_ = loop_.every(kTidyingPeriod, [this] { tidy(); });
}

void SqlStore::tidy() {
  workers_.start(
      [this](DatabaseConnection& connection) { ParkedCallsTable(connection, owner_).forget_released_orbits(); },
      settings_.budget, [this](const Report& report) { note("", report); });
  workers_.start(
      [this](DatabaseConnection& connection) {
        for (int pieces = 0; pieces < kForgottenPiecesMax; ++pieces) {
          if (ParkEventsTable(connection).forget(settings_.park_events_days)) return;
        }
      },
      settings_.budget, [this](const Report& report) { note("", report); });
}

SqlStore::~SqlStore() = default;

// ---- the questions ----

void SqlStore::look_up(std::string tenant, std::string user, std::string dialled,
                       Answer<Result<DialledFacts, StoreUnavailable>> answer) {
  ask<Result<DialledFacts, StoreUnavailable>>(
      "",
      [tenant = std::move(tenant), user = std::move(user), dialled = std::move(dialled)](
          DatabaseConnection& connection) { return query_dialled_facts(connection, tenant, user, dialled); },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

void SqlStore::claim_orbit(ParkedCallRow row, OrbitWish wish, Answer<Result<OrbitGot, ClaimOrbitFailure>> to) {
  const ParkId park_id = row.park_id;
  // Of the orbit there is nothing to see yet, but the caller is parkd's from now on; the parker may have retrieved him
  // before.
  Answer<Result<OrbitGot, ClaimOrbitFailure>> answer =
      [this, change = CallChange{row.tenant, "", "", caller_uri_of(row.caller), row.parker},
       to = std::move(to)](Result<OrbitGot, ClaimOrbitFailure> got) {
        if (got && on_changed_) on_changed_(change);
        to(std::move(got));
      };
  const auto claim =
      std::make_shared<OrbitClaim>(OrbitClaim{std::move(row), std::move(wish), new_operation_id(), false});
  ask<Result<OrbitGot, ClaimOrbitFailure>>(
      park_id,
      [this, claim](DatabaseConnection& connection) {
        return ParkedCallsTable(connection, owner_).claim_orbit(*claim);
      },
      failure(ClaimOrbitFailure::kUnavailable), std::move(answer),
      [this, claim](DatabaseConnection& connection) { ParkedCallsTable(connection, owner_).undo(*claim); });
}

void SqlStore::write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> to) {
  const ParkId park_id = row.park_id;
  Answer<Result<void, StoreUnavailable>> answer = [this, row,
                                                   to = std::move(to)](Result<void, StoreUnavailable> written) {
    if (written) {
      log_written(row);
      tell_changed(row);
    }
    to(written);
  };
  ask<Result<void, StoreUnavailable>>(
      park_id,
      [this, row = std::move(row),
       operation_id = new_operation_id()](DatabaseConnection& connection) -> Result<void, StoreUnavailable> {
        if (ParkedCallsTable(connection, owner_).write(row, operation_id)) return {};
        log_warning(row.caller.call_id, "the row of this call is not ours any more");
        return failure(StoreUnavailable{});
      },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

void SqlStore::claim_call(std::string tenant, RetrieveWish wish, std::string retriever,
                          Answer<Result<ParkedCallRow, ClaimCallFailure>> to) {
  Answer<Result<ParkedCallRow, ClaimCallFailure>> answer =
      [this, to = std::move(to)](Result<ParkedCallRow, ClaimCallFailure> won) {
        if (won) tell_changed(*won);
        to(std::move(won));
      };
  const auto claim = std::make_shared<CallClaim>(
      CallClaim{std::move(tenant), std::move(wish), std::move(retriever), new_operation_id(), false});
  ask<Result<ParkedCallRow, ClaimCallFailure>>(
      "",
      [this, claim](DatabaseConnection& connection) { return ParkedCallsTable(connection, owner_).claim_call(*claim); },
      failure(ClaimCallFailure::kUnavailable), std::move(answer),
      [this, claim](DatabaseConnection& connection) { ParkedCallsTable(connection, owner_).undo(*claim); });
}

void SqlStore::claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> to) {
  Answer<Result<void, ClaimCallFailure>> answer = [this, row, to = std::move(to)](Result<void, ClaimCallFailure> won) {
    if (won) tell_changed(row);
    to(won);
  };
  const ParkId park_id = row.park_id;
  const CallClaim claim{row.tenant, {}, row.retriever, new_operation_id(), false};
  ask<Result<void, ClaimCallFailure>>(
      park_id,
      [this, row = std::move(row),
       retrieve_id = claim.retrieve_id](DatabaseConnection& connection) -> Result<void, ClaimCallFailure> {
        if (ParkedCallsTable(connection, owner_).claim_for_target(row, retrieve_id)) return {};
        return failure(ClaimCallFailure::kAlreadyPickedUp);
      },
      failure(ClaimCallFailure::kUnavailable), std::move(answer),
      [this, claim](DatabaseConnection& connection) { ParkedCallsTable(connection, owner_).undo(claim); });
}

void SqlStore::load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) {
  ask<Result<std::vector<ParkedCallRow>, StoreUnavailable>>(
      "",
      [this](DatabaseConnection& connection) {
        auto rows = ParkedCallsTable(connection, owner_).load();
        ParkEventsTable(connection).catch_up(owner_.node);
        return rows;
      },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

void SqlStore::look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) {
  ask<Result<std::vector<Recipient>, StoreUnavailable>>(
      "",
      [event = std::move(event)](DatabaseConnection& connection) {
        return ParkEventsTable(connection).recipients(event);
      },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

template <class T>
void SqlStore::ask(const ParkId& park_id, std::function<T(DatabaseConnection&)> work, T unavailable, Answer<T> answer,
                   Work undo) {
  const Ticket ticket = ++last_ticket_;
  const bool refused = monotonic_now() < refused_until_;
  questions_[ticket] = {loop_.after(refused ? Duration(0) : settings_.budget,
                                    [this, ticket] {
                                      const Question question = std::move(questions_.extract(ticket).mapped());
                                      question.give_up();
                                    }),
                        [answer, unavailable] { answer(unavailable); }};
  if (refused) return;
  // Written by the worker before the loop hears of it.
  const auto result = std::make_shared<std::optional<T>>();
  Waiting waiting{
      .work = [work = std::move(work), result](DatabaseConnection& connection) { *result = work(connection); },
      .done =
          [this, park_id, ticket, result, unavailable, answer = std::move(answer),
           undo = std::move(undo)](const Report& report) {
            const bool waited_for = questions_.erase(ticket) != 0;
            const bool done = report.outcome == Outcome::kDone;
            const bool nothing_done = report.outcome == Outcome::kBusy || report.outcome == Outcome::kAway;
            if (undo && !nothing_done && !(done && waited_for)) {
              undo_twice(park_id.empty() ? new_operation_id() : park_id, undo);
            }
            if (waited_for) answer(done ? std::move(**result) : unavailable);
          },
      .question = ticket};
  if (park_id.empty()) {
    workers_.start(std::move(waiting.work), settings_.budget - kAnswerMargin,
                   [this, done = std::move(waiting.done)](const Report& report) {
                     note("", report);
                     done(report);
                   });
  } else {
    enqueue(park_id, std::move(waiting));
  }
}

// A write that reached a server which was stopped is done when the server goes on, maybe just after the first undo.
void SqlStore::undo_twice(const ParkId& park_id, const Work& undo) {
  order(park_id, undo, [this, park_id, undo](const Report&) {
    const Ticket ticket = ++last_ticket_;
    second_undos_[ticket] = loop_.after(settings_.budget, [this, park_id, undo, ticket] {
      order(park_id, undo);
      second_undos_.erase(ticket);
    });
  });
}

// ---- the orders ----

void SqlStore::unclaim_call(ParkId park_id) {
  order_by_name(park_id, &ParkedCallsTable::unclaim_call);
}

void SqlStore::write_retrieved(ParkedCallRow row) {
  const ParkId park_id = row.park_id;
  row.state = RowState::kRetrieved;
  // Whoever talked until now may have transferred the caller: his lamp changes too. Kept from the first try on.
  const auto before = std::make_shared<std::optional<CallChange>>();
  order(
      park_id,
      [this, row, before, operation_id = new_operation_id()](DatabaseConnection& connection) {
        ParkedCallsTable table(connection, owner_);
        if (!*before) *before = table.change_of(row.park_id);
        if (table.write(row, operation_id)) return;
        log_warning(row.caller.call_id, "the row of this call is not ours any more");
      },
      [this, row, before](const Report&) {
        const bool are_same =
            *before && (*before)->retriever == row.retriever && (*before)->caller_uri == caller_uri_of(row.caller);
        if (*before && !are_same && on_changed_) on_changed_(**before);
        log_written(row);
        tell_changed(row);
      });
}

void SqlStore::remove(ParkId park_id, park::EndReason) {
  order_by_name(park_id, &ParkedCallsTable::remove);
}

void SqlStore::order_by_name(const ParkId& park_id, void (ParkedCallsTable::*work)(const ParkId&)) {
  // Kept from the first try on: at the next the row may be gone.
  const auto change = std::make_shared<std::optional<CallChange>>();
  order(
      park_id,
      [this, park_id, work, change](DatabaseConnection& connection) {
        ParkedCallsTable table(connection, owner_);
        if (!*change) *change = table.change_of(park_id);
        (table.*work)(park_id);
      },
      [this, change](const Report&) {
        if (*change && on_changed_) on_changed_(**change);
      });
}

// By these lines the names that a call has elsewhere are found: its session in mediad, and the peer's Call-ID.
void SqlStore::log_written(const ParkedCallRow& row) {
  if (row.state == RowState::kRetrieved) {
    log_info(row.caller.call_id, "{} is stored: retrieved by {}, peer {}", row.park_id, row.retriever,
             row.peer ? row.peer->call_id : "");
  } else {
    log_info(row.caller.call_id, "{} is stored: at {}, media session {}", row.park_id, row.orbit,
             row.media ? row.media->session : "");
  }
}

void SqlStore::tell_changed(const ParkedCallRow& row) {
  if (on_changed_) on_changed_({row.tenant, row.orbit, row.park_group, caller_uri_of(row.caller), row.retriever});
}

// In the queue of its call: what is told stands there before the row that says so may be gone.
void SqlStore::append(ParkEvent event) {
  log_info(event.sip_call_id, "{}", write_event(event));
  const ParkId park_id = event.park_id;
  order(park_id,
        [event = std::move(event)](DatabaseConnection& connection) { ParkEventsTable(connection).append(event); });
}

void SqlStore::order(const ParkId& park_id, Work work, Done done) {
  ++waiting_orders_;
  enqueue(park_id, {.work = std::move(work), .done = std::move(done)});
}

// ---- one by one ----

void SqlStore::enqueue(const ParkId& park_id, Waiting waiting) {
  Queue& queue = queues_[park_id];
  queue.waiting.push_back(std::move(waiting));
  if (queue.waiting.size() == 1) start_first(park_id);
}

void SqlStore::start_first(const ParkId& park_id) {
  Queue& queue = queues_.at(park_id);
  const auto answered_already = [this](const Waiting& waiting) {
    return waiting.question != 0 && !questions_.contains(waiting.question);
  };
  while (!queue.waiting.empty() && answered_already(queue.waiting.front())) queue.waiting.pop_front();
  if (queue.waiting.empty()) {
    queues_.erase(park_id);
    return;
  }
  workers_.start(queue.waiting.front().work, settings_.budget - kAnswerMargin,
                 [this, park_id](const Report& report) { on_report(park_id, report); });
}

void SqlStore::on_report(const ParkId& park_id, const Report& report) {
  note(park_id, report);
  Queue& queue = queues_.at(park_id);
  const bool is_order = queue.waiting.front().question == 0;
  if (is_order && report.outcome != Outcome::kDone && report.outcome != Outcome::kImpossible) {
    queue.retry = loop_.after(settings_.retry, [this, park_id] { start_first(park_id); });
    return;
  }
  if (is_order) --waiting_orders_;
  const Done done = std::move(queue.waiting.front().done);
  queue.waiting.pop_front();
  start_first(park_id);
  if (done) done(report);
}

void SqlStore::note(const ParkId& park_id, const Report& report) {
  if (report.outcome == Outcome::kImpossible) log_error(park_id, "the database refused: {}", report.words);
  const bool away = report.outcome == Outcome::kAway || report.outcome == Outcome::kUncertain;
  if (away) refused_until_ = monotonic_now() + settings_.retry;
  if (away == !available_) return;
  available_ = !away;
  if (away) {
    log_error("", "the database is away: {}", report.words);
  } else {
    log_info("", "the database is back");
  }
}

}  // namespace callpark
