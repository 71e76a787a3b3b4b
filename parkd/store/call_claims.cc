#include "parkd/store/call_claims.h"

#include <utility>

#include "parkd/store/parked_call_codec.h"

namespace callpark {
namespace {

using Value = DatabaseConnection::Value;

// For so long a late retriever learns that another one was faster, and not that no call is there.
constexpr int kPickedUpSeconds = 3;

}  // namespace

Result<ParkedCallRow, ClaimCallFailure> CallClaims::claim(CallClaim& claim) {
  const bool is_repeated = std::exchange(claim.was_tried, true);
  if (is_repeated) {
    if (auto row = call_won(claim)) return std::move(*row);
  }
  bool picked_up = false;
  for (const std::string& orbit : claim.request.orbits) {
    if (auto row = win(claim, "orbit", orbit)) return std::move(*row);
    picked_up = picked_up || was_picked_up(claim.tenant, orbit);
  }
  if (const std::string& group = claim.request.park_group; !group.empty()) {
    if (auto row = win(claim, "park_group", group)) return std::move(*row);
    picked_up = picked_up || was_picked_up_in_group(claim.tenant, group);
  }
  // The server may execute the statement of a broken connection while this one waits: then that one has won the call.
  if (is_repeated) {
    if (auto row = call_won(claim)) return std::move(*row);
  }
  return failure(picked_up ? ClaimCallFailure::kAlreadyPickedUp : ClaimCallFailure::kNoneParked);
}

// The oldest call, read in the order of an index, and then won by its key if it is as it was read. Of two retrievers,
// the second finds the state changed, and looks for the next call.
std::optional<ParkedCallRow> CallClaims::win(const CallClaim& claim, const char* where, const std::string& value) {
  const std::int64_t of_others = owner_.wins_calls_of_others ? 1 : 0;
  const std::string only = claim.request.only.value_or(ParkId()).text();
  const std::int64_t wins_any = claim.request.only ? 0 : 1;
  while (true) {
    const auto rows = connection_.query("SELECT " + std::string(kParkedCallColumns) +
                                            ", operation_id FROM parked_calls WHERE tenant = ? AND " + where +
                                            " = ? AND state = 'parked' AND (owner = ? OR ?) AND (park_id = ? OR ?) "
                                            "ORDER BY parked_at, park_id LIMIT 1",
                                        {claim.tenant, value, owner_.node, of_others, only, wins_any});
    if (rows.empty()) return std::nullopt;
    ParkedCallRow row = parked_call_of(rows.front());
    const int changed = connection_.execute(
        "UPDATE parked_calls SET state = 'retrieving', retriever = ?, owner = ?, epoch = ?, retrieve_id = ? "
        "WHERE park_id = ? AND state = 'parked' AND owner = ? AND operation_id = ?",
        {write_retriever(claim.retriever), owner_.node, owner_.epoch, claim.retrieve_id, row.park_id.text(), row.owner,
         rows.front().back().value_or("")});
    if (changed != 1) continue;
    row.state = RowState::kRetrieving;
    row.retriever = parse_retriever(claim.tenant, write_retriever(claim.retriever));
    row.owner = owner_.node;
    row.epoch = static_cast<std::uint64_t>(owner_.epoch);
    return row;
  }
}

std::optional<ParkedCallRow> CallClaims::call_won(const CallClaim& claim) {
  const auto rows =
      connection_.query("SELECT " + std::string(kParkedCallColumns) +
                            " FROM parked_calls WHERE tenant = ? AND retrieve_id = ? AND state = 'retrieving'",
                        {claim.tenant, claim.retrieve_id});
  if (rows.empty()) return std::nullopt;
  return parked_call_of(rows.front());
}

bool CallClaims::was_picked_up(const std::string& tenant, const std::string& orbit) {
  return !connection_
              .query(
                  "SELECT 1 FROM parked_calls WHERE tenant = ? AND orbit = ? AND state = 'retrieving' UNION ALL "
                  "SELECT 1 FROM released_orbits WHERE tenant = ? AND orbit = ? AND was_retrieved "
                  "AND released_at > UTC_TIMESTAMP(3) - INTERVAL " +
                      std::to_string(kPickedUpSeconds) + " SECOND LIMIT 1",
                  {tenant, orbit, tenant, orbit})
              .empty();
}

// The row of a retrieved call has no group any more; its event has.
bool CallClaims::was_picked_up_in_group(const std::string& tenant, const std::string& park_group) {
  return !connection_
              .query(
                  "SELECT 1 FROM parked_calls WHERE tenant = ? AND park_group = ? AND state = 'retrieving' UNION ALL "
                  "SELECT 1 FROM park_events WHERE tenant = ? AND park_group = ? AND event = 'retrieved' "
                  "AND at > UTC_TIMESTAMP(3) - INTERVAL " +
                      std::to_string(kPickedUpSeconds) + " SECOND LIMIT 1",
                  {tenant, park_group, tenant, park_group})
              .empty();
}

void CallClaims::undo(const std::string& tenant, const std::string& retrieve_id) {
  connection_.execute(
      "UPDATE parked_calls SET state = 'parked', retriever = '', retrieve_id = '' "
      "WHERE tenant = ? AND retrieve_id = ? AND state = 'retrieving'",
      {tenant, retrieve_id});
}

bool CallClaims::claim_for_target(const ParkedCallRow& row, const std::string& retrieve_id) {
  const int changed = connection_.execute(
      "UPDATE parked_calls SET state = 'retrieving', retriever = ?, retrieve_id = ?, peer_dialog = ? "
      "WHERE park_id = ? AND state = 'parked' AND owner = ? AND epoch = ?",
      {write_retriever(row.retriever), retrieve_id, row.peer ? Value(write_dialog(*row.peer)) : Value(nullptr),
       row.park_id.text(), owner_.node, owner_.epoch});
  if (changed == 1) return true;
  return !connection_
              .query("SELECT 1 FROM parked_calls WHERE park_id = ? AND retrieve_id = ? AND state = 'retrieving'",
                     {row.park_id.text(), retrieve_id})
              .empty();
}

void CallClaims::unclaim(const ParkId& park_id) {
  connection_.execute(
      "UPDATE parked_calls SET state = 'parked', retriever = '', retrieve_id = '' "
      "WHERE park_id = ? AND state IN ('adopting', 'retrieving') AND owner = ? AND epoch = ?",
      {park_id.text(), owner_.node, owner_.epoch});
}

}  // namespace callpark
