// The statements on one row of parked_calls, and the meaning of their outcomes. Each is committed by itself and can be
// repeated after the connection broke: the effect of a write is found again by its operation id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parkd/ports/presence_store.h"
#include "parkd/ports/store.h"
#include "parkd/store/call_places.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/parked_call_columns.h"

namespace callpark {

class ParkedCallsTable {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  ParkedCallsTable(DatabaseConnection& connection, const RowOwner& owner) : connection_(connection), owner_(owner) {}

  /// What has to be so for a row to be inserted.
  struct InsertConditions {
    int calls_per_orbit_max = 1;
    // No call of the tenant, or of the parker, has a place beyond these; 0: any may.
    int tenant_place_max = 0;
    int extension_place_max = 0;
    bool is_not_reserved = false;  // the orbit is not in quarantine, and in no range
  };
  /// Number of rows that were inserted: 0 if a condition does not hold. A unique key of the table refuses an orbit's
  /// slot or a place that has a call already, and a row that exists.
  int insert(const ParkedCallRow& row, const std::string& operation_id, const CallPlaces& places,
             const InsertConditions& conditions);
  /// Number of rows that were changed. The state kRetrieving gives way to kRetrieved alone.
  int update(const ParkedCallRow& row, const std::string& operation_id);
  /// The same for a row that gets an orbit: it gets these places too. The same keys may refuse it.
  int move(const ParkedCallRow& row, const std::string& operation_id, const CallPlaces& places);
  /// update(), also if an earlier try has done it. False: the row is gone, or another process's.
  [[nodiscard]] bool write(const ParkedCallRow& row, const std::string& operation_id);
  /// Records these segments too, in the same transaction.
  void remove(const ParkId& park_id, const std::vector<EndedSegment>& ended);
  bool exists(const ParkId& park_id);

  /// A change of this row as watchers see it; nothing if there is no row.
  std::optional<CallChange> change_of(const ParkId& park_id);
  /// Makes all rows of the node this process's, and reads them. One that cannot be read is left out and logged.
  std::vector<ParkedCallRow> load();

 private:
  int update(const ParkedCallRow& row, const std::string& operation_id, const std::string& more_columns,
             const std::vector<DatabaseConnection::Value>& more_values);

  DatabaseConnection& connection_;
  const RowOwner& owner_;
};

}  // namespace callpark
