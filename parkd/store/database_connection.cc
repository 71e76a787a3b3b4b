#include "parkd/store/database_connection.h"

#include <cppconn/connection.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>
#include <mysql_driver.h>

#include <unordered_map>

#include "base/log.h"
#include "base/match.h"
#include "parkd/store/schema.h"

namespace callpark {
namespace {

constexpr int kTimeoutSeconds = 1;

// Times are in UTC; a failed statement is an error and not a warning; a statement sees committed rows, and locks no
// gaps; a wait for a lock ends with an error.
constexpr const char* kSessionSettings =
    "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
    "tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 1";

DatabaseError::Kind kind_of(int code) {
  switch (code) {
    case 1062:  // ER_DUP_ENTRY
      return DatabaseError::Kind::kDuplicate;
    case 1205:  // ER_LOCK_WAIT_TIMEOUT
    case 1213:  // ER_LOCK_DEADLOCK
      return DatabaseError::Kind::kBusy;
    case 1021:  // ER_DISK_FULL
    case 1030:  // ER_GET_ERRNO: the engine, mostly a full disk
    case 1114:  // ER_RECORD_FILE_FULL
    case 1290:  // ER_OPTION_PREVENTS_STATEMENT: read_only
    case 1836:  // ER_READ_ONLY_MODE
    case 1969:  // ER_STATEMENT_TIMEOUT
      return DatabaseError::Kind::kNotNow;
    case 0:     // the library itself: the connection is closed
    case 1047:  // a Galera node that is not in its cluster
    case 1053:  // ER_SERVER_SHUTDOWN
    case 1158:  // ER_NET_READ_ERROR and the like
    case 1159:
    case 1160:
    case 1161:
    case 1243:  // ER_UNKNOWN_STMT_HANDLER: another connection than the statement was prepared on
    case 1317:  // ER_QUERY_INTERRUPTED
    case 1927:  // ER_CONNECTION_KILLED
    case 2006:  // CR_SERVER_GONE_ERROR
    case 2013:  // CR_SERVER_LOST
    case 2014:  // CR_COMMANDS_OUT_OF_SYNC
    case 2027:  // CR_MALFORMED_PACKET
    case 2055:  // CR_SERVER_LOST_EXTENDED
      return DatabaseError::Kind::kLost;
    default:
      return DatabaseError::Kind::kRefused;
  }
}

// The library makes its driver at the first call, without a lock.
sql::Driver& driver() {
  static sql::Driver& instance = *sql::mysql::get_driver_instance();
  return instance;
}

DatabaseError error_of(const sql::SQLException& error) {
  return {kind_of(error.getErrorCode()), std::to_string(error.getErrorCode()) + " " + error.what()};
}

}  // namespace

struct DatabaseConnection::Impl {
  std::unique_ptr<sql::Connection> connection;
  std::unordered_map<std::string, std::unique_ptr<sql::PreparedStatement>> statements;

  sql::PreparedStatement& prepare(const std::string& text, const std::vector<Value>& values) {
    std::unique_ptr<sql::PreparedStatement>& statement = statements[text];
    if (!statement) statement.reset(connection->prepareStatement(text));
    unsigned int place = 0;
    for (const Value& value : values) {
      ++place;
      std::visit(overloaded{
                     [&](std::nullptr_t) { statement->setNull(place, 0); },
                     [&](const std::string& string) { statement->setString(place, string); },
                     [&](std::int64_t number) { statement->setInt64(place, number); },
                 },
                 value);
    }
    return *statement;
  }
  void execute(const char* text) {
    try {
      const std::unique_ptr<sql::Statement> statement(connection->createStatement());
      statement->execute(text);
    } catch (const sql::SQLException& error) {
      throw error_of(error);
    }
  }
  // A connection that cannot do this is lost, and its server rolls back.
  void roll_back() noexcept {
    try {
      execute("ROLLBACK");
    } catch (const DatabaseError& error) {
      log_info("", "a transaction was not rolled back: {}", error.what());
    }
  }
};

DatabaseConnection::DatabaseConnection(const DatabaseAddress& address) : impl_(std::make_unique<Impl>()) {
  try {
    sql::ConnectOptionsMap options;
    options["hostName"] = sql::SQLString("unix://" + address.socket);
    options["userName"] = sql::SQLString(address.user);
    options["password"] = sql::SQLString(address.password);
    options["schema"] = sql::SQLString(address.database);
    options["OPT_CONNECT_TIMEOUT"] = kTimeoutSeconds;
    options["OPT_READ_TIMEOUT"] = kTimeoutSeconds;
    options["OPT_WRITE_TIMEOUT"] = kTimeoutSeconds;
    options["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
    impl_->connection.reset(driver().connect(options));
    const std::unique_ptr<sql::Statement> statement(impl_->connection->createStatement());
    statement->execute(kSessionSettings);
  } catch (const sql::SQLException& error) {
    const DatabaseError reason = error_of(error);
    throw DatabaseError(reason.kind() == DatabaseError::Kind::kLost ? reason.kind() : DatabaseError::Kind::kAway,
                        reason.what());
  }
  if (const auto problem = schema_problem(*this)) throw DatabaseError(DatabaseError::Kind::kUnknownSchema, *problem);
}

DatabaseConnection::~DatabaseConnection() = default;

std::vector<DatabaseConnection::Row> DatabaseConnection::query(const std::string& sql,
                                                               const std::vector<Value>& values) {
  try {
    const std::unique_ptr<sql::ResultSet> result(impl_->prepare(sql, values).executeQuery());
    const unsigned int columns = result->getMetaData()->getColumnCount();
    std::vector<Row> rows;
    while (result->next()) {
      Row& row = rows.emplace_back();
      for (unsigned int column = 1; column <= columns; ++column) {
        if (result->isNull(column)) {
          row.emplace_back();
        } else {
          row.emplace_back(result->getString(column).asStdString());
        }
      }
    }
    return rows;
  } catch (const sql::SQLException& error) {
    throw error_of(error);
  }
}

int DatabaseConnection::execute(const std::string& sql, const std::vector<Value>& values) {
  try {
    return impl_->prepare(sql, values).executeUpdate();
  } catch (const sql::SQLException& error) {
    throw error_of(error);
  }
}

void DatabaseConnection::in_transaction(const std::function<void()>& work) {
  impl_->execute("START TRANSACTION");
  try {
    work();
  } catch (const std::exception&) {
    impl_->roll_back();
    throw;
  }
  impl_->execute("COMMIT");
}

void DatabaseConnection::start_thread() {
  driver().threadInit();
}

void DatabaseConnection::stop_thread() {
  driver().threadEnd();
}

}  // namespace callpark
