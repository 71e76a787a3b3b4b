#include "parkd/store/schedules_table.h"

#include <map>
#include <string>
#include <utility>

namespace callpark {
namespace {

using Row = DatabaseConnection::Row;

constexpr const char* kRevision = "SELECT COALESCE(SUM(revision), 0) FROM tenant_revisions";

constexpr const char* kFlows =
    "SELECT tenant, name, schedule, schedule_edited_at, status FROM call_flows WHERE schedule IS NOT NULL";

constexpr const char* kSchedules =
    "SELECT DISTINCT t.tenant, f.schedule, t.time_zone FROM tenants t "
    "JOIN call_flows f ON f.tenant = t.tenant AND f.schedule IS NOT NULL";

constexpr const char* kHours =
    "SELECT tenant, schedule, TIME_TO_SEC(begins), TIME_TO_SEC(ends), weekday FROM schedule_hours";

constexpr const char* kDates =
    "SELECT tenant, schedule, TIME_TO_SEC(begins), TIME_TO_SEC(ends), DATEDIFF(date, '1970-01-01') FROM schedule_dates";

// What the schedule itself switched gives way to an edit of it; what was toggled by hand only to an edge.
constexpr const char* kSwitch = R"sql(
UPDATE call_flows SET status = ?, toggled_by = 'schedule',
  toggled_at = GREATEST(COALESCE(TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), schedule_edited_at),
                        schedule_edited_at)
WHERE tenant = ? AND name = ? AND schedule = ? AND schedule_edited_at = ? AND status <> ?
  AND (toggled_at IS NULL
       OR toggled_at < COALESCE(TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), schedule_edited_at)
       OR (toggled_by = 'schedule' AND toggled_at < schedule_edited_at))
)sql";

std::string text(const Row& row, std::size_t column) {
  return row.at(column).value_or("");
}

int number(const Row& row, std::size_t column) {
  return std::stoi(row.at(column).value_or("0"));
}

flow::Hours hours(const Row& row) {
  return {std::chrono::seconds(number(row, 2)), std::chrono::seconds(number(row, 3))};
}

std::vector<TenantSchedule> query_hours(DatabaseConnection& connection) {
  std::vector<TenantSchedule> schedules;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const Row& row : connection.query(kSchedules)) {
    places[{text(row, 0), text(row, 1)}] = schedules.size();
    schedules.push_back({text(row, 0), text(row, 1), text(row, 2), {}});
  }
  const auto schedule_of = [&](const Row& row) -> flow::Schedule* {
    const auto found = places.find({text(row, 0), text(row, 1)});
    return found == places.end() ? nullptr : &schedules[found->second].schedule;
  };
  for (const Row& row : connection.query(kHours)) {
    auto* schedule = schedule_of(row);
    if (schedule) schedule->weekly.push_back({date::weekday(static_cast<unsigned>(number(row, 4))), hours(row)});
  }
  for (const Row& row : connection.query(kDates)) {
    auto* schedule = schedule_of(row);
    if (schedule) schedule->single.push_back({date::local_days(date::days(number(row, 4))), hours(row)});
  }
  return schedules;
}

}  // namespace

// What is edited while this reads has another revision, and so is read again; a flow is read before the hours that
// decide its status, so that the statement which switches it finds it edited.
std::optional<Schedules> query_schedules(DatabaseConnection& connection, std::optional<std::uint64_t> known) {
  Schedules found;
  found.revision = std::stoull(connection.query(kRevision).at(0).at(0).value_or("0"));
  if (known == found.revision) return std::nullopt;
  for (const Row& row : connection.query(kFlows)) {
    found.flows.push_back({text(row, 0), text(row, 1), text(row, 2), text(row, 3),
                           text(row, 4) == "on" ? flow::Status::kOn : flow::Status::kOff});
  }
  if (!found.flows.empty()) found.schedules = query_hours(connection);
  return found;
}

bool switch_flow(DatabaseConnection& connection, const ScheduledFlow& flow, flow::Status status,
                 std::optional<WallTime> edge) {
  const std::string wanted = status == flow::Status::kOn ? "on" : "off";
  DatabaseConnection::Value since = nullptr;
  if (edge) since = static_cast<std::int64_t>(edge->time_since_epoch().count());
  return connection.execute(kSwitch,
                            {wanted, since, flow.tenant, flow.name, flow.schedule, flow.edited_at, wanted, since}) > 0;
}

}  // namespace callpark
