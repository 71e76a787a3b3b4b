// The tables of schedules, and what they do to call_flows.
#pragma once

#include <cstdint>
#include <optional>

#include "parkd/ports/schedule_store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

// These throw DatabaseError. See ScheduleStore.
std::optional<Schedules> query_schedules(DatabaseConnection& connection, std::optional<std::uint64_t> known);
bool switch_flow(DatabaseConnection& connection, const ScheduledFlow& flow, flow::Status status,
                 std::optional<WallTime> edge);

}  // namespace callpark
