#include "parkd/store/parked_calls_table.h"

#include <stdexcept>

#include "base/log.h"
#include "parkd/store/parked_call_codec.h"

namespace callpark {

using Value = DatabaseConnection::Value;
using Row = DatabaseConnection::Row;

int ParkedCallsTable::insert(const ParkedCallRow& row, const std::string& operation_id,
                             const InsertConditions& conditions) {
  std::vector<Value> values = written_values(row, owner_, operation_id);
  // A call in a slot above the maximum counts too: the older one of two was retrieved, or more were allowed.
  std::string sql = std::string("INSERT INTO parked_calls (") + kWrittenNames + ", retriever, state, park_id) SELECT " +
                    kWrittenPlaces +
                    ", ?, ?, ? FROM DUAL "
                    "WHERE (SELECT COUNT(*) FROM parked_calls o WHERE o.tenant = ? AND o.orbit = ?) < ?";
  values.insert(values.end(), {write_retriever(row.retriever), name_of(row.state), row.park_id.text(), row.tenant,
                               row.orbit, std::int64_t{conditions.calls_per_orbit_max}});
  const auto leave_room = [&](int cap, const std::string& condition, std::initializer_list<Value> of) {
    if (cap == 0) return;
    // Rows are counted up to the cap only.
    sql += " AND (SELECT COUNT(*) FROM (SELECT 1 FROM parked_calls c WHERE " + condition +
           " AND c.orbit IS NOT NULL LIMIT " + std::to_string(cap) + ") n) < ?";
    values.insert(values.end(), of);
    values.emplace_back(std::int64_t{cap} - kClaimsAtOnce);
  };
  leave_room(conditions.parked_calls_max, "c.tenant = ?", {row.tenant});
  leave_room(conditions.extension_parked_calls_max, "c.tenant = ? AND c.parker = ?", {row.tenant, row.parker});
  // Orbits of a range may begin with a star too.
  if (conditions.is_not_reserved) {
    sql +=
        " AND NOT EXISTS (SELECT 1 FROM released_orbits r WHERE r.tenant = ? AND r.orbit = ? "
        "AND r.quarantined_until > UTC_TIMESTAMP(3)) AND NOT EXISTS (SELECT 1 FROM orbit_ranges g WHERE g.tenant = ? "
        "AND CHAR_LENGTH(g.first_orbit) = CHAR_LENGTH(?) AND ? BETWEEN g.first_orbit AND g.last_orbit)";
    values.insert(values.end(), {row.tenant, row.orbit, row.tenant, row.orbit, row.orbit});
  }
  return connection_.execute(sql, values);
}

// A call that a retriever has won meanwhile stays won, unless kRetrieved is written. The state comes last, since the
// columns before it are to see the old one.
int ParkedCallsTable::update(const ParkedCallRow& row, const std::string& operation_id) {
  const std::string state = name_of(row.state);
  std::vector<Value> values = written_values(row, owner_, operation_id);
  values.insert(values.end(),
                {state, write_retriever(row.retriever), state, state, row.park_id.text(), owner_.node, owner_.epoch});
  return connection_.execute("UPDATE parked_calls SET " + std::string(kWrittenColumns) +
                                 ", retriever = IF(state = 'retrieving' AND ? <> 'retrieved', retriever, ?)"
                                 ", state = IF(state = 'retrieving' AND ? <> 'retrieved', state, ?) "
                                 "WHERE park_id = ? AND owner = ? AND epoch = ?",
                             values);
}

bool ParkedCallsTable::write(const ParkedCallRow& row, const std::string& operation_id) {
  if (update(row, operation_id) == 1) return true;
  // If the connection broke, the first try may have written the row: then the second one changes nothing.
  return !connection_
              .query("SELECT 1 FROM parked_calls WHERE park_id = ? AND operation_id = ?",
                     {row.park_id.text(), operation_id})
              .empty();
}

void ParkedCallsTable::remove(const ParkId& park_id) {
  connection_.execute("DELETE FROM parked_calls WHERE park_id = ? AND owner = ? AND epoch = ?",
                      {park_id.text(), owner_.node, owner_.epoch});
}

bool ParkedCallsTable::exists(const ParkId& park_id) {
  return !connection_.query("SELECT 1 FROM parked_calls WHERE park_id = ?", {park_id.text()}).empty();
}

std::optional<CallChange> ParkedCallsTable::change_of(const ParkId& park_id) {
  const auto rows = connection_.query(
      "SELECT tenant, COALESCE(orbit, ''), COALESCE(park_group, ''), caller_uri, retriever FROM parked_calls WHERE "
      "park_id = ?",
      {park_id.text()});
  if (rows.empty()) return std::nullopt;
  const auto text = [&row = rows.front()](std::size_t column) { return row.at(column).value_or(""); };
  const std::string tenant = text(0);
  return call_change(tenant, text(1), text(2), text(3), parse_retriever(tenant, text(4)));
}

std::vector<ParkedCallRow> ParkedCallsTable::load() {
  connection_.execute("UPDATE parked_calls SET epoch = ? WHERE owner = ?", {owner_.epoch, owner_.node});
  std::vector<ParkedCallRow> calls;
  for (const Row& row : connection_.query(
           "SELECT " + std::string(kParkedCallColumns) + " FROM parked_calls WHERE owner = ? AND epoch = ?",
           {owner_.node, owner_.epoch})) {
    try {
      calls.push_back(parked_call_of(row));
    } catch (const std::runtime_error& error) {
      log_error(row.at(0).value_or(""), "the row of this parked call cannot be read, its call is lost: {}",
                error.what());
    }
  }
  return calls;
}

}  // namespace callpark
