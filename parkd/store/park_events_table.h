// The statements on park_events: what happened to parked calls, for people to read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// The event on one line, for the log.
std::string write_event(const ParkEvent& event);

class ParkEventsTable {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  explicit ParkEventsTable(DatabaseConnection& connection) : connection_(connection) {}

  /// Of one stay in an orbit each kind stands there once; what comes later is right.
  void append(const ParkEvent& event);
  /// Enters for a node's rows that they were parked or retrieved, where the parkd that did it died before it could.
  void catch_up(const std::string& node);
  /// Forgets what is older, in pieces that hold nobody up; false when there is more.
  [[nodiscard]] bool forget(std::int64_t days);

  std::vector<Recipient> recipients(const ParkEvent& event);

 private:
  DatabaseConnection& connection_;
};

}  // namespace callpark
