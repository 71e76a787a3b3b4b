#include "parkd/store/park_events_table.h"

#include "base/json.h"

namespace callpark {
namespace {

constexpr int kDeletedAtOnce = 5000;

std::int64_t milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

// The switch in `tenants` for the texts about this event.
std::string message_column(ParkEventKind kind) {
  switch (kind) {
    case ParkEventKind::kParked:
      return "message_parked";
    case ParkEventKind::kRetrieved:
      return "message_retrieved";
    case ParkEventKind::kGaveUp:
      return "message_gave_up";
    case ParkEventKind::kRecalled:
    case ParkEventKind::kEnded:
      break;
  }
  return "message_recalled";
}

constexpr const char* kOfGroup =
    "SELECT e.extension, COALESCE(e.language, t.language) FROM park_group_members m "
    "JOIN park_groups g ON g.tenant = m.tenant AND g.park_group = m.park_group "
    "JOIN extensions e ON e.tenant = m.tenant AND e.extension = m.extension "
    "JOIN tenants t ON t.tenant = m.tenant "
    "WHERE m.tenant = ? AND m.park_group = ? AND t.message_parked AND e.enabled "
    "AND (g.notify_parker OR m.extension <> ?) ORDER BY m.position";

// The extension that is the orbit; if the orbit is no extension, the parker, that has to learn its number.
constexpr const char* kOfOrbit =
    "SELECT e.extension, COALESCE(e.language, t.language) FROM tenants t "
    "LEFT JOIN extensions o ON o.tenant = t.tenant AND o.extension = ? "
    "JOIN extensions e ON e.tenant = t.tenant AND e.extension = COALESCE(o.extension, ?) "
    "WHERE t.tenant = ? AND IF(o.extension IS NULL, t.message_orbit, t.message_parked) AND e.enabled";

}  // namespace

std::string write_event(const ParkEvent& event) {
  Json json = {{"event", name_of(event.kind)},
               {"park_id", event.park_id.text()},
               {"parked_at", milliseconds(event.parked_at)},
               {"tenant", event.tenant},
               {"orbit", event.orbit},
               {"parker", event.parker},
               {"caller_name", event.caller.name},
               {"caller_number", event.caller.number},
               {"call_id", event.sip_call_id}};
  if (!event.park_group.empty()) json["park_group"] = event.park_group;
  if (!event.by.empty()) json["taken_by"] = event.by;
  if (!event.how.empty()) json["how"] = event.how;
  return write_json(json);
}

void ParkEventsTable::append(const ParkEvent& event) {
  connection_.execute(
      "INSERT INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
      "caller_number, call_id, taken_by, how) VALUES (?, TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), ?, "
      "TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), ?, ?, ?, ?, LEFT(?, 255), LEFT(?, 255), LEFT(?, 255), ?, ?) "
      "ON DUPLICATE KEY UPDATE at = VALUES(at), taken_by = VALUES(taken_by), how = VALUES(how)",
      {event.park_id.text(), milliseconds(event.parked_at), std::string(name_of(event.kind)), milliseconds(event.at),
       event.tenant, event.orbit, event.park_group, event.parker, event.caller.name, event.caller.number,
       event.sip_call_id, event.by, event.how});
}

// The row of a retrieved call holds no orbit any more; its event of parking has it.
void ParkEventsTable::catch_up(const std::string& node) {
  connection_.execute(
      "INSERT IGNORE INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
      "caller_number, call_id, taken_by, how) "
      "SELECT c.park_id, c.parked_at, 'parked', c.parked_at, c.tenant, c.orbit, COALESCE(c.park_group, ''), c.parker, "
      "c.caller_display, c.caller_number, c.call_id, '', '' FROM parked_calls c "
      "WHERE c.owner = ? AND c.state IN ('parked', 'retrieving')",
      {node});
  connection_.execute(
      "INSERT IGNORE INTO park_events (park_id, parked_at, event, at, tenant, orbit, park_group, parker, caller_name, "
      "caller_number, call_id, taken_by, how) "
      "SELECT p.park_id, p.parked_at, 'retrieved', UTC_TIMESTAMP(3), p.tenant, p.orbit, p.park_group, p.parker, "
      "p.caller_name, p.caller_number, p.call_id, c.retriever, '' FROM parked_calls c "
      "JOIN park_events p ON p.park_id = c.park_id AND p.parked_at = c.parked_at AND p.event = 'parked' "
      "WHERE c.owner = ? AND c.state = 'retrieved' AND NOT EXISTS (SELECT 1 FROM park_events r "
      "WHERE r.park_id = c.park_id AND r.parked_at = c.parked_at AND r.event IN ('retrieved', 'recalled'))",
      {node});
}

bool ParkEventsTable::forget(std::int64_t days) {
  const int deleted = connection_.execute(
      "DELETE FROM park_events WHERE at < UTC_TIMESTAMP(3) - INTERVAL ? DAY "
      "AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.park_id = park_events.park_id "
      "AND d.parked_at = park_events.parked_at AND d.event = park_events.event AND d.state = 'due') LIMIT " +
          std::to_string(kDeletedAtOnce),
      {days});
  return deleted < kDeletedAtOnce;
}

std::vector<Recipient> ParkEventsTable::recipients(const ParkEvent& event) {
  std::vector<DatabaseConnection::Row> rows;
  if (event.kind != ParkEventKind::kParked) {
    rows = connection_.query(
        "SELECT e.extension, COALESCE(e.language, t.language) FROM extensions e "
        "JOIN tenants t ON t.tenant = e.tenant WHERE e.tenant = ? AND e.extension = ? "
        "AND e.enabled AND t." +
            message_column(event.kind),
        {event.tenant, event.parker});
  } else if (!event.park_group.empty()) {
    rows = connection_.query(kOfGroup, {event.tenant, event.park_group, event.parker});
  } else {
    rows = connection_.query(kOfOrbit, {event.orbit, event.parker, event.tenant});
  }
  std::vector<Recipient> recipients;
  recipients.reserve(rows.size());
  for (const auto& row : rows) recipients.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
  return recipients;
}

}  // namespace callpark
