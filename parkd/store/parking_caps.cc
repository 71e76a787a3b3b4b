#include "parkd/store/parking_caps.h"

#include "parkd/store/parked_calls_table.h"

namespace callpark {
namespace {

// Rows are counted up to the cap only.
std::string counted(const std::string& condition, int cap) {
  if (cap == 0) return "0";
  return "(SELECT COUNT(*) FROM (SELECT 1 FROM parked_calls WHERE " + condition + " AND orbit IS NOT NULL LIMIT " +
         std::to_string(cap + 1) + ") c)";
}

bool is_above(const std::optional<std::string>& count, int cap, int room) {
  return cap != 0 && std::stol(count.value_or("0")) + room > cap;
}

}  // namespace

bool ParkingCaps::has_room_for(int calls) {
  hit_.reset();
  if (request_.parked_calls_max == 0 && request_.extension_parked_calls_max == 0) return true;
  std::vector<DatabaseConnection::Value> values;
  if (request_.parked_calls_max != 0) values.emplace_back(tenant_);
  if (request_.extension_parked_calls_max != 0) {
    values.emplace_back(tenant_);
    values.emplace_back(parker_);
  }
  const auto rows = connection_.query("SELECT " + counted("tenant = ?", request_.parked_calls_max) + ", " +
                                          counted("tenant = ? AND parker = ?", request_.extension_parked_calls_max),
                                      values);
  if (is_above(rows.at(0).at(0), request_.parked_calls_max, calls)) {
    hit_ = ClaimOrbitFailure::kTooManyParked;
  } else if (is_above(rows.at(0).at(1), request_.extension_parked_calls_max, calls)) {
    hit_ = ClaimOrbitFailure::kTooManyOfParker;
  }
  return !hit_;
}

bool ParkingCaps::are_near() {
  return !has_room_for(ParkedCallsTable::kClaimsAtOnce);
}

bool ParkingCaps::have_room() {
  return has_room_for(1);
}

bool ParkingCaps::hold() {
  return has_room_for(0);
}

}  // namespace callpark
