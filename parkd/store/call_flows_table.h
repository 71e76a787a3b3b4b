// The tables call_flows, call_flow_guesses and call_flow_events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "parkd/ports/flow_store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// All functions throw DatabaseError. See FlowStore.
class CallFlowsTable {
 public:
  explicit CallFlowsTable(DatabaseConnection& connection) : connection_(connection) {}

  std::optional<CallFlow> find(const Extension& extension, const std::string& code);
  FlowTry count_try(const FlowGuesser& guesser);
  void forget_failures(const FlowGuesser& guesser);
  /// An incident is entered once under its operation id.
  void record(const FlowGuesser& guesser, FlowIncident incident, const std::string& operation_id);
  std::optional<flow::Status> toggle(const FlowGuesser& by, const std::string& code, const std::string& pin,
                                     const std::string& operation_id);
  /// Deletes a piece of the events that are older than `days`, and of failures that count no more. Whether none is
  /// left.
  [[nodiscard]] bool forget_old(std::int64_t days);

 private:
  std::optional<flow::Status> status_after(const std::string& operation_id);

  DatabaseConnection& connection_;
};

}  // namespace callpark
