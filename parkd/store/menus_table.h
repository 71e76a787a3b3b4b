// The tables ivr_menus, ivr_menu_options and announcements, and what a destination of the number plan is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parkd/ports/menu_store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// The destination rings, or ends the call, whatever the tables are; nothing if they must be asked.
std::optional<FoundDestination> plain_destination(const std::string& destination);

/// All functions throw DatabaseError. See MenuStore.
class MenusTable {
 public:
  explicit MenusTable(DatabaseConnection& connection) : connection_(connection) {}

  std::optional<MenuPlace> find(const std::string& tenant, const std::string& extension, const std::string& number);
  FoundDestination resolve(const std::string& tenant, const std::string& extension, const std::string& destination);
  /// What a number is that a caller has entered.
  FoundDestination resolve_entered(const std::string& tenant, const std::string& number);

 private:
  std::vector<menu::Option> options(const std::string& tenant, const std::string& name);
  menu::ExtensionLengths extension_lengths(const std::string& tenant);

  DatabaseConnection& connection_;
};

}  // namespace callpark
