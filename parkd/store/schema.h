// Which schema this program was written for.
#pragma once

#include <optional>
#include <string>

#include "parkd/store/database_connection.h"

namespace callpark {

/// The number of the last file in sql/migrations.
constexpr int kSchemaVersion = 4;

/// Why this database is not one to work with, as a sentence for the operator; nothing when it is. Throws DatabaseError
/// when it cannot be asked.
std::optional<std::string> schema_problem(DatabaseConnection& connection);

}  // namespace callpark
