#include "parkd/store/parking_caps.h"

namespace callpark {
namespace {

// More claims than this are not under way at once: each node has a few connections.
constexpr int kClaimsAtOnce = 32;

// Rows are counted up to the cap only.
std::string counted(const std::string& condition, int cap) {
  if (cap == 0) return "0";
  return "(SELECT COUNT(*) FROM (SELECT 1 FROM parked_calls WHERE " + condition + " AND orbit IS NOT NULL LIMIT " +
         std::to_string(cap + 1) + ") c)";
}

bool is_above(long count, int cap, int room) {
  return cap != 0 && count + room > cap;
}

}  // namespace

ParkingCaps::Counts ParkingCaps::count() {
  if (request_.parked_calls_max == 0 && request_.extension_parked_calls_max == 0) return {};
  std::vector<DatabaseConnection::Value> values;
  if (request_.parked_calls_max != 0) values.emplace_back(tenant_);
  if (request_.extension_parked_calls_max != 0) {
    values.emplace_back(tenant_);
    values.emplace_back(parker_);
  }
  const auto rows = connection_.query("SELECT " + counted("tenant = ?", request_.parked_calls_max) + ", " +
                                          counted("tenant = ? AND parker = ?", request_.extension_parked_calls_max),
                                      values);
  return {std::stol(rows.at(0).at(0).value_or("0")), std::stol(rows.at(0).at(1).value_or("0"))};
}

std::optional<ClaimOrbitFailure> ParkingCaps::above(const Counts& counts, int room) const {
  if (is_above(counts.of_tenant, request_.parked_calls_max, room)) return ClaimOrbitFailure::kTooManyParked;
  if (is_above(counts.of_parker, request_.extension_parked_calls_max, room)) {
    return ClaimOrbitFailure::kTooManyOfParker;
  }
  return std::nullopt;
}

std::optional<ClaimOrbitFailure> ParkingCaps::reached() {
  const Counts counts = count();
  is_near_ = above(counts, kClaimsAtOnce).has_value();
  return above(counts, 1);
}

std::optional<ClaimOrbitFailure> ParkingCaps::exceeded() {
  return is_near_ ? above(count(), 0) : std::nullopt;
}

}  // namespace callpark
