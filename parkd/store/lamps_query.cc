#include "parkd/store/lamps_query.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace callpark {
namespace {

using Row = DatabaseConnection::Row;
using Values = std::vector<DatabaseConnection::Value>;

std::string text(const Row& row, std::size_t column) {
  return row.at(column).value_or("");
}

// "?, ?, ?, ?" for as many values or, of the numbers 1, 2, 4, 8 and so on, the next; so that there are few statements
// to prepare. The last value is repeated.
std::string places_for(Values& values, std::size_t first) {
  std::size_t count = 1;
  while (count < values.size() - first) count *= 2;
  values.resize(first + count, values.back());
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

// As many pairs of a tenant and a value as there are, or, of the numbers 1, 2, 4, 8 and so on, the next, as in
// places_for(). Each pair is a range of an index; MariaDB finds no index for pairs in a JSON_TABLE.
using Pairs = std::vector<std::pair<std::string, std::string>>;
std::string calls_by(const char* column, const Pairs& pairs, Values& values) {
  std::string sql = std::string("SELECT ") + CALLPARK_SHOWN_CALL + " FROM parked_calls p" + CALLPARK_JOIN_PARTIES;
  std::size_t count = 1;
  while (count < pairs.size()) count *= 2;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [tenant, value] = pairs.at(std::min(i, pairs.size() - 1));
    sql += std::string(i == 0 ? " WHERE" : " OR") + " (p.tenant = ? AND p." + column + " = ?)";
    values.emplace_back(tenant);
    values.emplace_back(value);
  }
  return sql;
}

// The time of an edit that set the status is that of the edit; of a flow that was entered so, there is none.
#define CALLPARK_LIT_FLOW                                 \
  "number, COALESCE(feature_code, ''), alternate_label, " \
  "COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', toggled_at) DIV 1000, 0)"
#define CALLPARK_IS_LIT "enabled AND status = 'off'"

LitFlow lit_flow(const Row& row, std::size_t first, std::string tenant) {
  return {std::move(tenant), text(row, first), text(row, first + 1), text(row, first + 2),
          std::stoll(row.at(first + 3).value_or("0"))};
}

// One statement, since each change needs it.
std::vector<LampSettings> query_settings(DatabaseConnection& connection, const std::set<std::string>& tenants) {
  Values values;
  std::string which;
  for (int part = 0; part < 4; ++part) {
    const std::size_t first = values.size();
    values.insert(values.end(), tenants.begin(), tenants.end());
    which = " AND tenant IN (" + places_for(values, first) + ")";
  }
  std::map<std::string, LampSettings> settings;
  std::string sql = "SELECT tenant, lamp_state, '', '', '', 0 FROM tenants WHERE TRUE";
  sql += which;
  sql += " UNION ALL SELECT tenant, 'code', code, '', '', 0 FROM park_codes WHERE action = 'retrieve'";
  sql += which;
  sql += " UNION ALL SELECT tenant, 'range', first_orbit, last_orbit, '', 0 FROM orbit_ranges WHERE enabled";
  sql += which;
  sql += " UNION ALL SELECT tenant, 'flow', " CALLPARK_LIT_FLOW " FROM call_flows WHERE " CALLPARK_IS_LIT;
  sql += which;
  for (const Row& row : connection.query(sql, values)) {
    LampSettings& its = settings[text(row, 0)];
    its.tenant = text(row, 0);
    if (text(row, 1) == "code") {
      its.retrieve_codes.push_back(text(row, 2));
    } else if (text(row, 1) == "range") {
      its.ranges.push_back({text(row, 2), text(row, 3)});
    } else if (text(row, 1) == "flow") {
      its.flows.push_back(lit_flow(row, 2, text(row, 0)));
    } else if (text(row, 1) == "confirmed") {
      its.state = LampState::kConfirmed;
    }
  }
  std::vector<LampSettings> list;
  list.reserve(settings.size());
  for (auto& [tenant, its] : settings) list.push_back(std::move(its));
  return list;
}

// Which calls are asked for, by tenant and orbit, caller or retriever.
struct Wanted {
  Pairs at_orbits;
  Pairs of_callers;
  Pairs of_retrievers;
  void add_orbit(const std::string& tenant, const std::string& orbit) { at_orbits.emplace_back(tenant, orbit); }
  // The caller of one call may be the retriever of another, and the other way round.
  void add_party(const Extension& party) {
    of_callers.emplace_back(party.tenant, "sip:" + aor_of(party));
    of_retrievers.emplace_back(party.tenant, party.number);
  }
};

// A lamp's number is an extension, an orbit, or an orbit behind a code that retrieves.
Wanted wanted_by(const std::vector<Presentity>& presentities, const std::vector<LampSettings>& settings) {
  std::map<std::string, const LampSettings*> by_tenant;
  for (const LampSettings& its : settings) by_tenant[its.tenant] = &its;
  Wanted wanted;
  for (const auto& [user, domain] : presentities) {
    const auto its = by_tenant.find(domain);
    if (its == by_tenant.end()) continue;
    wanted.add_orbit(domain, user);
    wanted.add_party({domain, user});
    for (const std::string& code : its->second->retrieve_codes) {
      if (user.starts_with(code)) wanted.add_orbit(domain, user.substr(code.size()));
    }
  }
  return wanted;
}

bool is_older(const ShownCall& left, const ShownCall& right) {
  return std::tie(left.parked_at, left.park_id) < std::tie(right.parked_at, right.park_id);
}

// One statement.
std::vector<ShownCall> query_calls(DatabaseConnection& connection, const Wanted& wanted) {
  std::string sql;
  Values values;
  const auto add = [&](const char* column, const Pairs& pairs) {
    if (!pairs.empty()) sql += (sql.empty() ? "" : " UNION ") + calls_by(column, pairs, values);
  };
  add("orbit", wanted.at_orbits);
  add("caller_uri", wanted.of_callers);
  add("retriever", wanted.of_retrievers);
  std::vector<ShownCall> calls;
  if (sql.empty()) return calls;
  for (const Row& row : connection.query(sql, values)) calls.push_back(shown_call(row));
  std::sort(calls.begin(), calls.end(), is_older);
  return calls;
}

std::string uri_of(const Presentity& presentity) {
  return "sip:" + presentity.user + "@" + presentity.domain;
}

Presentity presentity_of(const std::string& uri) {
  const std::string aor = uri.substr(uri.find(':') + 1);
  const auto at = std::min(aor.rfind('@'), aor.size());
  return {aor.substr(0, at), aor.substr(std::min(at + 1, aor.size()))};
}

constexpr int kUnwatchedMax = 500;

// A publication is parkd's if its dialog id has parkd's prefix.
constexpr const char* kIsOurs = "event = 'dialog' AND body LIKE '%<dialog id=\"park-%'";
constexpr const char* kDialogId = "SUBSTRING_INDEX(SUBSTRING_INDEX(body, '<dialog id=\"', -1), '\"', 1)";
constexpr const char* kState = "SUBSTRING_INDEX(SUBSTRING_INDEX(body, '<state>', -1), '</state>', 1)";

std::vector<PublishedLamp> query_published(DatabaseConnection& connection, const std::set<Presentity>& presentities) {
  Values users;
  for (const Presentity& presentity : presentities) users.emplace_back(presentity.user);
  const std::string list = places_for(users, 0);
  std::vector<PublishedLamp> published;
  // An expired publication lights no lamp.
  for (const Row& row : connection.query(std::string("SELECT username, domain, ") + kDialogId + ", " + kState +
                                             " FROM presentity WHERE username IN (" + list + ") AND " + kIsOurs +
                                             " AND expires > UNIX_TIMESTAMP()",
                                         users)) {
    const Presentity presentity{text(row, 0), text(row, 1)};
    if (presentities.contains(presentity)) published.push_back({presentity, text(row, 2), text(row, 3)});
  }
  return published;
}

}  // namespace

