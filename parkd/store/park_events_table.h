// The statements on park_events: the history of parked calls, for people to read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parkd/call/park_event.h"
#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// The event on one line, for the log.
std::string write_event(const ParkEvent& event);

class ParkEventsTable {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  explicit ParkEventsTable(DatabaseConnection& connection) : connection_(connection) {}

  /// A stay in an orbit has one event of a kind at most; the last one counts.
  void append(const ParkEvent& event);
  /// Adds the events of parking and retrieving that a node's rows lack because their parkd died too early.
  void catch_up(const std::string& node);
  /// Deletes older events, a limited number at a time, which delays no other statement. False if there are more. One
  /// that is still due to a subscriber, for a day at most, is kept.
  [[nodiscard]] bool forget(std::int64_t days);

  std::vector<Recipient> recipients(const ParkEvent& event);

 private:
  DatabaseConnection& connection_;
};

}  // namespace callpark
