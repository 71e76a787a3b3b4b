#include "parkd/store/sql_store.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/store/call_claims.h"
#include "parkd/store/call_flows_table.h"
#include "parkd/store/dialled_facts_query.h"
#include "parkd/store/orbit_claims.h"
#include "parkd/store/park_events_table.h"
#include "parkd/store/parked_call_codec.h"
#include "parkd/store/parked_calls_table.h"

namespace callpark {
namespace {

constexpr std::size_t kOperationIdLength = 26;  // 130 bits
constexpr Duration kTidyingPeriod{30000};
// More than the events of a tidying period, so that a backlog shrinks; and few enough that other statements get a
// thread.
constexpr int kForgottenPiecesMax = 10;

constexpr const char* kNotOurs = "the row of this call is gone, or another process has adopted it";

std::string new_operation_id() {
  return random_token(kOperationIdLength);
}

// These lines lead to the other names of a call: its session in mediad, and the peer's Call-ID.
std::string stored_line(const ParkedCallRow& row) {
  if (row.state == RowState::kRetrieved) {
    return fmt::format("{} is stored: retrieved by {}, peer {}", row.park_id.text(),
                       row.retriever ? text_of(*row.retriever) : "", row.peer ? row.peer->call_id : "");
  }
  return fmt::format("{} is stored: at {}, media session {}", row.park_id.text(), row.orbit,
                     row.media ? row.media->session : "");
}

}  // namespace

SqlStore::SqlStore(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      owner_{settings_.node_name, wall_now().time_since_epoch().count(), settings_.wins_calls_of_others},
      statements_(loop,
                  {settings_.address, settings_.workers, settings_.queue_max, settings_.budget, settings_.retry}) {
  statements_.set_on_uncertain([this](const ParkId& park_id) { changes_.erase(park_id); });
  tidying_ = loop_.every(kTidyingPeriod, [this] { tidy(); });
}

void SqlStore::tidy() {
  statements_.try_once([this](DatabaseConnection& connection) { OrbitClaims(connection, owner_).forget_released(); });
  statements_.try_once([days = settings_.park_events_days](DatabaseConnection& connection) {
    for (int pieces = 0; pieces < kForgottenPiecesMax; ++pieces) {
      if (ParkEventsTable(connection).forget(days)) return;
    }
  });
  statements_.try_once([days = settings_.park_events_days](DatabaseConnection& connection) {
    for (int pieces = 0; pieces < kForgottenPiecesMax; ++pieces) {
      if (CallFlowsTable(connection).forget_old(days)) return;
    }
  });
}

SqlStore::~SqlStore() = default;

// ---- queries ----

void SqlStore::look_up(std::string tenant, std::string user, std::string dialled,
                       Answer<Result<DialledFacts, StoreUnavailable>> answer) {
  statements_.query<Result<DialledFacts, StoreUnavailable>>(
      {},
      [tenant = std::move(tenant), user = std::move(user), dialled = std::move(dialled)](
          DatabaseConnection& connection) { return query_dialled_facts(connection, tenant, user, dialled); },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

// An orbit that is being freed is in use for the other database connections until the table has done it.
void SqlStore::claim_orbit(ParkedCallRow row, OrbitRequest request,
                           Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> to) {
  const auto [first, last] = releases_.equal_range(row.tenant);
  if (first == last) return claim_once(std::move(row), std::move(request), std::move(to));
  std::vector<ParkId> releases;
  std::transform(first, last, std::back_inserter(releases), [](const auto& release) { return release.second; });
  Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> answer = [this, releases = std::move(releases), row, request,
                                                            to = std::move(to)](auto claimed) {
    if (claimed || claimed.error() == ClaimOrbitFailure::kUnavailable) return to(std::move(claimed));
    await(releases, [this, row, request, to] { claim_once(row, request, to); });
  };
  claim_once(std::move(row), std::move(request), std::move(answer));
}

void SqlStore::await(const std::vector<ParkId>& park_ids, const std::function<void()>& done) {
  const auto left = std::make_shared<std::size_t>(park_ids.size());
  for (const ParkId& park_id : park_ids) {
    statements_.query<bool>(
        park_id, [](DatabaseConnection&) { return true; }, false,
        [left, done](bool) {
          if (--*left == 0) done();
        });
  }
}

void SqlStore::claim_once(ParkedCallRow row, OrbitRequest request, Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> to) {
  const ParkId park_id = row.park_id;
  // No lamp of the orbit changes yet, but the caller's does, and the parker's if the parker had retrieved the call.
  const CallChange change =
      call_change(row.tenant, "", "", caller_uri_of(row.caller), Party(Extension{row.tenant, row.parker}));
  const bool moves = changes_.contains(park_id);
  const auto claim =
      std::make_shared<OrbitClaim>(OrbitClaim{std::move(row), std::move(request), new_operation_id(), moves, false});
  Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> answer =
      [this, change, claim, to = std::move(to)](Result<ClaimedOrbit, ClaimOrbitFailure> claimed) {
        if (claimed) {
          changes_[claim->row.park_id] = call_change(claim->row);
          report_change(change);
        }
        to(std::move(claimed));
      };
  statements_.query<Result<ClaimedOrbit, ClaimOrbitFailure>>(
      park_id, [this, claim](DatabaseConnection& connection) { return OrbitClaims(connection, owner_).claim(*claim); },
      failure(ClaimOrbitFailure::kUnavailable), std::move(answer),
      [this, claim](DatabaseConnection& connection) { OrbitClaims(connection, owner_).undo(*claim); });
}

void SqlStore::write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> to) {
  const ParkId park_id = row.park_id;
  Answer<Result<void, StoreUnavailable>> answer = [this, park_id, change = call_change(row), stored = stored_line(row),
                                                   call_id = row.caller.call_id,
                                                   to = std::move(to)](Result<void, StoreUnavailable> written) {
    if (written) {
      log_info(call_id, "{}", stored);
      CallChange& known = changes_[park_id];
      // A retriever that has won the call meanwhile stays in the row.
      auto retriever = std::exchange(known, change).retriever;
      if (!known.retriever) known.retriever = std::move(retriever);
      report_change(change);
    }
    to(written);
  };
  statements_.query<Result<void, StoreUnavailable>>(
      park_id,
      [this, row = std::move(row),
       operation_id = new_operation_id()](DatabaseConnection& connection) -> Result<void, StoreUnavailable> {
        if (ParkedCallsTable(connection, owner_).write(row, operation_id)) return {};
        log_warning(row.caller.call_id, kNotOurs);
        return failure(StoreUnavailable{});
      },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

void SqlStore::claim_call(std::string tenant, RetrieveRequest request, Party retriever,
                          Answer<Result<ParkedCallRow, ClaimCallFailure>> to) {
  Answer<Result<ParkedCallRow, ClaimCallFailure>> answer =
      [this, to = std::move(to)](Result<ParkedCallRow, ClaimCallFailure> won) {
        if (won) note_and_report(won->park_id, call_change(*won));
        to(std::move(won));
      };
  const auto claim = std::make_shared<CallClaim>(
      CallClaim{std::move(tenant), std::move(request), std::move(retriever), new_operation_id(), false});
  statements_.query<Result<ParkedCallRow, ClaimCallFailure>>(
      {}, [this, claim](DatabaseConnection& connection) { return CallClaims(connection, owner_).claim(*claim); },
      failure(ClaimCallFailure::kUnavailable), std::move(answer),
      [this, claim](DatabaseConnection& connection) {
        CallClaims(connection, owner_).undo(claim->tenant, claim->retrieve_id);
      });
}

void SqlStore::claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> to) {
  const ParkId park_id = row.park_id;
  Answer<Result<void, ClaimCallFailure>> answer = [this, park_id, change = call_change(row),
                                                   to = std::move(to)](Result<void, ClaimCallFailure> won) {
    if (won) note_and_report(park_id, change);
    to(won);
  };
  const std::string retrieve_id = new_operation_id();
  const CallStatements::Work undo = [this, tenant = row.tenant, retrieve_id](DatabaseConnection& connection) {
    CallClaims(connection, owner_).undo(tenant, retrieve_id);
  };
  statements_.query<Result<void, ClaimCallFailure>>(
      park_id,
      [this, row = std::move(row), retrieve_id](DatabaseConnection& connection) -> Result<void, ClaimCallFailure> {
        if (CallClaims(connection, owner_).claim_for_target(row, retrieve_id)) return {};
        return failure(ClaimCallFailure::kAlreadyPickedUp);
      },
      failure(ClaimCallFailure::kUnavailable), std::move(answer), undo);
}

void SqlStore::load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> to) {
  Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer =
      [this, to = std::move(to)](Result<std::vector<ParkedCallRow>, StoreUnavailable> rows) {
        if (rows) {
          for (const ParkedCallRow& row : *rows) changes_[row.park_id] = call_change(row);
        }
        to(std::move(rows));
      };
  statements_.query<Result<std::vector<ParkedCallRow>, StoreUnavailable>>(
      {},
      [this](DatabaseConnection& connection) {
        auto rows = ParkedCallsTable(connection, owner_).load();
        ParkEventsTable(connection).catch_up(owner_.node);
        return rows;
      },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

void SqlStore::look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) {
  statements_.query<Result<std::vector<Recipient>, StoreUnavailable>>(
      {},
      [event = std::move(event)](DatabaseConnection& connection) {
        return ParkEventsTable(connection).recipients(event);
      },
      failure(StoreUnavailable{}), std::move(answer), nullptr);
}

// ---- lasting writes ----

void SqlStore::unclaim_call(ParkId park_id) {
  write_by_id(
      park_id, [this, park_id](DatabaseConnection& connection) { CallClaims(connection, owner_).unclaim(park_id); },
      [this, park_id](const Before& before) {
        if (!before) return;
        report_change(*before);
        CallChange& now = changes_[park_id] = *before;
        now.retriever.reset();
      });
}

void SqlStore::write_retrieved(ParkedCallRow row) {
  const ParkId park_id = row.park_id;
  row.state = RowState::kRetrieved;
  const CallChange after = call_change(row);
  const std::string call_id = row.caller.call_id;
  const std::string stored = stored_line(row);
  release_by_id(
      park_id, after.tenant,
      [this, row = std::move(row), operation_id = new_operation_id()](DatabaseConnection& connection) {
        if (ParkedCallsTable(connection, owner_).write(row, operation_id)) return;
        log_warning(row.caller.call_id, kNotOurs);
      },
      [this, park_id, after, stored, call_id](const Before& before) {
        // The retriever before this one may have transferred the caller: that one's lamp changes too.
        const bool is_same = before && before->retriever == after.retriever && before->caller == after.caller;
        if (before && !is_same) report_change(*before);
        log_info(call_id, "{}", stored);
        note_and_report(park_id, after);
        // The row holds no orbit any more.
        changes_[park_id].orbit.clear();
        changes_[park_id].park_group.clear();
      });
}

void SqlStore::remove(ParkId park_id, park::EndReason, std::vector<EndedSegment> ended) {
  const auto known = changes_.find(park_id);
  release_by_id(
      park_id, known == changes_.end() ? "" : known->second.tenant,
      [this, park_id, ended = std::move(ended)](DatabaseConnection& connection) {
        ParkedCallsTable(connection, owner_).remove(park_id, ended);
      },
      [this, park_id](const Before& before) {
        changes_.erase(park_id);
        if (before) report_change(*before);
      });
}

void SqlStore::write_by_id(const ParkId& park_id, std::function<void(DatabaseConnection&)> work,
                           std::function<void(const Before&)> done) {
  statements_.write_lastingly(park_id, [this, park_id, work = std::move(work), done = std::move(done)] {
    // At the second try the row may be gone.
    const auto before = std::make_shared<Before>();
    if (const auto known = changes_.find(park_id); known != changes_.end()) *before = known->second;
    CallStatements::Work statements = [this, park_id, work, before](DatabaseConnection& connection) {
      if (!*before) *before = ParkedCallsTable(connection, owner_).change_of(park_id);
      work(connection);
    };
    return CallStatements::Write{std::move(statements),
                                 [before, done](const DatabaseWorkers::Report&) { done(*before); }};
  });
}

void SqlStore::release_by_id(const ParkId& park_id, std::string tenant, std::function<void(DatabaseConnection&)> work,
                             std::function<void(const Before&)> done) {
  const auto release = releases_.emplace(std::move(tenant), park_id);
  write_by_id(park_id, std::move(work), [this, release, done = std::move(done)](const Before& before) {
    releases_.erase(release);
    done(before);
  });
}

void SqlStore::note_and_report(const ParkId& park_id, const CallChange& change) {
  changes_[park_id] = change;
  report_change(change);
}

void SqlStore::report_change(const CallChange& change) {
  if (on_changed_) on_changed_(change);
}

// Waits for other work on its call, so that an event is recorded before the row that it is about may be gone.
void SqlStore::append(ParkEvent event) {
  log_info(event.sip_call_id, "{}", write_event(event));
  const ParkId park_id = event.park_id;
  statements_.write_lastingly(park_id, [event = std::move(event)](DatabaseConnection& connection) {
    ParkEventsTable(connection).append(event);
  });
}

}  // namespace callpark
