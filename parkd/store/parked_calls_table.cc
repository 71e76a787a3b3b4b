#include "parkd/store/parked_calls_table.h"

#include <stdexcept>

#include "base/log.h"
#include "parkd/store/parked_call_codec.h"
#include "parkd/store/segments_codec.h"

namespace callpark {

using Value = DatabaseConnection::Value;
using Row = DatabaseConnection::Row;

namespace {

Value value_of(const std::optional<std::int64_t>& place) {
  return place ? Value(*place) : Value(nullptr);
}

}  // namespace

int ParkedCallsTable::insert(const ParkedCallRow& row, const std::string& operation_id, const CallPlaces& places,
                             const InsertConditions& conditions) {
  std::vector<Value> values = written_values(row, owner_, operation_id);
  // A call in a slot above the maximum counts too: the older one of two was retrieved, or more were allowed.
  std::string sql = std::string("INSERT INTO parked_calls (") + kWrittenNames +
                    ", retriever, state, park_id, tenant_place, extension_place) SELECT " + kWrittenPlaces +
                    ", ?, ?, ?, ?, ? FROM DUAL "
                    "WHERE (SELECT COUNT(*) FROM parked_calls o WHERE o.tenant = ? AND o.orbit = ?) < ?";
  values.insert(values.end(),
                {write_retriever(row.retriever), name_of(row.state), row.park_id.text(), value_of(places.of_tenant),
                 value_of(places.of_parker), row.tenant, row.orbit, std::int64_t{conditions.calls_per_orbit_max}});
  if (conditions.tenant_place_max != 0) {
    sql += " AND NOT EXISTS (SELECT 1 FROM parked_calls t WHERE t.tenant = ? AND t.tenant_place > ?)";
    values.insert(values.end(), {row.tenant, std::int64_t{conditions.tenant_place_max}});
  }
  if (conditions.extension_place_max != 0) {
    sql +=
        " AND NOT EXISTS (SELECT 1 FROM parked_calls e WHERE e.tenant = ? AND e.parker = ? AND e.extension_place > ?)";
    values.insert(values.end(), {row.tenant, row.parker, std::int64_t{conditions.extension_place_max}});
  }
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
int ParkedCallsTable::update(const ParkedCallRow& row, const std::string& operation_id, const std::string& more_columns,
                             const std::vector<Value>& more_values) {
  const std::string state = name_of(row.state);
  std::vector<Value> values = written_values(row, owner_, operation_id);
  values.insert(values.end(), more_values.begin(), more_values.end());
  values.insert(values.end(),
                {state, write_retriever(row.retriever), state, state, row.park_id.text(), owner_.node, owner_.epoch});
  return connection_.execute("UPDATE parked_calls SET " + std::string(kWrittenColumns) + more_columns +
                                 ", retriever = IF(state = 'retrieving' AND ? <> 'retrieved', retriever, ?)"
                                 ", state = IF(state = 'retrieving' AND ? <> 'retrieved', state, ?) "
                                 "WHERE park_id = ? AND owner = ? AND epoch = ?",
                             values);
}

int ParkedCallsTable::update(const ParkedCallRow& row, const std::string& operation_id) {
  return update(row, operation_id, "", {});
}

int ParkedCallsTable::move(const ParkedCallRow& row, const std::string& operation_id, const CallPlaces& places) {
  return update(row, operation_id, ", tenant_place = ?, extension_place = ?",
                {value_of(places.of_tenant), value_of(places.of_parker)});
}

bool ParkedCallsTable::write(const ParkedCallRow& row, const std::string& operation_id) {
  if (update(row, operation_id) == 1) return true;
  // If the connection broke, the first try may have written the row: then the second one changes nothing.
  return !connection_
              .query("SELECT 1 FROM parked_calls WHERE park_id = ? AND operation_id = ?",
                     {row.park_id.text(), operation_id})
              .empty();
}

void ParkedCallsTable::remove(const ParkId& park_id, const std::vector<EndedSegment>& ended) {
  if (!ended.empty()) {
    connection_.execute("CALL end_parked_call(?, ?, ?, ?)",
                        {park_id.text(), owner_.node, owner_.epoch, write_ended_segments(ended)});
    return;
  }
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
