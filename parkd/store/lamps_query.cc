#include "parkd/store/lamps_query.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace callpark {
namespace {

using Row = DatabaseConnection::Row;
using Values = std::vector<DatabaseConnection::Value>;

std::string text(const Row& row, std::size_t column) {
  return row.at(column).value_or("");
}

// "?, ?, ?"
std::string places(std::size_t count) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += i == 0 ? "?" : ", ?";
  return list;
}

// The caller is an extension if the URI is one of the tenant's. The retriever may be a trunk.
#define CALLPARK_SHOWN_CALL                                                                             \
  "p.park_id, p.tenant, COALESCE(p.orbit, ''), p.state = 'parked', "                                    \
  "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', p.parked_at) DIV 1000, p.caller_display, p.caller_number, " \
  "COALESCE(c.extension, ''), COALESCE(r.extension, '')"
#define CALLPARK_JOIN_PARTIES                                                                               \
  " LEFT JOIN extensions c ON c.tenant = p.tenant"                                                          \
  " AND c.extension = CONVERT(SUBSTRING_INDEX(SUBSTRING_INDEX(p.caller_uri, '@', 1), ':', -1) USING ascii)" \
  " COLLATE ascii_bin AND p.caller_uri = CONCAT('sip:', c.extension, '@', c.tenant)"                        \
  " LEFT JOIN extensions r ON r.tenant = p.tenant AND p.state IN ('retrieving', 'retrieved')"               \
  " AND r.extension = CONVERT(p.retriever USING ascii) COLLATE ascii_bin"

ShownCall shown_call(const Row& row, std::size_t first = 0) {
  ShownCall call;
  call.park_id = ParkId(text(row, first));
  call.tenant = text(row, first + 1);
  call.orbit = text(row, first + 2);
  call.waits = text(row, first + 3) == "1";
  call.parked_at = WallTime(Duration(std::stoll(row.at(first + 4).value_or("0"))));
  call.caller = {text(row, first + 5), text(row, first + 6)};
  call.caller_extension = text(row, first + 7);
  call.retriever_extension = text(row, first + 8);
  return call;
}

constexpr const char* kCalls = "SELECT " CALLPARK_SHOWN_CALL " FROM parked_calls p" CALLPARK_JOIN_PARTIES " WHERE TRUE";

// Of all tenants if `tenants` is empty. One statement, since each change needs it.
std::vector<LampSettings> query_settings(DatabaseConnection& connection, const std::set<std::string>& tenants) {
  const std::string which = tenants.empty() ? "" : " AND tenant IN (" + places(tenants.size()) + ")";
  Values values;
  for (int part = 0; part < 3; ++part) values.insert(values.end(), tenants.begin(), tenants.end());
  std::map<std::string, LampSettings> settings;
  std::string sql = "SELECT tenant, lamp_state, '', '' FROM tenants WHERE TRUE";
  sql += which;
  sql += " UNION ALL SELECT tenant, 'code', code, '' FROM park_codes WHERE action = 'retrieve'";
  sql += which;
  sql += " UNION ALL SELECT tenant, 'range', first_orbit, last_orbit FROM orbit_ranges WHERE enabled";
  sql += which;
  for (const Row& row : connection.query(sql, values)) {
    LampSettings& its = settings[text(row, 0)];
    its.tenant = text(row, 0);
    if (text(row, 1) == "code") {
      its.retrieve_codes.push_back(text(row, 2));
    } else if (text(row, 1) == "range") {
      its.ranges.push_back({text(row, 2), text(row, 3)});
    } else if (text(row, 1) == "confirmed") {
      its.state = LampState::kConfirmed;
    }
  }
  std::vector<LampSettings> list;
  list.reserve(settings.size());
  for (auto& [tenant, its] : settings) list.push_back(std::move(its));
  return list;
}

bool is_older(const ShownCall& left, const ShownCall& right) {
  return std::tie(left.parked_at, left.park_id) < std::tie(right.parked_at, right.park_id);
}

// A publication is parkd's if its dialog id has parkd's prefix.
constexpr const char* kIsOurs = "event = 'dialog' AND body LIKE '%<dialog id=\"park-%'";
constexpr const char* kDialogId = "SUBSTRING_INDEX(SUBSTRING_INDEX(body, '<dialog id=\"', -1), '\"', 1)";
constexpr const char* kState = "SUBSTRING_INDEX(SUBSTRING_INDEX(body, '<state>', -1), '</state>', 1)";

}  // namespace

