// How many calls a tenant, and one extension of it, may have parked at once. Claims on several connections, and on
// several nodes, do not see one another: a claim that comes near a cap is counted before and after its row is there.
#pragma once

#include <optional>
#include <string>

#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

class ParkingCaps {
 public:
  ParkingCaps(DatabaseConnection& connection, const std::string& tenant, const std::string& parker,
              const OrbitRequest& request)
      : connection_(connection), tenant_(tenant), parker_(parker), request_(request) {}

  /// Whether claims that are under way at once (ParkedCallsTable::kClaimsAtOnce) could exceed a cap.
  bool are_near();
  /// Whether there is room for one more call.
  bool have_room();
  /// Whether no cap is exceeded, now that the row is there. Both of two claims may have to give way.
  bool hold();
  /// The cap that the last of these functions found in the way.
  [[nodiscard]] std::optional<ClaimOrbitFailure> hit() const { return hit_; }

 private:
  bool has_room_for(int calls);

  DatabaseConnection& connection_;
  const std::string& tenant_;
  const std::string& parker_;
  const OrbitRequest& request_;
  std::optional<ClaimOrbitFailure> hit_;
};

}  // namespace callpark
