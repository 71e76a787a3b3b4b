// Claims of parked calls: the statements by which one retriever, or one target of a recall, wins a call. The change of
// the state decides between two that want the same one.
#pragma once

#include <optional>
#include <string>

#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/parked_call_columns.h"

namespace callpark {

/// A retriever that is to get a parked call.
struct CallClaim {
  std::string tenant;
  RetrieveRequest request;
  Party retriever;
  std::string retrieve_id;
  bool was_tried = false;  // and may have won
};

class CallClaims {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  CallClaims(DatabaseConnection& connection, const RowOwner& owner) : connection_(connection), owner_(owner) {}

  /// Wins the oldest call at the first of the orbits that has one, else of the group; of these the `only` one, if the
  /// request names one.
  Result<ParkedCallRow, ClaimCallFailure> claim(CallClaim& claim);
  /// Undoes claim() or claim_for_target(), if that has done anything.
  void undo(const std::string& tenant, const std::string& retrieve_id);
  /// Wins the call for the row's retriever and peer. False: a retriever was faster.
  [[nodiscard]] bool claim_for_target(const ParkedCallRow& row, const std::string& retrieve_id);
  void unclaim(const ParkId& park_id);

 private:
  std::optional<ParkedCallRow> win(const CallClaim& claim, const char* where, const std::string& value);
  std::optional<ParkedCallRow> call_won(const CallClaim& claim);
  bool was_picked_up(const std::string& tenant, const std::string& orbit);
  bool was_picked_up_in_group(const std::string& tenant, const std::string& park_group);

  DatabaseConnection& connection_;
  const RowOwner& owner_;
};

}  // namespace callpark
