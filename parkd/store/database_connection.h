// One connection to MariaDB with its prepared statements; the only door to Connector/C++. Blocks; used by one thread at
// a time. When the server is gone it is thrown away and another is made: the library's own reconnect loses statements.
#pragma once

#include <cstdint>
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
    kAway,           // no connection could be made; nothing was sent
    kUnknownSchema,  // the database is not one to work with; nothing was sent
    kLost,           // the connection broke: what was sent may or may not have been done
    kBusy,           // deadlock, or a lock was held too long: nothing was done, and another try may do it
    kNotNow,         // read-only, or full: nothing was done, and that may take a while to change
    kDuplicate,      // a unique key has the value already
    kRefused,        // the statement is wrong for this database, and will be again
  };
  DatabaseError(Kind what_kind, const std::string& words) : std::runtime_error(words), kind_(what_kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

class DatabaseConnection {
 public:
  using Value = std::variant<std::nullptr_t, std::string, std::int64_t>;
  using Row = std::vector<std::optional<std::string>>;

  /// Connects and checks the schema. No wait for the server is longer than about a second, whole seconds being the
  /// library's unit. Throws DatabaseError: kAway, kUnknownSchema, or kLost when it broke on the way.
  explicit DatabaseConnection(const DatabaseAddress& address);
  ~DatabaseConnection();
  DatabaseConnection(const DatabaseConnection&) = delete;
  DatabaseConnection& operator=(const DatabaseConnection&) = delete;

  /// The rows of a SELECT, each column as text. Throws DatabaseError.
  std::vector<Row> query(const std::string& sql, const std::vector<Value>& values = {});
  /// How many rows the statement changed. It is committed when this returns. Throws DatabaseError.
  int execute(const std::string& sql, const std::vector<Value>& values = {});

  /// What each thread that uses connections runs first and last.
  static void start_thread();
  static void stop_thread();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
