// How many calls a tenant, and one extension of it, may have parked at once. Claims on several connections, and on
// several nodes, do not see one another: a claim that comes near a cap is counted again when its row is there.
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

  /// The cap that leaves no room for one more call; nothing if there is room.
  std::optional<ClaimOrbitFailure> reached();
  /// The cap that is exceeded now that the row is there; both of two claims may have to give way. Counts only if
  /// reached() has found a cap to be near.
  std::optional<ClaimOrbitFailure> exceeded();

 private:
  struct Counts {
    long of_tenant = 0;
    long of_parker = 0;
  };
  Counts count();
  std::optional<ClaimOrbitFailure> above(const Counts& counts, int room) const;

  DatabaseConnection& connection_;
  const std::string& tenant_;
  const std::string& parker_;
  const OrbitRequest& request_;
  bool is_near_ = true;
};

}  // namespace callpark
