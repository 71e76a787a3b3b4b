// The schema that this program needs.
#pragma once

#include <optional>
#include <string>

#include "parkd/store/database_connection.h"

namespace callpark {

/// The number of the last file in sql/migrations.
constexpr int kSchemaVersion = 29;

/// The reason why this program cannot work with the database, as a sentence for the operator; nothing if it can. Throws
/// DatabaseError if the database does not answer.
std::optional<std::string> schema_problem(DatabaseConnection& connection);

/// The same for the start of a daemon: connects first; nothing too if the database is away. Blocks for a second or two
/// at most.
std::optional<std::string> schema_problem(const DatabaseAddress& address);

}  // namespace callpark
