#include "parkd/store/dialled_facts_query.h"

#include <algorithm>

#include "parkd/store/billing_hook_query.h"
#include "parkd/store/recall_mode.h"

namespace callpark {
namespace {

// FEATURES S6: a trailing '#' is accepted. RFC 3261 19.1.6: what follows a ';' is a parameter of the number, as
// phone-context. No number of a tenant has a byte that is not printable ASCII.
std::string number_of(std::string dialled) {
  dialled.resize(std::min(dialled.size(), dialled.find(';')));
  if (!std::all_of(dialled.begin(), dialled.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return "";
  if (dialled.ends_with('#')) dialled.pop_back();
  return dialled;
}

// Parameters: user, user, number, number, number, number, number, user, number, number, number, number, user, user,
// number, number, number, number, tenant. The settings of a group count for calls that are parked in it. A retrieve
// names an orbit of a range by itself or behind a code, and of a range that is not enabled too.
constexpr const char* kSql = R"sql(
SELECT
  COALESCE(e.language, t.language),
  IF(COALESCE(g.music_on, t.music_on), COALESCE(g.music_class, t.music_class), ''),
  t.random_orbit_digits,
  t.calls_per_orbit_max,
  t.parked_calls_max,
  COALESCE(e.parked_calls_max, t.extension_parked_calls_max,
           IF(t.parked_calls_max = 0, 0, LEAST(GREATEST(10, t.parked_calls_max DIV 10),
                                               GREATEST(1, CAST(t.parked_calls_max AS SIGNED) - 1)))),
  t.retrieve_misses_max,
  t.park_seconds_max,
  b.tenant IS NOT NULL,
  t.call_back,
  t.call_back_display,
  COALESCE(e.enabled AND e.may_park, 0),
  IF(? = '', COALESCE(r.from_trunks, 0), COALESCE(e.enabled AND e.may_retrieve, 0)),
  COALESCE(e.enabled AND e.may_group_park, 0),
  COALESCE(e.may_set_recall, 0),
  ? = '' OR NOT EXISTS (
    SELECT 1 FROM orbit_ranges q WHERE q.tenant = t.tenant AND q.restricted
      AND (q.park_number = ? OR (CHAR_LENGTH(q.first_orbit) = CHAR_LENGTH(?) AND ? BETWEEN q.first_orbit AND q.last_orbit)
           OR CONVERT(SUBSTRING(?, CHAR_LENGTH(c.code) + 1) USING ascii) COLLATE ascii_bin
              BETWEEN q.first_orbit AND q.last_orbit
              AND CHAR_LENGTH(c.code) + CHAR_LENGTH(q.first_orbit) = CHAR_LENGTH(?))
      AND NOT EXISTS (SELECT 1 FROM orbit_range_extensions p WHERE p.tenant = q.tenant
                      AND p.orbit_range = q.orbit_range AND p.extension = ?)),
  NOT t.parking_enabled,
  NOT t.parking_enabled AND NOT EXISTS (SELECT 1 FROM parked_calls h WHERE h.tenant = t.tenant AND h.orbit IS NOT NULL),
  COALESCE(g.recall_mode, t.recall_mode),
  COALESCE(g.recall_after_seconds, t.recall_after_seconds),
  COALESCE(g.ring_seconds, t.ring_seconds),
  COALESCE(g.recall_retry_seconds, t.recall_retry_seconds),
  COALESCE(g.recall_attempts_max, t.recall_attempts_max),
  COALESCE(g.alert_ring_group_wait_seconds, t.alert_ring_group_wait_seconds),
  COALESCE(g.ring_group, t.ring_group),
  COALESCE(g.fallback_destination, t.fallback_destination),
  COALESCE(g.fallback_ring_seconds, t.fallback_ring_seconds),
  m.park_group,
  r.first_orbit,
  r.last_orbit,
  r.park_number,
  EXISTS (SELECT 1 FROM call_flows f WHERE f.tenant = t.tenant AND f.feature_code = ? AND f.enabled),
  EXISTS (SELECT 1 FROM ivr_menus i WHERE i.tenant = t.tenant AND i.number = ? AND i.enabled)
    OR EXISTS (SELECT 1 FROM announcements s WHERE s.tenant = t.tenant AND s.number = ? AND s.enabled),
  c.code,
  c.action,
  c.bare,
  COALESCE(c.retrieve_code,
           (SELECT MIN(a.code) FROM park_codes a WHERE a.tenant = t.tenant AND a.action = 'retrieve')),
  EXISTS (SELECT 1 FROM extensions x WHERE x.tenant = t.tenant
          AND x.extension = CONVERT(SUBSTRING(?, CHAR_LENGTH(c.code) + 1) USING ascii) COLLATE ascii_bin)
FROM tenants t
LEFT JOIN billing_hooks b ON b.tenant = t.tenant AND b.enabled
LEFT JOIN extensions e ON e.tenant = t.tenant AND e.extension = ?
LEFT JOIN park_group_members m ON m.tenant = t.tenant AND m.extension = ?
LEFT JOIN park_codes c ON c.tenant = t.tenant AND c.code = LEFT(?, CHAR_LENGTH(c.code))
LEFT JOIN park_groups g ON g.tenant = m.tenant AND g.park_group = m.park_group AND c.action = 'group_park'
LEFT JOIN orbit_ranges r ON r.tenant = t.tenant AND r.enabled AND (r.park_number = ? OR
  (CHAR_LENGTH(r.first_orbit) = CHAR_LENGTH(?) AND ? BETWEEN r.first_orbit AND r.last_orbit))
WHERE t.tenant = ? AND t.enabled
ORDER BY CHAR_LENGTH(c.code) DESC LIMIT 1
)sql";

CodeAction action_of(const std::string& name) {
  if (name == "park") return CodeAction::kPark;
  return name == "group_park" ? CodeAction::kGroupPark : CodeAction::kRetrieve;
}

// Reads the columns of a row in their order.
class Columns {
 public:
  explicit Columns(const DatabaseConnection::Row& row) : row_(row) {}
  std::string text() { return row_.at(next_++).value_or(""); }
  int integer() { return std::stoi(row_.at(next_++).value_or("0")); }

 private:
  const DatabaseConnection::Row& row_;
  std::size_t next_ = 0;
};

}  // namespace

DialledFacts query_dialled_facts(DatabaseConnection& connection, const std::string& tenant, const std::string& user,
                                 const std::string& dialled) {
  const std::string number = number_of(dialled);
  DialledFacts facts;
  facts.language = "en";
  const auto rows = connection.query(kSql, {user, user, number, number, number, number, number, user, number, number,
                                            number, number, user, user, number, number, number, number, tenant});
  if (rows.empty()) return facts;
  Columns columns(rows.front());
  facts.language = columns.text();
  facts.music_class = columns.text();
  facts.random_orbit_digits = columns.integer();
  facts.calls_per_orbit_max = columns.integer();
  facts.parked_calls_max = columns.integer();
  facts.extension_parked_calls_max = columns.integer();
  facts.retrieve_misses_max = columns.integer();
  facts.park_seconds_max = columns.integer();
  if (columns.integer() != 0) facts.billing = query_billing_hook(connection, tenant);
  facts.calls_back = columns.integer() != 0;
  facts.call_back_shows_orbit = columns.integer() != 0;
  facts.may_park = columns.integer() != 0;
  facts.may_retrieve = columns.integer() != 0;
  facts.may_group_park = columns.integer() != 0;
  facts.may_set_recall = columns.integer() != 0;
  facts.may_use_range = columns.integer() != 0;
  facts.parks_are_off = columns.integer() != 0;
  facts.retrieves_are_off = columns.integer() != 0;
  facts.recall.mode = recall_mode_of(columns.text());
  facts.recall.after_seconds = columns.integer();
  facts.recall.ring_seconds = columns.integer();
  facts.recall.retry_seconds = columns.integer();
  facts.recall.attempts_max = columns.integer();
  facts.recall.alert_ring_group_wait_seconds = columns.integer();
  facts.recall.ring_group = columns.text();
  facts.recall.fallback_destination = columns.text();
  facts.recall.fallback_ring_seconds = columns.integer();
  facts.park_group = columns.text();
  const OrbitRange range{columns.text(), columns.text()};
  const std::string park_number = columns.text();
  if (!park_number.empty()) {
    facts.range = range;
    if (number != park_number) facts.range_orbit = number;
  }
  if (columns.integer() != 0) facts.flow_code = number;
  if (columns.integer() != 0) facts.menu = number;
  DialledFacts::Code code;
  code.code = columns.text();
  if (code.code.empty()) return facts;
  code.action = action_of(columns.text());
  code.bare = columns.text() == "random_orbit" ? BareCode::kRandomOrbit : BareCode::kOwnExtension;
  code.retrieve_code = columns.text();
  facts.code = code;
  facts.remainder = number.substr(code.code.size());
  facts.remainder_is_extension = columns.integer() != 0;
  if (code.action == CodeAction::kGroupPark) {
    for (const auto& member : connection.query(
             "SELECT extension FROM park_group_members WHERE tenant = ? AND park_group = ? ORDER BY position",
             {tenant, facts.park_group})) {
      facts.park_group_members.push_back(member.at(0).value_or(""));
    }
  }
  return facts;
}

}  // namespace callpark
