#include "parkd/store/call_places.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/random.h"

namespace callpark {
namespace {

constexpr std::array<std::string_view, 2> kKeys = {"a place of a tenant holds one call",
                                                   "a place of an extension holds one call"};

std::optional<std::int64_t> guess(int max) {
  if (max == 0) return std::nullopt;
  return static_cast<std::int64_t>(random_below(static_cast<std::uint64_t>(max))) + 1;
}

}  // namespace

std::optional<std::int64_t> free_place(const std::vector<std::uint64_t>& held, int max, std::uint64_t choice) {
  const auto places = static_cast<std::uint64_t>(max);
  if (held.size() >= places) return std::nullopt;
  std::uint64_t place = 1 + choice % (places - held.size());
  for (const std::uint64_t one : held) {
    if (one > place) break;
    ++place;
  }
  return static_cast<std::int64_t>(place);
}

CallPlaces guess_places(const OrbitRequest& request) {
  return {guess(request.parked_calls_max), guess(request.extension_parked_calls_max)};
}

Result<CallPlaces, ClaimOrbitFailure> find_places(DatabaseConnection& connection, const std::string& tenant,
                                                  const std::string& parker, const OrbitRequest& request) {
  const auto& [of_tenant, of_parker] = std::pair(request.parked_calls_max, request.extension_parked_calls_max);
  CallPlaces places;
  if (of_tenant == 0 && of_parker == 0) return places;
  std::vector<std::uint64_t> held_in_tenant;
  std::vector<std::uint64_t> held_by_parker;
  // As many as the maximum leave no room, whatever comes behind them.
  for (const DatabaseConnection::Row& row :
       connection.query("(SELECT 1, tenant_place FROM parked_calls WHERE tenant = ? AND tenant_place IS NOT NULL "
                        "ORDER BY tenant_place LIMIT ?) UNION ALL "
                        "(SELECT 0, extension_place FROM parked_calls WHERE tenant = ? AND parker = ? AND "
                        "extension_place IS NOT NULL "
                        "ORDER BY extension_place LIMIT ?)",
                        {tenant, std::int64_t{of_tenant}, tenant, parker, std::int64_t{of_parker}})) {
    (row.at(0) == "1" ? held_in_tenant : held_by_parker).push_back(std::stoull(row.at(1).value_or("0")));
  }
  if (of_tenant != 0) {
    std::ranges::sort(held_in_tenant);
    places.of_tenant = free_place(held_in_tenant, of_tenant, random_below(UINT64_MAX));
    if (!places.of_tenant) return failure(ClaimOrbitFailure::kTooManyParked);
  }
  if (of_parker != 0) {
    std::ranges::sort(held_by_parker);
    places.of_parker = free_place(held_by_parker, of_parker, random_below(UINT64_MAX));
    if (!places.of_parker) return failure(ClaimOrbitFailure::kTooManyOfParker);
  }
  return places;
}

bool is_place_taken(const DatabaseError& error) {
  return error.kind() == DatabaseError::Kind::kDuplicate && std::ranges::any_of(kKeys, [&](std::string_view key) {
           return std::string_view(error.what()).find(key) != std::string_view::npos;
         });
}

}  // namespace callpark
