// The places of a parked call under the maxima of its tenant and of its parker: numbers that unique keys of the table
// give to one call each, whatever is claimed at once, and on however many nodes. Nothing is counted twice, and no claim
// gives way to another that is refused too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "parkd/ports/store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// Nothing where there is no maximum: then the database numbers the call, beyond every maximum.
struct CallPlaces {
  std::optional<std::int64_t> of_tenant;
  std::optional<std::int64_t> of_parker;
};

/// One of the `max` less `held.size()` lowest numbers from 1 that are not held; nothing if `held` leaves no room.
/// `held` ascends. `choice`, any number, picks the one, so that claims that read the same places enter different ones.
///
/// A maximum that was lowered leaves calls at places beyond it. Each of them closes the highest place that is free, so
/// no more than `max` calls are admitted, and one is as long as there are fewer. A call that leaves opens a place and
/// closes none: a place that was once read as free may be entered at any time later.
std::optional<std::int64_t> free_place(const std::vector<std::uint64_t>& held, int max, std::uint64_t choice);

/// Any places up to the maxima: they may be held, and are free to enter only while no call has a place beyond.
CallPlaces guess_places(const OrbitRequest& request);

/// Free places, read in one statement, none if there is no maximum; otherwise which maximum is reached. Throws
/// DatabaseError.
Result<CallPlaces, ClaimOrbitFailure> find_places(DatabaseConnection& connection, const std::string& tenant,
                                                  const std::string& parker, const OrbitRequest& request);

/// True if a write failed because another call has one of the places.
bool is_place_taken(const DatabaseError& error);

}  // namespace callpark
