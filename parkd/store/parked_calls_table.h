// The statements on parked_calls, and what their outcomes mean. Each is committed by itself and can be repeated when
// the connection broke: what a write has done is found again by its operation id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "parkd/ports/store.h"
#include "parkd/ports/presence_store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// Whose rows this process may write: its node's, taken over since it started. A process that was stopped for long
/// finds another epoch in its rows and changes nothing.
struct RowOwner {
  std::string node;
  std::int64_t epoch = 0;
  /// Whether a retriever here is given what another node has parked.
  bool wins_calls_of_others = false;
};

/// A row on its way to an orbit.
struct OrbitClaim {
  ParkedCallRow row;  // its orbit and slot are the last that were tried
  OrbitWish wish;
  std::string operation_id;
  bool moves = false;  // the row exists: a call that was retrieved is parked again
};

/// Somebody on his way to a parked call.
struct CallClaim {
  std::string tenant;
  RetrieveWish wish;
  std::string retriever;
  std::string retrieve_id;
  bool tried = false;  // it may have won already
};

class ParkedCallsTable {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  ParkedCallsTable(DatabaseConnection& connection, const RowOwner& owner) : connection_(connection), owner_(owner) {}

  /// Inserts the row where the wish says, or moves it there when it exists already.
  Result<OrbitGot, ClaimOrbitFailure> claim_orbit(OrbitClaim& claim);
  /// Undoes claim_orbit(), if it has done anything: the row is gone, or holds no orbit as before.
  void undo(const OrbitClaim& claim);

  /// False: the row is gone, or another's. A call that is being retrieved is so until kRetrieved is written.
  [[nodiscard]] bool write(const ParkedCallRow& row, const std::string& operation_id);

  /// The oldest call at the first of the orbits that has one.
  Result<ParkedCallRow, ClaimCallFailure> claim_call(CallClaim& claim);
  /// Undoes claim_call(), if it has done anything.
  void undo(const CallClaim& claim);
  /// True: nobody was quicker. The row's retriever and peer are whom the recall has called.
  [[nodiscard]] bool claim_for_target(const ParkedCallRow& row, const std::string& retrieve_id);
  void unclaim_call(const ParkId& park_id);

  void remove(const ParkId& park_id);
  /// What a change of this row is a change of; nothing when there is none.
  std::optional<CallChange> change_of(const ParkId& park_id);

  /// Makes all rows of the node this process's, and reads them. One that cannot be read is left out and logged.
  std::vector<ParkedCallRow> load();
  /// Forgets released orbits that matter to nobody any more.
  void forget_released_orbits();

 private:
  enum class Put { kDone, kPlaceTaken, kNotOurs };

  Put put(OrbitClaim& claim, const std::string& orbit, int slot);
  std::optional<OrbitGot> orbit_got(const OrbitClaim& claim);
  Put put_somewhere(OrbitClaim& claim);
  Put put_at_wished(OrbitClaim& claim);
  Put put_in_range(OrbitClaim& claim);
  Put put_at_random(OrbitClaim& claim);
  bool too_many_parked(const std::string& tenant, int parked_calls_max);
  int calls_at(const std::string& tenant, const std::string& orbit);
  bool is_reserved(const std::string& tenant, const std::string& orbit);
  std::vector<std::string> free_orbits_of(const std::string& tenant, const OrbitRange& range);
  std::vector<std::string> free_random_orbits(const std::string& tenant, int digits);
  int insert(const ParkedCallRow& row, const std::string& operation_id);
  int update(const ParkedCallRow& row, const std::string& operation_id);
  bool win(const CallClaim& claim, const char* where, const std::string& place);
  std::optional<ParkedCallRow> call_won(const CallClaim& claim);
  bool was_picked_up(const std::string& tenant, const std::string& orbit);
  bool was_picked_up_in_group(const std::string& tenant, const std::string& park_group);

  DatabaseConnection& connection_;
  const RowOwner& owner_;
};

}  // namespace callpark
