#include "parkd/store/dialled_facts_query.h"

#include <algorithm>

#include "parkd/store/recall_mode.h"

namespace callpark {
namespace {

// FEATURES S6: a trailing '#' is accepted. No number of ours has a byte that is not printable ASCII.
std::string number_of(std::string dialled) {
  if (!std::all_of(dialled.begin(), dialled.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return "";
  if (dialled.ends_with('#')) dialled.pop_back();
  return dialled;
}

// Parameters: number, user, number, tenant.
constexpr const char* kSql = R"sql(
SELECT
  COALESCE(e.language, t.language),
  IF(t.music_on, t.music_class, ''),
  t.random_orbit_digits,
  t.calls_per_orbit_max,
  t.parked_calls_max,
  t.park_seconds_max,
  COALESCE(e.enabled AND e.may_park, 0),
  COALESCE(e.enabled AND e.may_retrieve, 0),
  c.code,
  c.action,
  c.bare,
  COALESCE(c.retrieve_code,
           (SELECT MIN(r.code) FROM park_codes r WHERE r.tenant = t.tenant AND r.action = 'retrieve')),
  EXISTS (SELECT 1 FROM extensions x WHERE x.tenant = t.tenant
          AND x.extension = CONVERT(SUBSTRING(?, CHAR_LENGTH(c.code) + 1) USING ascii) COLLATE ascii_bin),
  t.recall_mode,
  t.recall_after_seconds,
  t.ring_seconds,
  t.recall_retry_seconds,
  t.recall_attempts_max,
  t.alert_ring_group_wait_seconds,
  t.ring_group,
  t.fallback_destination
FROM tenants t
LEFT JOIN extensions e ON e.tenant = t.tenant AND e.extension = ?
LEFT JOIN park_codes c ON c.tenant = t.tenant AND c.code = LEFT(?, CHAR_LENGTH(c.code))
WHERE t.tenant = ? AND t.enabled
ORDER BY CHAR_LENGTH(c.code) DESC LIMIT 1
)sql";

}  // namespace

DialledFacts query_dialled_facts(DatabaseConnection& connection, const std::string& tenant, const std::string& user,
                                 const std::string& dialled) {
  const std::string number = number_of(dialled);
  DialledFacts facts;
  facts.language = "en";
  const auto rows = connection.query(kSql, {number, user, number, tenant});
  if (rows.empty()) return facts;
  const DatabaseConnection::Row& row = rows.front();
  const auto text = [&row](std::size_t column) { return row.at(column).value_or(""); };
  const auto integer = [&row](std::size_t column) { return std::stoi(row.at(column).value_or("0")); };
  facts.language = text(0);
  facts.music_class = text(1);
  facts.random_orbit_digits = integer(2);
  facts.calls_per_orbit_max = integer(3);
  facts.parked_calls_max = integer(4);
  facts.park_seconds_max = integer(5);
  facts.may_park = integer(6) != 0;
  facts.may_retrieve = integer(7) != 0;
  facts.recall = {.mode = recall_mode_of(text(13)),
                  .after_seconds = integer(14),
                  .ring_seconds = integer(15),
                  .retry_seconds = integer(16),
                  .attempts_max = integer(17),
                  .alert_ring_group_wait_seconds = integer(18),
                  .ring_group = text(19),
                  .fallback_destination = text(20)};
  if (!row.at(8)) return facts;
  facts.code = DialledFacts::Code{.code = text(8),
                                  .action = text(9) == "park" ? CodeAction::kPark : CodeAction::kRetrieve,
                                  .bare = text(10) == "random_orbit" ? BareCode::kRandomOrbit : BareCode::kOwnExtension,
                                  .retrieve_code = text(11)};
  facts.remainder = number.substr(facts.code->code.size());
  facts.remainder_is_extension = integer(12) != 0;
  return facts;
}

}  // namespace callpark
