#include "parkd/store/parked_calls_table.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/store/parked_call_codec.h"

namespace callpark {
namespace {

using Value = DatabaseConnection::Value;
using Row = DatabaseConnection::Row;

// Guesses for a random orbit before the free ones are counted.
constexpr int kRandomTries = 8;
// Up to here a tenant can use all its random orbits up, and the free ones are worth counting.
constexpr int kCountableDigits = 4;
// For so long a late retriever is told that somebody was quicker, and not that nothing was there.
constexpr int kPickedUpSeconds = 3;

// Times go in and out as milliseconds since 1970, so that neither side parses the other's text.
constexpr const char* kColumns =
    "park_id, tenant, orbit, slot, state, parker, retriever, music_class, caller_dialog, peer_dialog, media, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', parked_at) DIV 1000, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', deadline) DIV 1000, owner, epoch, park_group, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', recall_deadline) DIV 1000, recall";

const char* name_of(RowState state) {
  switch (state) {
    case RowState::kAdopting:
      return "adopting";
    case RowState::kParked:
      return "parked";
    case RowState::kRetrieving:
      return "retrieving";
    case RowState::kRetrieved:
      return "retrieved";
  }
  return "";
}

RowState state_of(std::string_view name) {
  for (const RowState state : {RowState::kAdopting, RowState::kParked, RowState::kRetrieving}) {
    if (name == name_of(state)) return state;
  }
  return RowState::kRetrieved;
}

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

std::string text(const Row& row, std::size_t column) {
  return row.at(column).value_or("");
}

std::int64_t integer(const Row& row, std::size_t column) {
  return row.at(column) ? std::stoll(*row.at(column)) : 0;
}

template <class T>
T or_throw(Result<T, BadColumn> parsed) {
  if (!parsed) throw std::runtime_error(parsed.error().why);
  return std::move(*parsed);
}

// Throws std::runtime_error when a column is not what we write.
ParkedCallRow row_of(const Row& row) {
  ParkedCallRow call;
  call.park_id = text(row, 0);
  call.tenant = text(row, 1);
  call.orbit = text(row, 2);
  call.slot = static_cast<int>(integer(row, 3));
  call.state = state_of(text(row, 4));
  call.parker = text(row, 5);
  call.retriever = text(row, 6);
  call.music_class = text(row, 7);
  call.caller = or_throw(parse_dialog(text(row, 8)));
  if (row.at(9)) call.peer = or_throw(parse_dialog(*row.at(9)));
  if (row.at(10)) call.media = or_throw(parse_media(*row.at(10)));
  call.parked_at = WallTime(Duration(integer(row, 11)));
  call.deadline = WallTime(Duration(integer(row, 12)));
  call.owner = text(row, 13);
  call.epoch = static_cast<std::uint64_t>(integer(row, 14));
  call.park_group = text(row, 15);
  call.recall_deadline = WallTime(Duration(integer(row, 16)));
  if (row.at(17)) {
    const auto recall = or_throw(parse_recall(*row.at(17)));
    call.recall = recall.settings;
    call.ladder = recall.ladder;
  }
  return call;
}

// The columns that are written whenever a row is, in the order of kWritten.
std::vector<Value> written(const ParkedCallRow& row, const RowOwner& owner, const std::string& operation_id) {
  const bool holds_orbit = row.state != RowState::kRetrieved;
  const bool is_recalled = holds_orbit && row.recall.mode != park::RecallMode::kOff;
  return {row.tenant,
          holds_orbit ? Value(row.orbit) : Value(nullptr),
          holds_orbit ? Value(std::int64_t{row.slot}) : Value(nullptr),
          row.parker,
          row.music_class,
          write_dialog(row.caller),
          row.peer ? Value(write_dialog(*row.peer)) : Value(nullptr),
          row.media ? Value(write_media(*row.media)) : Value(nullptr),
          milliseconds(row.parked_at),
          milliseconds(row.deadline),
          holds_orbit && !row.park_group.empty() ? Value(row.park_group) : Value(nullptr),
          is_recalled ? Value(milliseconds(row.recall_deadline)) : Value(nullptr),
          std::int64_t{row.ladder.attempts},
          is_recalled ? Value(write_recall({row.recall, row.ladder})) : Value(nullptr),
          owner.node,
          owner.epoch,
          operation_id};
}
constexpr const char* kWritten =
    "tenant = ?, orbit = ?, slot = ?, parker = ?, music_class = ?, caller_dialog = ?, peer_dialog = ?, media = ?, "
    "parked_at = TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), "
    "deadline = TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), park_group = ?, "
    "recall_deadline = TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), recall_attempts = ?, recall = ?, owner = ?, "
    "epoch = ?, operation_id = ?";

}  // namespace

// ---- a free orbit ----

Result<OrbitGot, ClaimOrbitFailure> ParkedCallsTable::claim_orbit(OrbitClaim& claim) {
  const auto found = connection_.query("SELECT 1 FROM parked_calls WHERE park_id = ?", {claim.row.park_id});
  if (const auto got = orbit_got(claim)) return *got;
  if (too_many_parked(claim.row.tenant, claim.wish.parked_calls_max)) {
    return failure(ClaimOrbitFailure::kTooManyParked);
  }
  claim.moves = !found.empty();
  claim.row.state = RowState::kAdopting;
  const Put outcome = put_somewhere(claim);
  if (outcome == Put::kDone) return OrbitGot{claim.row.orbit, claim.row.slot};
  // The statement of a connection that broke may be carried out beside this one: then our own is in the way.
  if (const auto got = orbit_got(claim)) return *got;
  return failure(outcome == Put::kPlaceTaken ? ClaimOrbitFailure::kTaken : ClaimOrbitFailure::kUnavailable);
}

std::optional<OrbitGot> ParkedCallsTable::orbit_got(const OrbitClaim& claim) {
  const auto rows = connection_.query("SELECT orbit, slot FROM parked_calls WHERE park_id = ? AND operation_id = ?",
                                      {claim.row.park_id, claim.operation_id});
  if (rows.empty()) return std::nullopt;
  return OrbitGot{text(rows[0], 0), static_cast<int>(integer(rows[0], 1))};
}

// The unique key decides: who comes second is refused by it.
ParkedCallsTable::Put ParkedCallsTable::put(OrbitClaim& claim, const std::string& orbit, int slot) {
  claim.row.orbit = orbit;
  claim.row.slot = slot;
  try {
    const int changed = claim.moves ? update(claim.row, claim.operation_id) : insert(claim.row, claim.operation_id);
    return changed == 1 ? Put::kDone : Put::kNotOurs;
  } catch (const DatabaseError& error) {
    if (error.kind() != DatabaseError::Kind::kDuplicate) throw;
    return Put::kPlaceTaken;
  }
}

ParkedCallsTable::Put ParkedCallsTable::put_somewhere(OrbitClaim& claim) {
  if (!claim.wish.orbits.empty()) return put_at_wished(claim);
  return claim.wish.range ? put_in_range(claim) : put_at_random(claim);
}

ParkedCallsTable::Put ParkedCallsTable::put_at_wished(OrbitClaim& claim) {
  for (const std::string& orbit : claim.wish.orbits) {
    // A call in a place that is not asked for counts too: the older one of two was retrieved, or more were allowed.
    if (calls_at(claim.row.tenant, orbit) >= claim.wish.calls_per_orbit_max) continue;
    for (int slot = 1; slot <= claim.wish.calls_per_orbit_max; ++slot) {
      const Put outcome = put(claim, orbit, slot);
      if (outcome != Put::kPlaceTaken) return outcome;
    }
  }
  return Put::kPlaceTaken;
}

ParkedCallsTable::Put ParkedCallsTable::put_in_range(OrbitClaim& claim) {
  for (const std::string& orbit : free_orbits_of(claim.row.tenant, *claim.wish.range)) {
    const Put outcome = put(claim, orbit, 1);
    if (outcome != Put::kPlaceTaken) return outcome;
  }
  return Put::kPlaceTaken;
}

ParkedCallsTable::Put ParkedCallsTable::put_at_random(OrbitClaim& claim) {
  for (int tries = 0; tries < kRandomTries; ++tries) {
    const std::string orbit = "*" + random_digits(static_cast<std::size_t>(claim.wish.random_digits));
    if (is_reserved(claim.row.tenant, orbit)) continue;
    const Put outcome = put(claim, orbit, 1);
    if (outcome != Put::kPlaceTaken) return outcome;
  }
  if (claim.wish.random_digits > kCountableDigits) return Put::kPlaceTaken;
  std::vector<std::string> left = free_random_orbits(claim.row.tenant, claim.wish.random_digits);
  while (!left.empty()) {
    std::swap(left.back(), left[random_below(left.size())]);
    const Put outcome = is_reserved(claim.row.tenant, left.back()) ? Put::kPlaceTaken : put(claim, left.back(), 1);
    if (outcome != Put::kPlaceTaken) return outcome;
    left.pop_back();
  }
  return Put::kPlaceTaken;
}

void ParkedCallsTable::undo(const OrbitClaim& claim) {
  connection_.execute(claim.moves ? "UPDATE parked_calls SET state = 'retrieved', orbit = NULL, slot = NULL "
                                    "WHERE park_id = ? AND operation_id = ?"
                                  : "DELETE FROM parked_calls WHERE park_id = ? AND operation_id = ?",
                      {claim.row.park_id, claim.operation_id});
}

bool ParkedCallsTable::too_many_parked(const std::string& tenant, int parked_calls_max) {
  if (parked_calls_max == 0) return false;
  const auto rows =
      connection_.query("SELECT COUNT(*) FROM parked_calls WHERE tenant = ? AND orbit IS NOT NULL", {tenant});
  return integer(rows.at(0), 0) >= parked_calls_max;
}

int ParkedCallsTable::calls_at(const std::string& tenant, const std::string& orbit) {
  const auto rows =
      connection_.query("SELECT COUNT(*) FROM parked_calls WHERE tenant = ? AND orbit = ?", {tenant, orbit});
  return static_cast<int>(integer(rows.at(0), 0));
}

// In quarantine, or of a range: its orbits may begin with a star too.
bool ParkedCallsTable::is_reserved(const std::string& tenant, const std::string& orbit) {
  return !connection_
              .query(
                  "SELECT 1 FROM released_orbits "
                  "WHERE tenant = ? AND orbit = ? AND quarantined_until > UTC_TIMESTAMP(3) UNION ALL "
                  "SELECT 1 FROM orbit_ranges WHERE tenant = ? AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(?) "
                  "AND ? BETWEEN first_orbit AND last_orbit",
                  {tenant, orbit, tenant, orbit, orbit})
              .empty();
}

// In the order in which they are to be taken: those that were never used, then the one that was freed first.
std::vector<std::string> ParkedCallsTable::free_orbits_of(const std::string& tenant, const OrbitRange& range) {
  std::set<std::string> used;
  std::vector<std::string> freed;
  // As text, 701 lies between 70 and 79.
  const std::string among = " AND CHAR_LENGTH(orbit) = CHAR_LENGTH(?) AND orbit BETWEEN ? AND ? ";
  for (const Row& row : connection_.query("SELECT orbit FROM parked_calls WHERE tenant = ?" + among,
                                          {tenant, range.first, range.first, range.last})) {
    used.insert(text(row, 0));
  }
  for (const Row& row :
       connection_.query("SELECT orbit FROM released_orbits WHERE tenant = ?" + among + "ORDER BY released_at, orbit",
                         {tenant, range.first, range.first, range.last})) {
    if (used.insert(text(row, 0)).second) freed.push_back(text(row, 0));
  }
  std::vector<std::string> left;
  const std::size_t star = range.first.starts_with('*') ? 1 : 0;
  const std::size_t digits = range.first.size() - star;
  const std::int64_t last = std::stoll(range.last.substr(star));
  for (std::int64_t number = std::stoll(range.first.substr(star)); number <= last; ++number) {
    std::string orbit = std::to_string(number);
    orbit.insert(0, digits - orbit.size(), '0');
    if (star != 0) orbit.insert(0, 1, '*');
    if (!used.contains(orbit)) left.push_back(std::move(orbit));
  }
  left.insert(left.end(), freed.begin(), freed.end());
  return left;
}

std::vector<std::string> ParkedCallsTable::free_random_orbits(const std::string& tenant, int digits) {
  std::set<std::string> busy;
  for (const Row& row :
       connection_.query("SELECT orbit FROM parked_calls WHERE tenant = ? AND orbit LIKE '*%' UNION ALL "
                         "SELECT orbit FROM released_orbits "
                         "WHERE tenant = ? AND orbit LIKE '*%' AND quarantined_until > UTC_TIMESTAMP(3)",
                         {tenant, tenant})) {
    busy.insert(text(row, 0));
  }
  // With a 1 before it, a number keeps its leading zeros.
  int first = 1;
  for (int digit = 0; digit < digits; ++digit) first *= 10;
  std::vector<std::string> left;
  for (int number = first; number < 2 * first; ++number) {
    std::string orbit = "*" + std::to_string(number).substr(1);
    if (!busy.contains(orbit)) left.push_back(std::move(orbit));
  }
  return left;
}

int ParkedCallsTable::insert(const ParkedCallRow& row, const std::string& operation_id) {
  std::vector<Value> values = written(row, owner_, operation_id);
  values.insert(values.end(), {row.retriever, std::string(name_of(row.state)), row.park_id});
  return connection_.execute(
      "INSERT INTO parked_calls SET " + std::string(kWritten) + ", retriever = ?, state = ?, park_id = ?", values);
}

// A call that somebody has won meanwhile stays his, unless it is written that he talks to the caller. The state comes
// last, since what stands before it is to see the old one.
int ParkedCallsTable::update(const ParkedCallRow& row, const std::string& operation_id) {
  const std::string state = name_of(row.state);
  std::vector<Value> values = written(row, owner_, operation_id);
  values.insert(values.end(), {state, row.retriever, state, state, row.park_id, owner_.node, owner_.epoch});
  return connection_.execute("UPDATE parked_calls SET " + std::string(kWritten) +
                                 ", retriever = IF(state = 'retrieving' AND ? <> 'retrieved', retriever, ?)"
                                 ", state = IF(state = 'retrieving' AND ? <> 'retrieved', state, ?) "
                                 "WHERE park_id = ? AND owner = ? AND epoch = ?",
                             values);
}

// ---- the row as it is ----

bool ParkedCallsTable::write(const ParkedCallRow& row, const std::string& operation_id) {
  if (update(row, operation_id) == 1) return true;
  // Written before the connection broke: nothing was left to change.
  return !connection_
              .query("SELECT 1 FROM parked_calls WHERE park_id = ? AND operation_id = ?", {row.park_id, operation_id})
              .empty();
}

std::optional<CallChange> ParkedCallsTable::change_of(const ParkId& park_id) {
  const auto rows = connection_.query(
      "SELECT tenant, COALESCE(orbit, ''), COALESCE(park_group, ''), caller_uri, retriever FROM parked_calls WHERE "
      "park_id = ?",
      {park_id});
  if (rows.empty()) return std::nullopt;
  const Row& row = rows.front();
  return CallChange{text(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4)};
}

void ParkedCallsTable::remove(const ParkId& park_id) {
  connection_.execute("DELETE FROM parked_calls WHERE park_id = ? AND owner = ? AND epoch = ?",
                      {park_id, owner_.node, owner_.epoch});
}

std::vector<ParkedCallRow> ParkedCallsTable::load() {
  connection_.execute("UPDATE parked_calls SET epoch = ? WHERE owner = ?", {owner_.epoch, owner_.node});
  std::vector<ParkedCallRow> calls;
  for (const Row& row :
       connection_.query("SELECT " + std::string(kColumns) + " FROM parked_calls WHERE owner = ? AND epoch = ?",
                         {owner_.node, owner_.epoch})) {
    try {
      calls.push_back(row_of(row));
    } catch (const std::runtime_error& error) {
      log_error(text(row, 0), "the row of this parked call cannot be read, its call is lost: {}", error.what());
    }
  }
  return calls;
}

// ---- retrieving ----

Result<ParkedCallRow, ClaimCallFailure> ParkedCallsTable::claim_call(CallClaim& claim) {
  const bool is_repeated = std::exchange(claim.tried, true);
  if (is_repeated) {
    if (auto row = call_won(claim)) return std::move(*row);
  }
  bool picked_up = false;
  for (const std::string& orbit : claim.wish.orbits) {
    if (!win(claim, "orbit", orbit)) {
      picked_up = picked_up || was_picked_up(claim.tenant, orbit);
    } else if (auto row = call_won(claim)) {
      return std::move(*row);
    }  // else it ended this very moment
  }
  if (const std::string& group = claim.wish.park_group; !group.empty()) {
    if (!win(claim, "park_group", group)) {
      picked_up = picked_up || was_picked_up_in_group(claim.tenant, group);
    } else if (auto row = call_won(claim)) {
      return std::move(*row);
    }
  }
  // The statement of a connection that broke may be carried out while this one waits: then it is ours that has won.
  if (is_repeated) {
    if (auto row = call_won(claim)) return std::move(*row);
  }
  return failure(picked_up ? ClaimCallFailure::kAlreadyPickedUp : ClaimCallFailure::kNoneParked);
}

// Of two retrievers, the second finds the state changed.
bool ParkedCallsTable::win(const CallClaim& claim, const char* where, const std::string& place) {
  return connection_.execute(
             "UPDATE parked_calls SET state = 'retrieving', retriever = ?, owner = ?, epoch = ?, retrieve_id = ? "
             "WHERE tenant = ? AND " +
                 std::string(where) +
                 " = ? AND state = 'parked' AND (owner = ? OR ?) "
                 "ORDER BY parked_at, park_id LIMIT 1",
             {claim.retriever, owner_.node, owner_.epoch, claim.retrieve_id, claim.tenant, place, owner_.node,
              owner_.wins_calls_of_others ? 1 : 0}) == 1;
}

std::optional<ParkedCallRow> ParkedCallsTable::call_won(const CallClaim& claim) {
  const auto rows =
      connection_.query("SELECT " + std::string(kColumns) +
                            " FROM parked_calls WHERE tenant = ? AND retrieve_id = ? AND state = 'retrieving'",
                        {claim.tenant, claim.retrieve_id});
  if (rows.empty()) return std::nullopt;
  return row_of(rows.front());
}

bool ParkedCallsTable::was_picked_up(const std::string& tenant, const std::string& orbit) {
  return !connection_
              .query(
                  "SELECT 1 FROM parked_calls WHERE tenant = ? AND orbit = ? AND state = 'retrieving' UNION ALL "
                  "SELECT 1 FROM released_orbits WHERE tenant = ? AND orbit = ? AND was_retrieved "
                  "AND released_at > UTC_TIMESTAMP(3) - INTERVAL " +
                      std::to_string(kPickedUpSeconds) + " SECOND LIMIT 1",
                  {tenant, orbit, tenant, orbit})
              .empty();
}

// The row of a call that was retrieved knows its group no more, but what is told of it does.
bool ParkedCallsTable::was_picked_up_in_group(const std::string& tenant, const std::string& park_group) {
  return !connection_
              .query(
                  "SELECT 1 FROM parked_calls WHERE tenant = ? AND park_group = ? AND state = 'retrieving' UNION ALL "
                  "SELECT 1 FROM park_events WHERE tenant = ? AND park_group = ? AND event = 'retrieved' "
                  "AND at > UTC_TIMESTAMP(3) - INTERVAL " +
                      std::to_string(kPickedUpSeconds) + " SECOND LIMIT 1",
                  {tenant, park_group, tenant, park_group})
              .empty();
}

void ParkedCallsTable::undo(const CallClaim& claim) {
  connection_.execute(
      "UPDATE parked_calls SET state = 'parked', retriever = '', retrieve_id = '' "
      "WHERE tenant = ? AND retrieve_id = ? AND state = 'retrieving'",
      {claim.tenant, claim.retrieve_id});
}

bool ParkedCallsTable::claim_for_target(const ParkedCallRow& row, const std::string& retrieve_id) {
  const int changed = connection_.execute(
      "UPDATE parked_calls SET state = 'retrieving', retriever = ?, retrieve_id = ?, peer_dialog = ? "
      "WHERE park_id = ? AND state = 'parked' AND owner = ? AND epoch = ?",
      {row.retriever, retrieve_id, row.peer ? Value(write_dialog(*row.peer)) : Value(nullptr), row.park_id, owner_.node,
       owner_.epoch});
  if (changed == 1) return true;
  return !connection_
              .query("SELECT 1 FROM parked_calls WHERE park_id = ? AND retrieve_id = ? AND state = 'retrieving'",
                     {row.park_id, retrieve_id})
              .empty();
}

void ParkedCallsTable::unclaim_call(const ParkId& park_id) {
  connection_.execute(
      "UPDATE parked_calls SET state = 'parked', retriever = '', retrieve_id = '' "
      "WHERE park_id = ? AND state IN ('adopting', 'retrieving') AND owner = ? AND epoch = ?",
      {park_id, owner_.node, owner_.epoch});
}

// Those of ranges are kept: which was freed first matters as long as the range stands, and they are no more than it
// has.
void ParkedCallsTable::forget_released_orbits() {
  connection_.execute(
      "DELETE FROM released_orbits WHERE quarantined_until < UTC_TIMESTAMP(3) - INTERVAL 1 MINUTE "
      "AND NOT EXISTS (SELECT 1 FROM orbit_ranges r WHERE r.tenant = released_orbits.tenant "
      "AND CHAR_LENGTH(released_orbits.orbit) = CHAR_LENGTH(r.first_orbit) "
      "AND released_orbits.orbit BETWEEN r.first_orbit AND r.last_orbit) LIMIT 1000");
}

}  // namespace callpark
