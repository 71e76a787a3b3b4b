// The columns of parked_calls in SQL: their order, and their values from and to a row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parkd/ports/presence_store.h"
#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// The rows that this process may write: its node's, taken over since it started. A process that was stopped for long
/// finds another epoch in its rows and changes nothing.
struct RowOwner {
  std::string node;
  std::int64_t epoch = 0;
  /// True if a retriever here gets calls that another node has parked.
  bool wins_calls_of_others = false;
};

/// "adopting", "parked", "retrieving", "retrieved"
std::string name_of(RowState state);

/// The columns of a SELECT that parked_call_of() reads.
extern const char* const kParkedCallColumns;
/// Throws std::runtime_error if parkd has not written one of the columns.
ParkedCallRow parked_call_of(const DatabaseConnection::Row& row);

/// "column = ?, ..." of the columns that are written whenever a row is, and their values. park_id, state and retriever
/// are not among them: their new values depend on the old ones.
extern const char* const kWrittenColumns;
/// For an INSERT: the names of the same columns, and "?, ..." for their values.
extern const char* const kWrittenNames;
extern const char* const kWrittenPlaces;
std::vector<DatabaseConnection::Value> written_values(const ParkedCallRow& row, const RowOwner& owner,
                                                      const std::string& operation_id);

/// A change as watchers see it; `caller_uri` as in the column.
CallChange call_change(const std::string& tenant, const std::string& orbit, const std::string& park_group,
                       const std::string& caller_uri, const std::optional<Party>& retriever);
CallChange call_change(const ParkedCallRow& row);

}  // namespace callpark