LampFacts query_lamps(DatabaseConnection& connection, const std::vector<CallChange>& changes) {
  std::set<std::string> tenants;
  std::map<std::string, std::set<std::string>> orbits;
  std::map<std::string, std::set<std::string>> callers;
  std::map<std::string, std::set<std::string>> retrievers;
  for (const CallChange& change : changes) {
    tenants.insert(change.tenant);
    if (!change.orbit.empty()) orbits[change.tenant].insert(change.orbit);
    // The caller of this call may be the retriever of another, and the other way round.
    for (const auto& party : {change.caller, change.retriever}) {
      if (!party) continue;
      callers[change.tenant].insert("sip:" + aor_of(*party));
      retrievers[change.tenant].insert(party->number);
    }
  }
  LampFacts facts;
  if (tenants.empty()) return facts;
  facts.settings = query_settings(connection, tenants);
  std::map<ParkId, ShownCall> calls;
  const auto add = [&](const char* column, const auto& wanted) {
    for (const auto& [tenant, names] : wanted) {
      Values values{tenant};
      values.insert(values.end(), names.begin(), names.end());
      for (const Row& row : connection.query(
               std::string(kCalls) + " AND p.tenant = ? AND " + column + " IN (" + places(names.size()) + ")",
               values)) {
        ShownCall call = shown_call(row);
        calls.emplace(call.park_id, call);
      }
    }
  };
  add("p.orbit", orbits);
  add("p.caller_uri", callers);
  add("p.retriever", retrievers);
  for (auto& [park_id, call] : calls) facts.calls.push_back(std::move(call));
  std::sort(facts.calls.begin(), facts.calls.end(), is_older);
  return facts;
}

LampFacts query_all_lamps(DatabaseConnection& connection) {
  LampFacts facts;
  facts.settings = query_settings(connection, {});
  for (const Row& row : connection.query(kCalls)) facts.calls.push_back(shown_call(row));
  std::sort(facts.calls.begin(), facts.calls.end(), is_older);
  return facts;
}

std::vector<PublishedLamp> query_published_lamps(DatabaseConnection& connection) {
  std::vector<PublishedLamp> published;
  // An expired publication lights no lamp.
  for (const Row& row : connection.query(std::string("SELECT username, domain, ") + kDialogId + ", " + kState +
                                         " FROM presentity WHERE " + kIsOurs + " AND expires > UNIX_TIMESTAMP()")) {
    published.push_back({{text(row, 0), text(row, 1)}, text(row, 2), text(row, 3)});
  }
  return published;
}

std::optional<LivePublication> take_publication(DatabaseConnection& connection, const Presentity& presentity) {
  const std::string where = std::string(" FROM presentity WHERE username = ? AND domain = ? AND ") + kIsOurs;
  const auto rows =
      connection.query(std::string("SELECT etag, ") + kDialogId + ", " + kState + where + " ORDER BY id DESC",
                       {presentity.user, presentity.domain});
  std::optional<LivePublication> live;
  for (const Row& row : rows) {
    if (!live && text(row, 2) != "terminated") {
      live = LivePublication{text(row, 0), text(row, 1)};
      continue;
    }
    connection.execute("DELETE" + where + " AND etag = ?", {presentity.user, presentity.domain, text(row, 0)});
  }
  return live;
}

std::vector<CallInfo> query_call_info(DatabaseConnection& connection, const std::string& tenant,
                                      const std::vector<std::string>& extensions) {
  std::vector<CallInfo> found;
  if (extensions.empty()) return found;
  Values values{tenant};
  values.insert(values.end(), extensions.begin(), extensions.end());
  // The oldest call at the extension itself; else the oldest that was parked for its group, unless the extension is its
  // parker and the group does not notify parkers.
  const auto rows = connection.query(
      std::string("SELECT w.extension, ") + CALLPARK_SHOWN_CALL +
          " FROM extensions w"
          " LEFT JOIN park_group_members m ON m.tenant = w.tenant AND m.extension = w.extension"
          " LEFT JOIN park_groups g ON g.tenant = m.tenant AND g.park_group = m.park_group"
          " LEFT JOIN parked_calls p ON p.park_id = COALESCE("
          "(SELECT o.park_id FROM parked_calls o WHERE o.tenant = w.tenant AND o.orbit = w.extension"
          " AND o.state = 'parked' ORDER BY o.parked_at, o.park_id LIMIT 1),"
          "(SELECT q.park_id FROM parked_calls q WHERE q.tenant = w.tenant AND q.park_group = m.park_group"
          " AND q.state = 'parked' AND (g.notify_parker OR q.parker <> w.extension)"
          " ORDER BY q.parked_at, q.park_id LIMIT 1))" CALLPARK_JOIN_PARTIES
          " WHERE w.tenant = ? AND w.extension IN (" +
          places(extensions.size()) + ") ORDER BY w.extension",
      values);
  for (const Row& row : rows) {
    found.push_back({text(row, 0), std::nullopt});
    if (row.at(1)) found.back().call = shown_call(row, 1);
  }
  return found;
}

}  // namespace callpark
