// Claims of orbits: the statements that park a call at a free slot of an orbit. The table's unique key decides between
// two calls that want the same one, or the last place under a maximum.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "parkd/ports/store.h"
#include "parkd/store/call_places.h"
#include "parkd/store/database_connection.h"
#include "parkd/store/parked_calls_table.h"

namespace callpark {

/// A row that is to get an orbit.
struct OrbitClaim {
  ParkedCallRow row;  // its orbit and slot are the last that were tried
  OrbitRequest request;
  std::string operation_id;
  bool moves = false;      // the row exists, or seems to: a call that was retrieved is parked again
  bool was_tried = false;  // and may have been done
  CallPlaces places = {};
  bool has_guessed = false;  // the places: the statement looks whether they may be used
};

class OrbitClaims {
 public:
  /// All functions throw DatabaseError and may then be repeated with the same arguments.
  OrbitClaims(DatabaseConnection& connection, const RowOwner& owner)
      : connection_(connection), table_(connection, owner) {}

  /// Inserts the row at an orbit of the request, or moves it there if it exists already.
  Result<ClaimedOrbit, ClaimOrbitFailure> claim(OrbitClaim& claim);
  /// Undoes claim(), if that has done anything: the row is gone, or holds no orbit as before.
  void undo(const OrbitClaim& claim);
  /// Deletes released orbits that no claim and no retriever has to know any more.
  void forget_released();

 private:
  enum class Put {
    kDone,
    kTaken,          // by another call, or the orbit may not be given out now
    kPlaceTaken,     // one of the places is, or may be
    kTooManyParked,  // the maximum of the tenant is reached
    kTooManyOfParker,
    kExists,   // a new row was to be inserted, and there is one
    kNotOurs,  // no row of ours was there to be moved
  };

  static ClaimOrbitFailure failure_of(Put outcome);
  Put put_within_maxima(OrbitClaim& claim);
  Put put(OrbitClaim& claim, const std::string& orbit, int slot);
  Put put_new(OrbitClaim& claim);
  Put move(OrbitClaim& claim);
  static int calls_max(const OrbitClaim& claim);
  static bool is_random(const OrbitClaim& claim);
  Put put_anywhere(OrbitClaim& claim);
  Put put_at_requested(OrbitClaim& claim);
  Put put_in_range(OrbitClaim& claim);
  Put put_at_random(OrbitClaim& claim);
  std::optional<ClaimedOrbit> claimed(const OrbitClaim& claim);
  int calls_at(const std::string& tenant, const std::string& orbit);
  bool is_reserved(const std::string& tenant, const std::string& orbit);
  std::vector<std::string> free_orbits_of(const std::string& tenant, const OrbitRange& range);
  std::vector<std::string> free_random_orbits(const std::string& tenant, int digits);

  DatabaseConnection& connection_;
  ParkedCallsTable table_;
};

}  // namespace callpark
