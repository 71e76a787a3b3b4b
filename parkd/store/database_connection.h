// One connection to MariaDB with its prepared statements; the only file that uses Connector/C++. Blocks; used by one
// thread at a time. After a loss of the server a new connection replaces it: the library's own reconnect loses
// statements.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace callpark {

struct DatabaseAddress {
  std::string socket;
  std::string user;
  std::string password;
  std::string database;
};

class DatabaseError : public std::runtime_error {
 public:
  enum class Kind {
    kAway,           // no connection; nothing was sent
    kUnknownSchema,  // another schema than this program needs; nothing was sent
    kLost,           // the connection broke: the statement may or may not be done
    kBusy,           // deadlock, or a lock was held too long: nothing was done, another try may do it
    kNotNow,         // read-only or full: nothing was done, and a try soon would do nothing
    kDuplicate,      // a unique key has the value already
    kRefused,        // the statement is wrong for this database, and would be again
  };
  DatabaseError(Kind what_kind, const std::string& reason) : std::runtime_error(reason), kind_(what_kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

class DatabaseConnection {
 public:
  using Value = std::variant<std::nullptr_t, std::string, std::int64_t>;
  using Row = std::vector<std::optional<std::string>>;

  /// Connects and checks the schema. Each wait for the server ends after about a second, the library's unit. Throws
  /// DatabaseError: kAway, kUnknownSchema, or kLost.
  explicit DatabaseConnection(const DatabaseAddress& address);
  ~DatabaseConnection();
  DatabaseConnection(const DatabaseConnection&) = delete;
  DatabaseConnection& operator=(const DatabaseConnection&) = delete;

  /// The rows of a SELECT, each column as text. Throws DatabaseError.
  std::vector<Row> query(const std::string& sql, const std::vector<Value>& values = {});
  /// Number of rows that the statement changed. It is committed when this returns, unless a transaction is under
  /// way. Throws DatabaseError.
  int execute(const std::string& sql, const std::vector<Value>& values = {});
  /// What `work` executes is committed when this returns, and nothing of it if this throws. Throws what `work` throws,
  /// and DatabaseError.
  void in_transaction(const std::function<void()>& work);

  /// Each thread that uses connections calls these first and last.
  static void start_thread();
  static void stop_thread();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
