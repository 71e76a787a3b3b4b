// Which schema this program was written for.
#pragma once

#include <optional>
#include <string>

#include "parkd/store/database_connection.h"

namespace callpark {

/// The number of the last file in sql/migrations.
constexpr int kSchemaVersion = 10;

/// Why this database is not one to work with, as a sentence for the operator; nothing when it is. Throws DatabaseError
/// when it cannot be asked.
std::optional<std::string> schema_problem(DatabaseConnection& connection);

/// The same of a database that is to be connected to, for the start of a daemon; nothing too when it is away. Blocks
/// for a second or two at most.
std::optional<std::string> schema_problem(const DatabaseAddress& address);

}  // namespace callpark