LampFacts query_lamps(DatabaseConnection& connection, const std::vector<CallChange>& changes) {
  std::set<std::string> tenants;
  Wanted wanted;
  for (const CallChange& change : changes) {
    tenants.insert(change.tenant);
    if (!change.orbit.empty()) wanted.add_orbit(change.tenant, change.orbit);
    for (const auto& party : {change.caller, change.retriever}) {
      if (party) wanted.add_party({change.tenant, party->number});
    }
  }
  LampFacts facts;
  if (tenants.empty()) return facts;
  facts.settings = query_settings(connection, tenants);
  facts.calls = query_calls(connection, wanted);
  return facts;
}

std::vector<Presentity> query_watched(DatabaseConnection& connection, const std::optional<Presentity>& after,
                                      std::size_t most) {
  std::vector<Presentity> watched;
  // No look at `expires`, which the index has not: Kamailio deletes what has expired.
  for (const Row& row : connection.query("SELECT DISTINCT presentity_uri FROM active_watchers WHERE event = 'dialog' "
                                         "AND presentity_uri > ? ORDER BY presentity_uri LIMIT " +
                                             std::to_string(most),
                                         {after ? uri_of(*after) : ""})) {
    watched.push_back(presentity_of(text(row, 0)));
  }
  return watched;
}

std::vector<LitFlow> query_lit_flows(DatabaseConnection& connection) {
  std::vector<LitFlow> flows;
  for (const Row& row : connection.query("SELECT tenant, " CALLPARK_LIT_FLOW " FROM call_flows WHERE " CALLPARK_IS_LIT
                                         " ORDER BY tenant, number")) {
    flows.push_back(lit_flow(row, 1, text(row, 0)));
  }
  return flows;
}

PresenceStore::ShownLamps query_shown(DatabaseConnection& connection, const std::vector<Presentity>& presentities) {
  PresenceStore::ShownLamps shown;
  if (presentities.empty()) return shown;
  // Publications follow calls: if the calls were read first, a change between the two would look like a fault.
  shown.published = query_published(connection, {presentities.begin(), presentities.end()});
  std::set<std::string> tenants;
  for (const Presentity& presentity : presentities) tenants.insert(presentity.domain);
  shown.facts.settings = query_settings(connection, tenants);
  shown.facts.calls = query_calls(connection, wanted_by(presentities, shown.facts.settings));
  return shown;
}

std::vector<Presentity> query_unwatched(DatabaseConnection& connection) {
  std::vector<Presentity> unwatched;
  for (const Row& row : connection.query(std::string("SELECT username, domain FROM presentity p WHERE ") + kIsOurs +
                                         " AND NOT EXISTS (SELECT 1 FROM active_watchers w WHERE w.event = 'dialog' "
                                         "AND w.presentity_uri = CONCAT('sip:', p.username, '@', p.domain)) LIMIT " +
                                         std::to_string(kUnwatchedMax))) {
    unwatched.push_back({text(row, 0), text(row, 1)});
  }
  return unwatched;
}

void delete_publication(DatabaseConnection& connection, const Presentity& presentity) {
  connection.execute(std::string("DELETE FROM presentity WHERE username = ? AND domain = ? AND ") + kIsOurs,
                     {presentity.user, presentity.domain});
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
  const std::string places = places_for(values, 1);
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
          places + ") ORDER BY w.extension",
      values);
  for (const Row& row : rows) {
    found.push_back({text(row, 0), std::nullopt});
    if (row.at(1)) found.back().call = shown_call(row, 1);
  }
  return found;
}

}  // namespace callpark
