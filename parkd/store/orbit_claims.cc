#include "parkd/store/orbit_claims.h"

#include <set>
#include <tuple>
#include <utility>

#include "base/random.h"

namespace callpark {
namespace {

using Row = DatabaseConnection::Row;

// Guesses for a random orbit before the free ones are counted.
constexpr int kRandomTries = 8;
// Up to here a tenant can use up all its random orbits, and the free ones are worth counting.
constexpr int kCountableDigits = 4;

std::string orbit_in(const Row& row) {
  return row.at(0).value_or("");
}

std::int64_t count_in(const std::vector<Row>& rows) {
  return std::stoll(rows.at(0).at(0).value_or("0"));
}

}  // namespace

Result<ClaimedOrbit, ClaimOrbitFailure> OrbitClaims::claim(OrbitClaim& claim) {
  const bool is_repeated = std::exchange(claim.was_tried, true);
  if (is_repeated) {
    if (const auto got = claimed(claim)) return *got;
  }
  claim.row.state = RowState::kAdopting;
  Put outcome = put_within_maxima(claim);
  // The server may execute the statement of a broken connection beside this one: then that one is in the way.
  if (outcome != Put::kDone && is_repeated) {
    if (const auto got = claimed(claim)) return *got;
  }
  if (outcome == Put::kExists || (outcome == Put::kNotOurs && !table_.exists(claim.row.park_id))) {
    claim.moves = !claim.moves;
    outcome = put_within_maxima(claim);
  }
  if (outcome == Put::kDone) return ClaimedOrbit{claim.row.orbit, claim.row.slot};
  return failure(failure_of(outcome));
}

ClaimOrbitFailure OrbitClaims::failure_of(Put outcome) {
  switch (outcome) {
    case Put::kTaken:
      return ClaimOrbitFailure::kTaken;
    case Put::kTooManyParked:
      return ClaimOrbitFailure::kTooManyParked;
    case Put::kTooManyOfParker:
      return ClaimOrbitFailure::kTooManyOfParker;
    case Put::kDone:
    case Put::kPlaceTaken:
    case Put::kExists:
    case Put::kNotOurs:
      break;
  }
  return ClaimOrbitFailure::kUnavailable;
}

// Where few of the places are held a guess is free, and costs no statement. After another call has got what was read
// as free they are read again: each round of this claim is one that another has won.
OrbitClaims::Put OrbitClaims::put_within_maxima(OrbitClaim& claim) {
  Put outcome = Put::kPlaceTaken;
  claim.has_guessed = !claim.moves;
  if (claim.has_guessed) {
    claim.places = guess_places(claim.request);
    outcome = put_anywhere(claim);
    claim.has_guessed = false;
  }
  while (outcome == Put::kPlaceTaken) {
    const auto places = find_places(connection_, claim.row.tenant, claim.row.parker, claim.request);
    if (!places) {
      return places.error() == ClaimOrbitFailure::kTooManyParked ? Put::kTooManyParked : Put::kTooManyOfParker;
    }
    claim.places = *places;
    outcome = put_anywhere(claim);
  }
  return outcome;
}

std::optional<ClaimedOrbit> OrbitClaims::claimed(const OrbitClaim& claim) {
  const auto rows = connection_.query("SELECT orbit, slot FROM parked_calls WHERE park_id = ? AND operation_id = ?",
                                      {claim.row.park_id.text(), claim.operation_id});
  if (rows.empty()) return std::nullopt;
  return ClaimedOrbit{orbit_in(rows[0]), std::stoi(rows[0].at(1).value_or("0"))};
}

OrbitClaims::Put OrbitClaims::put(OrbitClaim& claim, const std::string& orbit, int slot) {
  claim.row.orbit = orbit;
  claim.row.slot = slot;
  return claim.moves ? move(claim) : put_new(claim);
}

int OrbitClaims::calls_max(const OrbitClaim& claim) {
  return claim.request.orbits.empty() ? 1 : claim.request.calls_per_orbit_max;
}

bool OrbitClaims::is_random(const OrbitClaim& claim) {
  return claim.request.orbits.empty() && !claim.request.range;
}

// One statement if all goes well. The unique keys refuse the second of two calls.
OrbitClaims::Put OrbitClaims::put_new(OrbitClaim& claim) {
  const int tenant_max = claim.has_guessed ? claim.request.parked_calls_max : 0;
  const int extension_max = claim.has_guessed ? claim.request.extension_parked_calls_max : 0;
  try {
    const ParkedCallsTable::InsertConditions conditions{.calls_per_orbit_max = calls_max(claim),
                                                        .tenant_place_max = tenant_max,
                                                        .extension_place_max = extension_max,
                                                        .is_not_reserved = is_random(claim)};
    if (table_.insert(claim.row, claim.operation_id, claim.places, conditions) == 1) return Put::kDone;
  } catch (const DatabaseError& error) {
    if (error.kind() != DatabaseError::Kind::kDuplicate) throw;
    if (is_place_taken(error)) return Put::kPlaceTaken;
    return table_.exists(claim.row.park_id) ? Put::kExists : Put::kTaken;
  }
  // The statement does not show which of its conditions does not hold.
  return tenant_max != 0 || extension_max != 0 ? Put::kPlaceTaken : Put::kTaken;
}

OrbitClaims::Put OrbitClaims::move(OrbitClaim& claim) {
  const auto& [tenant, orbit] = std::tie(claim.row.tenant, claim.row.orbit);
  // A call in a slot above the maximum counts too: the older one of two was retrieved, or more were allowed.
  if (calls_at(tenant, orbit) >= calls_max(claim)) return Put::kTaken;
  if (is_random(claim) && is_reserved(tenant, orbit)) return Put::kTaken;
  try {
    return table_.move(claim.row, claim.operation_id, claim.places) == 1 ? Put::kDone : Put::kNotOurs;
  } catch (const DatabaseError& error) {
    if (error.kind() != DatabaseError::Kind::kDuplicate) throw;
    return is_place_taken(error) ? Put::kPlaceTaken : Put::kTaken;
  }
}

OrbitClaims::Put OrbitClaims::put_anywhere(OrbitClaim& claim) {
  if (!claim.request.orbits.empty()) return put_at_requested(claim);
  return claim.request.range ? put_in_range(claim) : put_at_random(claim);
}

OrbitClaims::Put OrbitClaims::put_at_requested(OrbitClaim& claim) {
  for (const std::string& orbit : claim.request.orbits) {
    for (int slot = 1; slot <= claim.request.calls_per_orbit_max; ++slot) {
      const Put outcome = put(claim, orbit, slot);
      if (outcome != Put::kTaken) return outcome;
    }
  }
  return Put::kTaken;
}

OrbitClaims::Put OrbitClaims::put_in_range(OrbitClaim& claim) {
  for (const std::string& orbit : free_orbits_of(claim.row.tenant, *claim.request.range)) {
    const Put outcome = put(claim, orbit, 1);
    if (outcome != Put::kTaken) return outcome;
  }
  return Put::kTaken;
}

OrbitClaims::Put OrbitClaims::put_at_random(OrbitClaim& claim) {
  for (int tries = 0; tries < kRandomTries; ++tries) {
    const Put outcome = put(claim, "*" + random_digits(static_cast<std::size_t>(claim.request.random_digits)), 1);
    if (outcome != Put::kTaken) return outcome;
  }
  if (claim.request.random_digits > kCountableDigits) return Put::kTaken;
  std::vector<std::string> left = free_random_orbits(claim.row.tenant, claim.request.random_digits);
  while (!left.empty()) {
    std::swap(left.back(), left[random_below(left.size())]);
    const Put outcome = put(claim, left.back(), 1);
    if (outcome != Put::kTaken) return outcome;
    left.pop_back();
  }
  return Put::kTaken;
}

void OrbitClaims::undo(const OrbitClaim& claim) {
  connection_.execute(claim.moves ? "UPDATE parked_calls SET state = 'retrieved', orbit = NULL, slot = NULL "
                                    "WHERE park_id = ? AND operation_id = ?"
                                  : "DELETE FROM parked_calls WHERE park_id = ? AND operation_id = ?",
                      {claim.row.park_id.text(), claim.operation_id});
}

int OrbitClaims::calls_at(const std::string& tenant, const std::string& orbit) {
  const auto rows =
      connection_.query("SELECT COUNT(*) FROM parked_calls WHERE tenant = ? AND orbit = ?", {tenant, orbit});
  return static_cast<int>(count_in(rows));
}

// True if the orbit is in quarantine, or is one of a range: those may begin with a star too.
bool OrbitClaims::is_reserved(const std::string& tenant, const std::string& orbit) {
  return !connection_
              .query(
                  "SELECT 1 FROM released_orbits "
                  "WHERE tenant = ? AND orbit = ? AND quarantined_until > UTC_TIMESTAMP(3) UNION ALL "
                  "SELECT 1 FROM orbit_ranges WHERE tenant = ? AND CHAR_LENGTH(first_orbit) = CHAR_LENGTH(?) "
                  "AND ? BETWEEN first_orbit AND last_orbit",
                  {tenant, orbit, tenant, orbit, orbit})
              .empty();
}

// In the order in which calls get them: those that were never used, then the one that was freed first.
std::vector<std::string> OrbitClaims::free_orbits_of(const std::string& tenant, const OrbitRange& range) {
  std::set<std::string> used;
  std::vector<std::string> freed;
  // As text, 701 lies between 70 and 79.
  const std::string among = " AND CHAR_LENGTH(orbit) = CHAR_LENGTH(?) AND orbit BETWEEN ? AND ? ";
  for (const Row& row : connection_.query("SELECT orbit FROM parked_calls WHERE tenant = ?" + among,
                                          {tenant, range.first, range.first, range.last})) {
    used.insert(orbit_in(row));
  }
  for (const Row& row :
       connection_.query("SELECT orbit FROM released_orbits WHERE tenant = ?" + among + "ORDER BY released_at, orbit",
                         {tenant, range.first, range.first, range.last})) {
    if (used.insert(orbit_in(row)).second) freed.push_back(orbit_in(row));
  }
  std::vector<std::string> left;
  const std::size_t star = range.first.starts_with('*') ? 1 : 0;
  const std::size_t digits = range.first.size() - star;
  const std::int64_t last = std::stoll(range.last.substr(star));
  for (std::int64_t number = std::stoll(range.first.substr(star)); number <= last; ++number) {
    std::string orbit = std::to_string(number);
    orbit.insert(0, digits - orbit.size(), '0');
    if (star != 0) orbit.insert(0, 1, '*');
    if (!used.contains(orbit)) left.push_back(std::move(orbit));
  }
  left.insert(left.end(), freed.begin(), freed.end());
  return left;
}

std::vector<std::string> OrbitClaims::free_random_orbits(const std::string& tenant, int digits) {
  std::set<std::string> busy;
  for (const Row& row :
       connection_.query("SELECT orbit FROM parked_calls WHERE tenant = ? AND orbit LIKE '*%' UNION ALL "
                         "SELECT orbit FROM released_orbits "
                         "WHERE tenant = ? AND orbit LIKE '*%' AND quarantined_until > UTC_TIMESTAMP(3)",
                         {tenant, tenant})) {
    busy.insert(orbit_in(row));
  }
  // With a 1 before it, a number keeps its leading zeros.
  int first = 1;
  for (int digit = 0; digit < digits; ++digit) first *= 10;
  std::vector<std::string> left;
  for (int number = first; number < 2 * first; ++number) {
    std::string orbit = "*" + std::to_string(number).substr(1);
    if (!busy.contains(orbit)) left.push_back(std::move(orbit));
  }
  return left;
}

// Released orbits of ranges are kept: their order matters as long as the range exists, and a range has few.
void OrbitClaims::forget_released() {
  connection_.execute(
      "DELETE FROM released_orbits WHERE quarantined_until < UTC_TIMESTAMP(3) - INTERVAL 1 MINUTE "
      "AND NOT EXISTS (SELECT 1 FROM orbit_ranges r WHERE r.tenant = released_orbits.tenant "
      "AND CHAR_LENGTH(released_orbits.orbit) = CHAR_LENGTH(r.first_orbit) "
      "AND released_orbits.orbit BETWEEN r.first_orbit AND r.last_orbit) LIMIT 1000");
}

}  // namespace callpark
