#include "parkd/store/call_flows_table.h"

#include "parkd/flow/lock_out.h"

namespace callpark {
namespace {

constexpr const char* kFind = R"sql(
SELECT f.name, f.pin, f.destination_sound, f.alternate_sound, COALESCE(e.language, t.language),
       COALESCE(g.locked_until > UTC_TIMESTAMP(3), 0)
FROM call_flows f
JOIN tenants t ON t.tenant = f.tenant AND t.enabled
JOIN extensions e ON e.tenant = f.tenant AND e.extension = ? AND e.enabled
LEFT JOIN call_flow_guesses g ON g.tenant = f.tenant AND g.name = f.name AND g.extension = e.extension
WHERE f.tenant = ? AND f.feature_code = ? AND f.enabled
)sql";

// The assignments are made in this order, each with what is left by those before it. A locked row stays as it is, so
// that no row is changed. The connection keeps the failures as its last insert id: of tries at the same moment only
// that which locks reports it. Parameters: tenant, name, extension, seconds that failures are kept, failures for a
// lock, longest lock, first lock, failures for a lock.
constexpr const char* kCountTry = R"sql(
INSERT INTO call_flow_guesses (tenant, name, extension, failures, last_at) VALUES (?, ?, ?, LAST_INSERT_ID(1), UTC_TIMESTAMP(3))
ON DUPLICATE KEY UPDATE
  failures = LAST_INSERT_ID(CASE WHEN locked_until > UTC_TIMESTAMP(3) THEN failures
                                 WHEN last_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND THEN 1
                                 ELSE failures + 1 END),
  last_at = IF(locked_until > UTC_TIMESTAMP(3), last_at, UTC_TIMESTAMP(3)),
  locked_until = CASE WHEN locked_until > UTC_TIMESTAMP(3) THEN locked_until
                      WHEN failures MOD ? = 0
                        THEN UTC_TIMESTAMP(3) + INTERVAL LEAST(?, ? * POW(2, LEAST(10, failures DIV ? - 1))) SECOND
                      ELSE NULL END
)sql";

constexpr const char* kLocks = "SELECT LAST_INSERT_ID() > 0 AND LAST_INSERT_ID() MOD ? = 0";

constexpr const char* kForget = "DELETE FROM call_flow_guesses WHERE tenant = ? AND name = ? AND extension = ?";

constexpr const char* kRecord =
    "INSERT IGNORE INTO call_flow_events (at, tenant, name, event, party, status, operation_id) "
    "SELECT UTC_TIMESTAMP(3), tenant, name, ?, ?, status, ? FROM call_flows WHERE tenant = ? AND name = ?";

// What a locked extension may have entered without end is entered once a minute.
constexpr const char* kNotOfThisMinute =
    " AND NOT EXISTS (SELECT 1 FROM call_flow_events e WHERE e.tenant = call_flows.tenant AND e.name = call_flows.name "
    "AND e.event = 'refused_locked' AND e.party = ? AND e.at > UTC_TIMESTAMP(3) - INTERVAL 1 MINUTE)";

constexpr int kDeletedAtOnce = 5000;

// A trigger enters the event under the operation id, in the same transaction.
constexpr const char* kToggle =
    "UPDATE call_flows f SET f.status = IF(f.status = 'on', 'off', 'on'), f.toggle_operation = ?, f.toggled_by = ?, "
    "f.toggled_at = UTC_TIMESTAMP(3) WHERE f.tenant = ? AND f.feature_code = ? AND f.name = ? AND f.enabled "
    "AND f.pin = ? AND f.toggle_operation <> ? AND EXISTS (SELECT 1 FROM extensions e "
    "JOIN tenants t ON t.tenant = e.tenant AND t.enabled WHERE e.tenant = f.tenant AND e.extension = ? AND e.enabled)";

constexpr const char* kStatusAfter = "SELECT status FROM call_flow_events WHERE operation_id = ?";

const char* name_of(FlowIncident incident) {
  switch (incident) {
    case FlowIncident::kWrongPin:
      return "wrong_pin";
    case FlowIncident::kLocked:
      return "locked";
    case FlowIncident::kRefusedLocked:
      break;
  }
  return "refused_locked";
}

}  // namespace

std::optional<CallFlow> CallFlowsTable::find(const Extension& extension, const std::string& code) {
  const auto rows = connection_.query(kFind, {extension.number, extension.tenant, code});
  if (rows.empty()) return std::nullopt;
  const auto text = [&row = rows.front()](std::size_t column) { return row.at(column).value_or(""); };
  return CallFlow{text(0), text(1), text(2), text(3), text(4), text(5) == "1"};
}

// Repeated after a lost connection a try may be counted twice: the lock comes earlier, never later.
FlowTry CallFlowsTable::count_try(const FlowGuesser& guesser) {
  const auto& [name, extension] = guesser;
  const std::int64_t per_lock = flow::kFailuresPerLock;
  const int changed = connection_.execute(
      kCountTry, {extension.tenant, name, extension.number, std::chrono::seconds(flow::kFailuresKept).count(), per_lock,
                  flow::kLockMax.count(), flow::kFirstLock.count(), per_lock});
  if (changed == 0) return FlowTry::kDenied;
  const auto rows = connection_.query(kLocks, {per_lock});
  return rows.front().at(0) == "1" ? FlowTry::kCountedLocks : FlowTry::kCounted;
}

void CallFlowsTable::forget_failures(const FlowGuesser& guesser) {
  connection_.execute(kForget, {guesser.extension.tenant, guesser.flow, guesser.extension.number});
}

void CallFlowsTable::record(const FlowGuesser& guesser, FlowIncident incident, const std::string& operation_id) {
  std::string statement = kRecord;
  std::vector<DatabaseConnection::Value> values{std::string(name_of(incident)), guesser.extension.number, operation_id,
                                                guesser.extension.tenant, guesser.flow};
  if (incident == FlowIncident::kRefusedLocked) {
    statement += kNotOfThisMinute;
    values.emplace_back(guesser.extension.number);
  }
  connection_.execute(statement, values);
}

bool CallFlowsTable::forget_old(std::int64_t days) {
  const std::string limit = " LIMIT " + std::to_string(kDeletedAtOnce);
  const int events =
      connection_.execute("DELETE FROM call_flow_events WHERE at < UTC_TIMESTAMP(3) - INTERVAL ? DAY" + limit, {days});
  const int guesses = connection_.execute(
      "DELETE FROM call_flow_guesses WHERE last_at < UTC_TIMESTAMP(3) - INTERVAL ? SECOND "
      "AND (locked_until IS NULL OR locked_until < UTC_TIMESTAMP(3))" +
          limit,
      {std::chrono::seconds(flow::kFailuresKept).count()});
  return events < kDeletedAtOnce && guesses < kDeletedAtOnce;
}

std::optional<flow::Status> CallFlowsTable::toggle(const FlowGuesser& by, const std::string& code,
                                                   const std::string& pin, const std::string& operation_id) {
  // Done already if the connection broke after it.
  if (const auto status = status_after(operation_id)) return status;
  connection_.execute(kToggle, {operation_id, by.extension.number, by.extension.tenant, code, by.flow, pin,
                                operation_id, by.extension.number});
  return status_after(operation_id);
}

std::optional<flow::Status> CallFlowsTable::status_after(const std::string& operation_id) {
  const auto rows = connection_.query(kStatusAfter, {operation_id});
  if (rows.empty()) return std::nullopt;
  return rows.front().at(0) == "on" ? flow::Status::kOn : flow::Status::kOff;
}

}  // namespace callpark
