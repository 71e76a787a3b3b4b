// The table menu_calls: the callers in menus.
#pragma once

#include <string>
#include <vector>

#include "parkd/ports/menu_store.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/parked_call_columns.h"

namespace callpark {

class MenuCallsTable {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  MenuCallsTable(DatabaseConnection& connection, const RowOwner& owner) : connection_(connection), owner_(owner) {}

  /// Leaves a row that is there as it is.
  void insert(const MenuCallRow& row);
  /// Writes the row anew. False: it is gone, or another process's.
  [[nodiscard]] bool update(const MenuCallRow& row);
  /// Undoes the update() that has written this peer: the row names none.
  void forget_peer(const MenuCallRow& row);
  /// Enters its CDR too, in the same transaction.
  void remove(const ParkId& id, menu::EndedBy by, WallTime at);
  /// Inserts the row into parked_calls and removes that of menu_calls with its id, which enters its CDR; all or
  /// nothing. False: nothing, since the call is gone, or another process's.
  [[nodiscard]] bool hand_over(const ParkedCallRow& row, const std::string& operation_id);
  /// Makes all rows of the node this process's, and reads them. One that cannot be read is left out and logged.
  std::vector<MenuCallRow> load();

 private:
  DatabaseConnection& connection_;
  const RowOwner& owner_;
};

}  // namespace callpark
