#include "parkd/store/schema.h"

namespace callpark {
namespace {
constexpr const char* kRemedy = ": run sql/migrate.sh of the same release";
}  // namespace

std::optional<std::string> schema_problem(DatabaseConnection& connection) {
  // The catalogue comes first, so that an empty database is not an error of SQL.
  if (connection
          .query("SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() "
                 "AND table_name = 'schema_migrations'")
          .empty()) {
    return std::string("the database has no callpark schema") + kRemedy;
  }
  const auto rows =
      connection.query("SELECT COALESCE(MAX(version), 0), COALESCE(SUM(applied_at IS NULL), 0) FROM schema_migrations");
  const std::string version = rows.at(0).at(0).value_or("0");
  if (rows.at(0).at(1).value_or("0") != "0") return "migration " + version + " stopped half-way: finish it";
  if (version == std::to_string(kSchemaVersion)) return std::nullopt;
  return "the database has schema " + version + ", this program needs " + std::to_string(kSchemaVersion) + kRemedy;
}

std::optional<std::string> schema_problem(const DatabaseAddress& address) {
  try {
    const DatabaseConnection connection(address);
  } catch (const DatabaseError& error) {
    if (error.kind() == DatabaseError::Kind::kUnknownSchema) return error.what();
  }
  return std::nullopt;
}

}  // namespace callpark
