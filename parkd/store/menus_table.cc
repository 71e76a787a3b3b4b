#include "parkd/store/menus_table.h"

#include <chrono>
#include <utility>

namespace callpark {
namespace {

// As many as a call may pass through; none leads to itself.
constexpr int kCallFlowsMax = 16;
// Of a destination behind an announcement.
constexpr std::int64_t kAnnouncementRingSeconds = 30;

// Parameters: extension, tenant, number; default ring time, extension, tenant, number.
constexpr const char* kFind = R"sql(
SELECT 1, m.name, m.greeting_sound, m.greeting_text, COALESCE(m.language, e.language, t.language), m.ring_seconds,
       m.first_key_seconds, m.next_key_seconds, m.tries, m.direct_dial, m.timeout_destination, m.invalid_destination,
       1, ''
FROM ivr_menus m
JOIN tenants t ON t.tenant = m.tenant AND t.enabled
LEFT JOIN extensions e ON e.tenant = m.tenant AND e.extension = ?
WHERE m.tenant = ? AND m.number = ? AND m.enabled
UNION ALL
SELECT 0, a.name, a.sound, a.text, COALESCE(a.language, e.language, t.language), ?, 0, 0, 1, 0, '', '',
       a.times, a.destination
FROM announcements a
JOIN tenants t ON t.tenant = a.tenant AND t.enabled
LEFT JOIN extensions e ON e.tenant = a.tenant AND e.extension = ?
WHERE a.tenant = ? AND a.number = ? AND a.enabled
)sql";

constexpr const char* kOptions =
    "SELECT digits, destination FROM ivr_menu_options WHERE tenant = ? AND menu = ? ORDER BY digits";

constexpr const char* kExtensionLengths =
    "SELECT DISTINCT LEFT(extension, 1), CHAR_LENGTH(extension) FROM extensions WHERE tenant = ? AND enabled";

// What the number is now, where a call flow leads, and whether an extension or a ring group can be called.
constexpr const char* kResolve = R"sql(
SELECT n.kind, IF(f.status = 'on', f.destination, f.alternate_destination),
       e.extension IS NOT NULL OR g.ring_group IS NOT NULL
FROM numbers n
JOIN tenants t ON t.tenant = n.tenant AND t.enabled
LEFT JOIN call_flows f ON f.tenant = n.tenant AND f.number = n.number AND f.enabled
LEFT JOIN extensions e ON e.tenant = n.tenant AND e.extension = n.number AND e.enabled
LEFT JOIN ring_groups g ON g.tenant = n.tenant AND g.ring_group = n.number AND g.enabled
WHERE n.tenant = ? AND n.number = ?
)sql";

constexpr const char* kResolveEntered =
    "SELECT 1 FROM extensions e JOIN tenants t ON t.tenant = e.tenant AND t.enabled "
    "WHERE e.tenant = ? AND e.extension = ? AND e.enabled";

MenuPlace place_of(const std::string& number, const DatabaseConnection::Row& row) {
  const auto text = [&row](std::size_t column) { return row.at(column).value_or(""); };
  const auto integer = [&row](std::size_t column) { return std::stoi(row.at(column).value_or("0")); };
  MenuPlace found;
  found.number = number;
  found.name = text(1);
  found.sound = text(2);
  found.text = text(3);
  found.language = text(4);
  found.ring_max = std::chrono::seconds(integer(5));
  found.first_key = std::chrono::seconds(integer(6));
  found.next_key = std::chrono::seconds(integer(7));
  menu::Place& place = found.place;
  place.kind = integer(0) != 0 ? menu::Place::Kind::kMenu : menu::Place::Kind::kAnnouncement;
  place.tries_max = integer(8);
  place.direct_dial = integer(9) != 0;
  place.timeout_destination = text(10);
  place.invalid_destination = text(11);
  place.times = integer(12);
  place.destination = text(13);
  return found;
}

}  // namespace

std::optional<FoundDestination> plain_destination(const std::string& destination) {
  if (destination.starts_with("hangup:")) return DestinationHangUp{};
  if (destination.starts_with('+')) return DestinationNumber{};
  return std::nullopt;
}

std::optional<MenuPlace> MenusTable::find(const std::string& tenant, const std::string& extension,
                                          const std::string& number) {
  const auto rows =
      connection_.query(kFind, {extension, tenant, number, kAnnouncementRingSeconds, extension, tenant, number});
  if (rows.empty()) return std::nullopt;
  MenuPlace found = place_of(number, rows.front());
  if (found.place.kind == menu::Place::Kind::kMenu) found.place.options = options(tenant, found.name);
  if (found.place.direct_dial) found.place.extensions = extension_lengths(tenant);
  return found;
}

std::vector<menu::Option> MenusTable::options(const std::string& tenant, const std::string& name) {
  std::vector<menu::Option> options;
  for (const auto& row : connection_.query(kOptions, {tenant, name})) {
    options.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
  }
  return options;
}

menu::ExtensionLengths MenusTable::extension_lengths(const std::string& tenant) {
  menu::ExtensionLengths lengths{};
  for (const auto& row : connection_.query(kExtensionLengths, {tenant})) {
    const auto digit = static_cast<std::size_t>(row.at(0).value_or("0").front() - '0');
    lengths.at(digit) |= 1U << static_cast<unsigned>(std::stoi(row.at(1).value_or("0")));
  }
  return lengths;
}

FoundDestination MenusTable::resolve(const std::string& tenant, const std::string& extension,
                                     const std::string& destination) {
  std::string number = destination;
  for (int passed = 0; passed <= kCallFlowsMax; ++passed) {
    if (auto plain = plain_destination(number)) return *std::move(plain);
    const auto rows = connection_.query(kResolve, {tenant, number});
    if (rows.empty()) break;
    const DatabaseConnection::Row& row = rows.front();
    const std::string kind = row.at(0).value_or("");
    if (kind == "ivr_menu" || kind == "announcement") {
      auto place = find(tenant, extension, number);
      if (place) return *std::move(place);
      break;
    }
    if (row.at(2) == "1") return DestinationNumber{kind == "ring_group"};
    if (!row.at(1)) break;
    number = *row.at(1);
  }
  return DestinationMissing{};
}

FoundDestination MenusTable::resolve_entered(const std::string& tenant, const std::string& number) {
  if (connection_.query(kResolveEntered, {tenant, number}).empty()) return DestinationMissing{};
  return DestinationNumber{};
}

}  // namespace callpark
