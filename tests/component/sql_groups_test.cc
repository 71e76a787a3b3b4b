// Park groups, recalls, ring groups and orbit ranges: every edit that the database refuses, and the sentence of each
// refusal.
#include <gmock/gmock.h>

#include "parkd/store/database_connection.h"
#include "tests/component/sql_fixture.h"

namespace callpark::test {
namespace {

using ::testing::HasSubstr;
using Refusals = std::vector<Refusal>;

// Groups that refer to nothing but each other, instead of the demo tenant's: each edit has one reason to be refused.
constexpr const char* kGroups = R"sql(
  UPDATE tenants SET recall_after_seconds = DEFAULT, ring_seconds = DEFAULT, recall_attempts_max = DEFAULT,
    fallback_destination = NULL;
  DELETE FROM park_groups WHERE park_group <> 'sales';
  UPDATE park_groups SET recall_mode = NULL;
  DELETE FROM ring_groups;
  INSERT INTO ring_groups (tenant, ring_group, display_name, strategy) VALUES
    ('demo.callpark', '600', 'All of sales', 'simultaneous'), ('demo.callpark', '601', 'One of sales', 'sequential');
  UPDATE ring_groups SET destination = '101' WHERE ring_group = '601';
  INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES
    ('demo.callpark', '600', 1, '102'), ('demo.callpark', '600', 2, '103'),
    ('demo.callpark', '601', 1, '103'), ('demo.callpark', '601', 2, '102');
  UPDATE orbit_ranges SET orbit_range = 'lot';
)sql";

template <class Fixture>
class WithOwnGroups : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    const bool is_done = Fixture::server().value("SELECT COUNT(*) FROM ring_groups WHERE ring_group = '600'") == "1";
    if (!is_done) Fixture::server().execute(kGroups);
  }
};
using SqlGroups = WithOwnGroups<SqlSchema>;
using SqlGroupsRefusal = WithOwnGroups<SqlRefusal>;

std::string park_group(const std::string& name, const std::string& settings = "") {
  return "INSERT INTO park_groups SET tenant = 'demo.callpark', park_group = '" + name + "'" +
         (settings.empty() ? "" : ", " + settings) + ";";
}
std::string of_sales(const std::string& settings) {
  return "UPDATE park_groups SET " + settings + " WHERE park_group = 'sales';";
}
std::string of_demo(const std::string& settings) {
  return "UPDATE tenants SET " + settings + " WHERE tenant = 'demo.callpark';";
}
std::string park_group_member(const std::string& values) {
  return "INSERT INTO park_group_members (tenant, park_group, position, extension) VALUES (" + values + ");";
}
std::string ring_group(const std::string& number, const std::string& settings = "") {
  return "INSERT INTO ring_groups SET tenant = 'demo.callpark', ring_group = '" + number + "'" +
         (settings.empty() ? "" : ", " + settings) + ";";
}
std::string of_600(const std::string& settings) {
  return "UPDATE ring_groups SET " + settings + " WHERE ring_group = '600';";
}
std::string ring_group_member(const std::string& values) {
  return "INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES (" + values + ");";
}
std::string orbit_range(const std::string& name, const std::string& park_number, const std::string& first,
                        const std::string& last, const std::string& tenant = "demo.callpark") {
  return "INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES ('" + tenant +
         "', '" + name + "', '" + park_number + "', '" + first + "', '" + last + "');";
}
std::string of_lot(const std::string& settings) {
  return "UPDATE orbit_ranges SET " + settings + " WHERE orbit_range = 'lot';";
}
std::string range_extension(const std::string& tenant, const std::string& range, const std::string& extension) {
  return "INSERT INTO orbit_range_extensions (tenant, orbit_range, extension) VALUES ('" + tenant + "', '" + range +
         "', '" + extension + "');";
}
std::string extension(const std::string& number) {
  return "INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '" + number + "', 'x');";
}
std::string code(const std::string& code, const std::string& action = "park", const std::string& bare = "own_extension",
                 const std::string& retrieve_code = "*88") {
  return "INSERT INTO park_codes (tenant, code, action, bare, retrieve_code) VALUES ('demo.callpark', '" + code +
         "', '" + action + "', '" + bare + "', '" + retrieve_code + "');";
}
std::string did(const std::string& destination) {
  return "INSERT INTO dids (did, tenant, destination) VALUES ('+442030000999', 'demo.callpark', '" + destination +
         "');";
}

const Refusals kParkGroups = {
    {park_group(""), "a park group has a name, with no spaces around it"},
    {park_group("   "), "a park group has a name, with no spaces around it"},
    {park_group(" front"), "a park group has a name, with no spaces around it"},
    {park_group("front\t"), "a park group has a name, with no spaces around it"},
    {park_group("a\nb"), "a park group has a name, with no spaces around it"},
    {park_group("\xc2\xa0"), "a park group has a name, with no spaces around it"},
    {park_group(std::string(65, 'a')), "Data too long for column 'park_group'"},
    {"INSERT INTO park_groups SET tenant = 'demo.callpark', park_group = NULL", "'park_group' cannot be null"},
    {of_sales("park_group = ''"), "a park group has a name, with no spaces around it"},
    {park_group("sales"), "the tenant already has a park group sales"},
    {park_group("SALES"), "the tenant already has a park group SALES"},
    {park_group("sales "), "the tenant already has a park group sales"},
    {park_group("front") + "UPDATE park_groups SET park_group = 'sales' WHERE park_group = 'front'",
     "the tenant already has a park group sales"},
    {"INSERT INTO park_groups (tenant, park_group) VALUES ('nowhere.callpark', 'a')",
     "a park group belongs to a tenant that exists"},
    {of_sales("tenant = 'other.callpark'"), "a park group stays in its tenant: make another there"},
    {"INSERT INTO tenants (tenant) VALUES ('new.callpark');"
     "INSERT INTO park_groups (tenant, park_group) VALUES ('new.callpark', 'a');"
     "DELETE FROM tenants WHERE tenant = 'new.callpark'",
     "the tenant still has park groups: delete them first"},
    // Members.
    {park_group("front") + park_group_member("'demo.callpark', 'front', 1, '101'"),
     "an extension is in one park group"},
    {park_group_member("'demo.callpark', 'sales', 9, '101'"), "an extension is in one park group"},
    {"UPDATE park_group_members SET extension = '102' WHERE extension = '101'", "an extension is in one park group"},
    {park_group_member("'demo.callpark', 'sales', 1, '104'"), "Duplicate entry 'demo.callpark-sales-1'"},
    {park_group_member("'demo.callpark', 'front', 1, '104'"), "the park group of a member exists"},
    {park_group_member("'other.callpark', 'sales', 1, '101'"), "the park group of a member exists"},
    {"UPDATE park_group_members SET tenant = 'other.callpark' WHERE extension = '101'",
     "the park group of a member exists"},
    {"INSERT INTO park_groups (tenant, park_group) VALUES ('other.callpark', 'front');" +
         park_group_member("'other.callpark', 'front', 1, '103'"),
     "a park group's member is an extension of the tenant"},
    {park_group_member("'demo.callpark', 'sales', 4, '600'"), "a park group's member is an extension of the tenant"},
    {park_group_member("'demo.callpark', 'sales', 4, '7001'"), "a park group's member is an extension of the tenant"},
    {park_group_member("'demo.callpark', 'sales', 4, '*68'"), "a park group's member is an extension of the tenant"},
    {park_group_member("'demo.callpark', 'sales', 4, ''"), "a park group's member is an extension of the tenant"},
    {"UPDATE park_group_members SET extension = '199' WHERE extension = '101'",
     "a park group's member is an extension of the tenant"},
    {park_group_member("'demo.callpark', 'sales', -1, '104'"), "Out of range value for column 'position'"},
    // An extension that is still a member.
    {"DELETE FROM dids; DELETE FROM extensions WHERE tenant = 'demo.callpark' AND extension = '103'",
     "103 is still in the park group sales: take it out first"},
    {"DELETE FROM dids; "
     "UPDATE extensions SET extension = '199' WHERE tenant = 'demo.callpark' AND extension = '103'",
     "103 is still in the park group sales: take it out first"},
    {"DELETE FROM dids; "
     "UPDATE extensions SET tenant = 'other.callpark' WHERE tenant = 'demo.callpark' AND extension = '103'",
     "103 is still in the park group sales: take it out first"},
    // Codes.
    {code("*59", "groups"), "a park code parks or retrieves"},
    {code("*59", "group_park", "random_orbit"), "a code that parks in the group cannot mean a random orbit"},
    {code("*59", "group_park", "own_extension", "*58"), "the code that is announced must be one that retrieves"},
    {code("*59", "retrieve"), "only a code that parks announces another"},
    {code("*59") + "UPDATE park_codes SET action = 'group_park', retrieve_code = NULL WHERE code = '*88'",
     "another code announces this one to retrieve with: it must stay so"},
};

// The same at the tenant and in a park group.
const Refusals kRecallSettings = {
    {"recall_mode = 'sometimes'", "off, parker_only, parker_then_ring_group or ring_group_only"},
    {"recall_mode = 'OFF'", "off, parker_only, parker_then_ring_group or ring_group_only"},
    {"recall_mode = ''", "off, parker_only, parker_then_ring_group or ring_group_only"},
    {"recall_after_seconds = 9", "a recall comes after 10 to 3600 seconds"},
    {"recall_after_seconds = 3601", "a recall comes after 10 to 3600 seconds"},
    {"ring_seconds = 9", "a recalled phone rings for 10 to 3600 seconds"},
    {"ring_seconds = 3601", "a recalled phone rings for 10 to 3600 seconds"},
    {"recall_retry_seconds = 0", "a recall is tried again after 1 to 3600 seconds"},
    {"recall_retry_seconds = 3601", "a recall is tried again after 1 to 3600 seconds"},
    {"recall_attempts_max = 11", "a recall is tried at most 10 times, 0: without end"},
    {"recall_attempts_max = -1", "Out of range value for column 'recall_attempts_max'"},
    {"alert_ring_group_wait_seconds = 9", "the ring group is called after 10 to 3600 seconds"},
    {"alert_ring_group_wait_seconds = 3601", "the ring group is called after 10 to 3600 seconds"},
    {"fallback_ring_seconds = 9", "the fallback of a recall rings for 10 to 3600 seconds"},
    {"fallback_ring_seconds = 3601", "the fallback of a recall rings for 10 to 3600 seconds"},
    {"fallback_destination = '+44'", "an outside fallback is a plus and 3 to 20 digits"},
    {"fallback_destination = '+44 20 3000'", "an outside fallback is a plus and 3 to 20 digits"},
    {"fallback_destination = '999'", "the tenant has no extension, ring group, call flow, menu or announcement 999"},
    {"fallback_destination = ''", "the tenant has no extension, ring group, call flow, menu or announcement "},
    {"fallback_destination = '*68'", "the tenant has no extension, ring group, call flow, menu or announcement *68"},
    {"fallback_destination = '7000'", "the tenant has no extension, ring group, call flow, menu or announcement 7000"},
    {"fallback_destination = '7001'", "the tenant has no extension, ring group, call flow, menu or announcement 7001"},
    {"fallback_destination = '442030000999'",
     "the tenant has no extension, ring group, call flow, menu or announcement 442030000999"},
    {"music_class = '../etc'", "music class is letters, digits, _ or -"},
    {"music_class = ''", "music class is letters, digits, _ or -"},
};

Refusals recall_settings() {
  Refusals refusals;
  for (const Refusal& setting : kRecallSettings) {
    refusals.push_back({of_demo(setting.statements), setting.sentence});
    refusals.push_back({of_sales(setting.statements), setting.sentence});
    refusals.push_back({park_group("front", setting.statements), setting.sentence});
  }
  for (const std::string setting :
       {"recall_mode", "recall_after_seconds", "ring_seconds", "recall_retry_seconds", "recall_attempts_max",
        "alert_ring_group_wait_seconds", "fallback_ring_seconds", "music_on"}) {
    refusals.push_back({of_demo(setting + " = NULL"), "'" + setting + "' cannot be null"});
  }
  refusals.push_back({"INSERT INTO tenants (tenant, fallback_destination) VALUES ('new.callpark', '101')",
                      "the tenant has no extension, ring group, call flow, menu or announcement 101"});
  refusals.push_back({"UPDATE tenants SET fallback_destination = '103' WHERE tenant = 'other.callpark'",
                      "the tenant has no extension, ring group, call flow, menu or announcement 103"});
  return refusals;
}

const Refusals kRecallRingGroups = {
    {of_demo("recall_mode = 'parker_then_ring_group'"), "a recall to a ring group needs a ring group"},
    {of_demo("recall_mode = 'ring_group_only'"), "a recall to a ring group needs a ring group"},
    {"INSERT INTO tenants (tenant, recall_mode) VALUES ('new.callpark', 'ring_group_only')",
     "a recall to a ring group needs a ring group"},
    {of_demo("recall_mode = 'ring_group_only', ring_group = '600'") + of_demo("ring_group = NULL"),
     "a recall to a ring group needs a ring group"},
    {of_demo("ring_group = '602'"), "the ring group of a recall exists"},
    {of_demo("ring_group = '101'"), "the ring group of a recall exists"},
    {of_demo("ring_group = ''"), "the ring group of a recall exists"},
    {"UPDATE tenants SET ring_group = '600' WHERE tenant = 'other.callpark'", "the ring group of a recall exists"},
    {of_sales("ring_group = '602'"), "the ring group of a park group's recall exists"},
    {"INSERT INTO park_groups (tenant, park_group, ring_group) VALUES ('other.callpark', 'front', '600')",
     "the ring group of a park group's recall exists"},
    // The park group's own settings with those of its tenant.
    {park_group("front", "recall_mode = 'ring_group_only'"),
     "the park group recalls to a ring group: name one, in the park group or in the tenant"},
    {of_sales("recall_mode = 'parker_then_ring_group'"),
     "the park group recalls to a ring group: name one, in the park group or in the tenant"},
    {of_sales("recall_mode = 'ring_group_only', ring_group = '600'") + of_sales("ring_group = NULL"),
     "the park group recalls to a ring group: name one, in the park group or in the tenant"},
    {of_demo("ring_group = '600'") + of_sales("recall_mode = 'ring_group_only'") + of_demo("ring_group = NULL"),
     "the park group sales recalls to the tenant's ring group: change it first"},
    {of_demo("fallback_destination = '101 '"), "a fallback is digits or +digits, with nothing behind them"},
    {of_demo("fallback_destination = '+442030000999\n'"), "a fallback is digits or +digits, with nothing behind them"},
    {of_demo("fallback_destination = '101\n'"),
     "the tenant has no extension, ring group, call flow, menu or announcement 101"},
    {of_sales("fallback_destination = '101 '"), "a fallback is digits or +digits, with nothing behind them"},
    {of_sales("fallback_destination = '+442030000999\n'"), "a fallback is digits or +digits, with nothing behind them"},
    // A number that a recall still leads to.
    {of_demo("ring_group = '600'") + "DELETE FROM ring_groups WHERE ring_group = '600'",
     "600 is still called by the tenant's recalls: change them first"},
    {of_sales("ring_group = '600'") + "DELETE FROM ring_groups WHERE ring_group = '600'",
     "600 is still called by recalls of the park group sales: change it first"},
    {of_sales("ring_group = '600'") + of_600("ring_group = '610'"),
     "600 is still called by recalls of the park group sales: change it first"},
    {extension("199") + of_demo("fallback_destination = '199'") + "DELETE FROM extensions WHERE extension = '199'",
     "199 is still called by the tenant's recalls: change them first"},
    {extension("199") + of_sales("fallback_destination = '199'") +
         "UPDATE extensions SET extension = '198' WHERE extension = '199'",
     "199 is still called by recalls of the park group sales: change it first"},
    {"INSERT INTO parked_calls SET park_id = 'a', tenant = 'demo.callpark', orbit = '101', slot = 1, state = 'parked', "
     "parker = '101', music_class = 'default', caller_dialog = '{}', owner = 'n', epoch = 1, operation_id = 'o', "
     "parked_at = NOW(), deadline = NOW(), recall = '{'",
     "a recall is JSON"},
};

const Refusals kRingGroups = {
    {ring_group("6"), "a ring group has 2 to 20 digits"},
    {ring_group("sales"), "a ring group has 2 to 20 digits"},
    {ring_group("*600"), "a ring group has 2 to 20 digits"},
    {ring_group(""), "a ring group has 2 to 20 digits"},
    {of_600("ring_group = '6'"), "a ring group has 2 to 20 digits"},
    {ring_group("602", "strategy = 'random'"), "a ring group rings simultaneous or sequential"},
    {ring_group("602", "strategy = 'Sequential'"), "a ring group rings simultaneous or sequential"},
    {of_600("ring_seconds = 4"), "a ring group rings for 5 to 300 seconds"},
    {of_600("ring_seconds = 301"), "a ring group rings for 5 to 300 seconds"},
    {of_600("display_name = 'a\"b'"), "a ring group's name has no control characters or quotes"},
    {of_600("display_name = 'a\\nb'"), "a ring group's name has no control characters or quotes"},
    {"INSERT INTO ring_groups (tenant, ring_group) VALUES ('nowhere.callpark', '600')",
     "a number belongs to a tenant that exists"},
    {of_600("tenant = 'other.callpark'"), "a ring group stays in its tenant: make another there"},
    {"DELETE FROM numbers WHERE number = '600'", "a ring group stands in the number plan"},
    // Its number in the number plan.
    {ring_group("600"), "600 is taken: it is already a ring group"},
    {ring_group("101"), "101 is taken: it is already an extension"},
    {ring_group("7000"), "7000 is taken: it is already a park number"},
    {ring_group("7005"), "7005 is taken: it is an orbit of the range lot"},
    {extension("600"), "600 is taken: it is already a ring group"},
    {code("600"), "600 is taken: it is already a ring group"},
    {code("60"), "park code 60 would hide 600, which begins with it"},
    {code("62") + ring_group("620"), "620 could not be dialled: it begins with the park code 62"},
    {of_600("ring_group = '601'"), "601 is taken: it is already a ring group"},
    {of_600("ring_group = '102'"), "102 is taken: it is already an extension"},
    // Where it leads.
    {of_600("destination = '+44'"), "an outside destination is a plus and 3 to 20 digits"},
    {of_600("destination = '+4420x'"), "an outside destination is a plus and 3 to 20 digits"},
    {of_600("destination = '999'"), kNoDestination + "999"},
    {of_600("destination = ''"), kNoDestination},
    {of_600("destination = '*88'"), kNoDestination + "*88"},
    {of_600("destination = '7000'"), kNoDestination + "7000"},
    {of_600("destination = '7011'"), kNoDestination + "7011"},
    {"INSERT INTO ring_groups (tenant, ring_group, destination) VALUES ('other.callpark', '600', '103')",
     kNoDestination + "103"},
    {of_600("destination = '600'"), "the ring group 600 would lead to itself, by way of 600"},
    {ring_group("602", "destination = '602'"), "the ring group 602 would lead to itself, by way of 602"},
    {of_600("destination = '601'") + "UPDATE ring_groups SET destination = '600' WHERE ring_group = '601'",
     "the ring group 601 would lead to itself, by way of 600"},
    {ring_group("602", "destination = '600'") + of_600("destination = '601'") +
         "UPDATE ring_groups SET destination = '602' WHERE ring_group = '601'",
     "the ring group 601 would lead to itself, by way of 602"},
    {of_600("destination = '101 '"), "a destination is digits, *digits or +digits, nothing behind them"},
    {"UPDATE ring_groups SET destination = '101 ' WHERE ring_group = '601'",
     "a destination is digits, *digits or +digits, nothing behind them"},
    {of_600("destination = '+442030000999 '"), "an outside destination is a plus and 3 to 20 digits"},
    {of_600("destination = '+442030000999\n'"), "a destination is digits, *digits or +digits, nothing behind them"},
    {of_600("destination = ' 101'"), kNoDestination + " 101"},
    {ring_group("602", "destination = '101'") +
         "UPDATE ring_groups SET ring_group = '603', destination = '602' WHERE ring_group = '602'",
     "the ring group 603 would lead to itself, by way of 602"},
    // Members that ring.
    {ring_group_member("'demo.callpark', '600', 3, '104 '"), "a member is digits or +digits, with nothing behind them"},
    {ring_group_member("'demo.callpark', '600', 3, '+442030000999\n'"),
     "a member is digits or +digits, with nothing behind them"},
    {ring_group_member("'demo.callpark', '600', 3, '104\n'"), "the tenant has no extension 104"},
    {ring_group_member("'demo.callpark', '602', 1, '101'"), "the ring group of a member exists"},
    {ring_group_member("'other.callpark', '600', 1, '101'"), "the ring group of a member exists"},
    {ring_group_member("'demo.callpark', '600', 3, '102'"), "a ring group has a member once"},
    {ring_group_member("'demo.callpark', '600', 1, '104'"), "Duplicate entry 'demo.callpark-600-1'"},
    {ring_group_member("'demo.callpark', '600', 3, '999'"), "the tenant has no extension 999"},
    {ring_group_member("'demo.callpark', '600', 3, '601'"),
     "a ring group rings extensions and outside numbers; the tenant has no extension 601"},
    {ring_group_member("'demo.callpark', '600', 3, '*68'"), "the tenant has no extension *68"},
    {ring_group_member("'demo.callpark', '600', 3, '7001'"), "the tenant has no extension 7001"},
    {ring_group_member("'demo.callpark', '600', 3, ''"), "the tenant has no extension "},
    {"INSERT INTO ring_groups (tenant, ring_group) VALUES ('other.callpark', '600');" +
         ring_group_member("'other.callpark', '600', 1, '103'"),
     "the tenant has no extension 103"},
    {"UPDATE ring_group_members SET member = '199' WHERE member = '102'", "the tenant has no extension 199"},
    {"UPDATE ring_group_members SET tenant = 'other.callpark' WHERE member = '103'", "the tenant has no extension 103"},
    {ring_group_member("'demo.callpark', '600', 3, '+44'"), "an outside member is a plus and 3 to 20 digits"},
    {"UPDATE ring_group_members SET member = '+44 20' WHERE member = '102'",
     "an outside member is a plus and 3 to 20 digits"},
    // A number that a ring group or a DID still leads to.
    {extension("199") + ring_group_member("'demo.callpark', '600', 3, '199'") +
         "DELETE FROM extensions WHERE extension = '199'",
     "199 is still in the ring group 600: take it out first"},
    {extension("199") + ring_group_member("'demo.callpark', '600', 3, '199'") +
         "UPDATE extensions SET extension = '198' WHERE extension = '199'",
     "199 is still in the ring group 600: take it out first"},
    {extension("199") + of_600("destination = '199'") + "DELETE FROM extensions WHERE extension = '199'",
     "199 is still the destination of the ring group 600: change it first"},
    {of_600("destination = '601'") + "DELETE FROM ring_groups WHERE ring_group = '601'",
     "601 is still the destination of the ring group 600: change it first"},
    {of_600("destination = '601'") + "UPDATE ring_groups SET ring_group = '611' WHERE ring_group = '601'",
     "601 is still the destination of the ring group 600: change it first"},
    {did("600") + "DELETE FROM ring_groups WHERE ring_group = '600'",
     "600 is still rung by the DID +442030000999: lead it elsewhere first"},
};

const Refusals kOrbitRanges = {
    {orbit_range("", "7100", "7101", "7110"), "an orbit range has a name, with no spaces around it"},
    {orbit_range("  ", "7100", "7101", "7110"), "an orbit range has a name, with no spaces around it"},
    {orbit_range("yard\t", "7100", "7101", "7110"), "an orbit range has a name, with no spaces around it"},
    {orbit_range("lot", "7100", "7101", "7110"), "the tenant already has an orbit range lot"},
    {orbit_range("yard", "7100", "7101", "7110") + of_lot("orbit_range = 'Yard'"),
     "the tenant already has an orbit range Yard"},
    {orbit_range("yard", "7100", "7101", "7110", "nowhere.callpark"), "a number belongs to a tenant that exists"},
    {of_lot("restricted = 2"), "an orbit range is restricted (TRUE) or not (FALSE)"},
    {range_extension("demo.callpark", "yard", "101"), "the orbit range that an extension may use exists"},
    {range_extension("demo.callpark", "lot", "199"), "an orbit range is used by an extension of the tenant"},
    {range_extension("other.callpark", "lot", "101"), "the orbit range that an extension may use exists"},
    {of_lot("tenant = 'other.callpark'"), "an orbit range stays in its tenant: make another there"},
    {"DELETE FROM numbers WHERE number = '7000'", "a park number stands in the number plan"},
    // Its bounds.
    {orbit_range("yard", "7100", "7101", "711x"), "an orbit has 2 to 15 digits; a star may lead"},
    {orbit_range("yard", "7100", "", ""), "an orbit has 2 to 15 digits; a star may lead"},
    {orbit_range("yard", "7100", "1", "9"), "an orbit has 2 to 15 digits; a star may lead"},
    {orbit_range("yard", "7100", "**71", "**79"), "an orbit has 2 to 15 digits; a star may lead"},
    {orbit_range("yard", "7100", "+7101", "+7110"), "an orbit has 2 to 15 digits; a star may lead"},
    {orbit_range("yard", "7100", "991", "9910"), "the first and the last orbit have equal length, and star"},
    {orbit_range("yard", "7100", "9910", "*910"), "the first and the last orbit have equal length, and star"},
    {orbit_range("yard", "7100", "7110", "7101"), "the first orbit is not after the last"},
    {of_lot("last_orbit = '6999'"), "the first orbit is not after the last"},
    {orbit_range("yard", "7100", "80000", "90000"), "an orbit range has at most 10000 orbits"},
    {orbit_range("yard", "7100", "*900000000000000", "*999999999999999"), "an orbit range has at most 10000 orbits"},
    // Its park number.
    {orbit_range("yard", "7", "7101", "7110"), "a park number has 2 to 19 digits; a star may lead"},
    {orbit_range("yard", "park", "7101", "7110"), "a park number has 2 to 19 digits; a star may lead"},
    {orbit_range("yard", "7000", "7101", "7110"), "7000 is taken: it is already a park number"},
    {orbit_range("yard", "101", "7101", "7110"), "101 is taken: it is already an extension"},
    {orbit_range("yard", "*68", "7101", "7110"), "*68 is taken: it is already a park code"},
    {orbit_range("yard", "*6800", "7101", "7110"), "*6800 could not be dialled: it begins with the park code *68"},
    {orbit_range("yard", "7010", "7101", "7110"), "7010 is taken: it is an orbit of the range lot"},
    {orbit_range("yard", "7105", "7101", "7110"), "7101 to 7110 would take 7105, which is a number of the tenant"},
    {of_lot("park_number = '7001'"), "7001 is taken: it is an orbit of the range lot"},
    {of_lot("park_number = '102'"), "102 is taken: it is already an extension"},
    // What it meets.
    {orbit_range("yard", "7100", "7010", "7020"), "7010 to 7020 overlaps the range lot"},
    {orbit_range("yard", "7100", "6990", "7001"), "6990 to 7001 overlaps the range lot"},
    {orbit_range("yard", "7100", "7003", "7004"), "7003 to 7004 overlaps the range lot"},
    {orbit_range("yard", "7100", "6900", "7090"), "6900 to 7090 overlaps the range lot"},
    {orbit_range("yard", "7100", "7011", "7020") + of_lot("last_orbit = '7011'"),
     "7001 to 7011 overlaps the range yard"},
    {orbit_range("yard", "7100", "090", "110"), "090 to 110 would take 101, which is a number of the tenant"},
    {orbit_range("yard", "7100", "600", "600"), "600 to 600 would take 600, which is a number of the tenant"},
    {of_lot("first_orbit = '7000'"), "7000 to 7010 would take 7000, which is a number of the tenant"},
    {orbit_range("yard", "7100", "*500", "*599"), "could not be dialled: some begin with the park code *58"},
    {orbit_range("yard", "7100", "*68", "*69"), "*68 to *69 could not be dialled: some begin with the park code *68"},
    {code("644") + orbit_range("yard", "7100", "64399", "64401"),
     "64399 to 64401 could not be dialled: some begin with the park code 644"},
    {code("715") + of_lot("first_orbit = '7100', last_orbit = '7199'"),
     "7100 to 7199 could not be dialled: some begin with the park code 715"},
    // What comes later.
    {extension("7001"), "7001 is taken: it is an orbit of the range lot"},
    {extension("7010"), "7010 is taken: it is an orbit of the range lot"},
    {extension("199") + "UPDATE extensions SET extension = '7002' WHERE extension = '199'",
     "7002 is taken: it is an orbit of the range lot"},
    {of_600("ring_group = '7003'"), "7003 is taken: it is an orbit of the range lot"},
    {code("7007"), "park code 7007 would hide orbits of the range lot"},
    {code("701"), "park code 701 would hide orbits of the range lot"},
    {"UPDATE park_codes SET code = '701' WHERE tenant = 'demo.callpark' AND code = '*58'",
     "park code 701 would hide orbits of the range lot"},
    {code("70"), "park code 70 would hide 7000, which begins with it"},
    {did("7000"), "a DID cannot lead to a park number: a trunk cannot park"},
    {"UPDATE dids SET destination = '7000'", "a DID cannot lead to a park number: a trunk cannot park"},
    {did("7011"), kNoDestination + "7011"},
};

TEST_F(SqlGroupsRefusal, G3_AParkGroupThatCannotBeIsRefusedWithASentence) {
  expect(kParkGroups);
}

TEST_F(SqlGroupsRefusal, R7_ARecallOutOfBoundsIsRefusedWithASentenceAtTheTenantAndInAParkGroup) {
  expect(recall_settings());
}

TEST_F(SqlGroupsRefusal, R2_R3_R4_ARecallThatLeadsNowhereIsRefusedWithASentence) {
  expect(kRecallRingGroups);
}

TEST_F(SqlGroupsRefusal, R8_ARingGroupThatCannotBeIsRefusedWithASentence) {
  expect(kRingGroups);
}

TEST_F(SqlGroupsRefusal, L1_AnOrbitRangeThatCannotBeIsRefusedWithASentence) {
  expect(kOrbitRanges);
}

// Each with a name of its own, unlike primary keys, so that the refusal is a sentence.
TEST_F(SqlGroupsRefusal, O3_EveryConstraintOfTheGroupsRefusesAWrongEditAbove) {
  const auto named = server().query(
      "SELECT table_name, constraint_name FROM information_schema.table_constraints "
      "WHERE constraint_schema = 'callpark' AND constraint_name <> 'PRIMARY' AND (table_name IN ('park_groups', "
      "'park_group_members', 'ring_groups', 'ring_group_members', 'orbit_ranges', 'orbit_range_extensions') OR "
      "table_name = 'tenants' AND "
      "constraint_name REGEXP 'recall|ring|fallback')");
  EXPECT_EQ(named.size(), 48U);
  std::string said;
  for (const Refusals& refusals : {kParkGroups, recall_settings(), kRecallRingGroups, kRingGroups, kOrbitRanges}) {
    for (const Refusal& refusal : refusals) said += refusal_of(refusal.statements) + "\n";
  }
  for (const auto& constraint : named) {
    const std::string& table = constraint.at(0);
    const std::string& name = constraint.at(1);
    EXPECT_THAT(said, ::testing::AnyOf(HasSubstr("CONSTRAINT `" + name + "` failed for `callpark`.`" + table + "`"),
                                       HasSubstr("(`callpark`.`" + table + "`, CONSTRAINT `" + name + "`"),
                                       HasSubstr("for key '" + name + "'")))
        << table << ": " << name;
  }
}

// ---- what is allowed ----

TEST_F(SqlGroups, G3_ATenantHasAnyNumberOfParkGroups) {
  EXPECT_EQ(refusal_of(park_group("front") + park_group("caf\xc3\xa9 2, \xe6\xa5\xbc") +
                       park_group_member("'demo.callpark', 'front', 7, '104'") +
                       park_group_member("'demo.callpark', 'front', 3, '105'") +
                       "INSERT INTO park_groups (tenant, park_group) VALUES ('other.callpark', 'sales');" +
                       park_group_member("'other.callpark', 'sales', 1, '101'")),
            "");
  EXPECT_EQ(refusal_of(of_sales("park_group = 'Sales'") + of_sales("park_group = 'front'") +
                       "UPDATE park_group_members SET position = position + 10 WHERE park_group = 'front' ORDER BY "
                       "position DESC; UPDATE park_group_members SET extension = '106' WHERE extension = '103'; "
                       "DELETE FROM park_groups WHERE park_group = 'front'"),
            "");
  EXPECT_EQ(refusal_of(code("*59", "group_park") + "UPDATE park_codes SET retrieve_code = NULL WHERE code = '*59'"),
            "");
  EXPECT_EQ(refusal_of("UPDATE extensions SET may_group_park = FALSE, display_name = 'Al' WHERE extension = '101'"),
            "");
}

TEST_F(SqlGroups, R7_ARecallTakesEverySettingWithinItsBounds) {
  for (const std::string settings :
       {"recall_mode = 'off'", "recall_mode = 'parker_only'", "recall_mode = 'ring_group_only', ring_group = '600'",
        "recall_mode = 'parker_then_ring_group', ring_group = '601'", "recall_after_seconds = 10, ring_seconds = 10",
        "recall_after_seconds = 3600, ring_seconds = 3600", "recall_retry_seconds = 1, recall_attempts_max = 0",
        "recall_retry_seconds = 3600, recall_attempts_max = 10", "alert_ring_group_wait_seconds = 10",
        "alert_ring_group_wait_seconds = 3600", "fallback_destination = '101'", "fallback_destination = '600'",
        "fallback_destination = '+442030000999'", "music_on = FALSE, music_class = 'jazz'"}) {
    EXPECT_EQ(refusal_of(of_demo(settings)), "") << settings;
    EXPECT_EQ(refusal_of(of_sales(settings)), "") << settings;
    EXPECT_EQ(refusal_of(park_group("front", settings)), "") << settings;
  }
  EXPECT_EQ(server().query("SELECT music_on, recall_mode, recall_after_seconds, ring_seconds, recall_retry_seconds, "
                           "recall_attempts_max, alert_ring_group_wait_seconds, ring_group, fallback_destination "
                           "FROM tenants WHERE tenant = 'demo.callpark'"),
            MariadbServer::Rows({{"1", "parker_only", "90", "30", "10", "3", "30", "NULL", "NULL"}}));
}

TEST_F(SqlGroups, R2_R3_AParkGroupMayRecallToTheRingGroupOfItsTenant) {
  const std::string relies = of_demo("ring_group = '600'") + of_sales("recall_mode = 'ring_group_only'");
  EXPECT_EQ(refusal_of(relies + of_demo("ring_group = '601'") + "DELETE FROM ring_groups WHERE ring_group = '600'"),
            "");
  EXPECT_EQ(refusal_of(relies + of_sales("ring_group = '601'") + of_demo("ring_group = NULL")), "");
  EXPECT_EQ(refusal_of(relies + of_sales("recall_mode = NULL") + of_demo("ring_group = NULL")), "");
  EXPECT_EQ(refusal_of(of_demo("ring_group = '600', recall_mode = 'ring_group_only'") +
                       of_sales("recall_mode = 'off'") + of_sales("recall_mode = NULL")),
            "");
}

TEST_F(SqlGroups, R8_RingGroupsRingExtensionsAndOutsideNumbersAndLeadOn) {
  EXPECT_EQ(refusal_of(ring_group("602", "strategy = 'sequential', ring_seconds = 5, destination = '+442030000998'") +
                       of_600("destination = '602', ring_seconds = 300") +
                       "UPDATE ring_groups SET destination = '600' WHERE ring_group = '601';" +
                       ring_group_member("'demo.callpark', '602', 1, '+442030000998'") +
                       ring_group_member("'demo.callpark', '602', 2, '101'") + did("601")),
            "");
  EXPECT_EQ(refusal_of("INSERT INTO ring_groups (tenant, ring_group, destination) VALUES ('other.callpark', '600', "
                       "'101');" +
                       ring_group_member("'other.callpark', '600', 1, '102'")),
            "");
  EXPECT_EQ(server().query("START TRANSACTION; " + of_600("ring_group = '610'") +
                           "DELETE FROM ring_groups WHERE ring_group = '601';"
                           "SELECT number FROM numbers WHERE kind = 'ring_group';"
                           "SELECT ring_group, member FROM ring_group_members ORDER BY position"),
            MariadbServer::Rows({{"610"}, {"610", "102"}, {"610", "103"}}))
      << "its members go with it";
}

TEST_F(SqlGroups, L1_OrbitRangesMayHaveAStarAndMeetNothingElse) {
  EXPECT_EQ(refusal_of(orbit_range("yard", "7100", "7011", "7020") + orbit_range("star", "*900", "*9010", "*9019") +
                       orbit_range("bare", "900", "9010", "9019") + orbit_range("one", "901", "9020", "9020") +
                       orbit_range("wide", "902", "50000", "59999") + orbit_range("longer", "903", "70010", "70019") +
                       orbit_range("long", "904", "999999999990000", "999999999999999")),
            "");
  EXPECT_EQ(refusal_of(orbit_range("lot", "7000", "7001", "7010", "other.callpark") + extension("7011") +
                       extension("70010") + code("702") + code("70011") + code("*59")),
            "");
  EXPECT_EQ(server().query("START TRANSACTION; " + of_lot("orbit_range = 'Lot', last_orbit = '7020'") +
                           of_lot("park_number = '*9000', from_trunks = TRUE") +
                           "SELECT number FROM numbers WHERE kind = 'park_number'; DELETE FROM orbit_ranges; "
                           "SELECT COUNT(*) FROM numbers WHERE kind = 'park_number';" +
                           extension("7001")),
            MariadbServer::Rows({{"*9000"}, {"0"}}));
}

TEST_F(SqlGroups, L7_PermissionInARangeGoesWithTheRangeAndWithTheExtension) {
  const std::string permissions =
      "SELECT COALESCE(GROUP_CONCAT(orbit_range, ' ', extension), 'none') FROM "
      "orbit_range_extensions;";
  EXPECT_EQ(
      server().query("START TRANSACTION; " + extension("107") + of_lot("restricted = TRUE") +
                     range_extension("demo.callpark", "lot", "107") +
                     "UPDATE extensions SET extension = '108' WHERE extension = '107';" +
                     of_lot("orbit_range = 'car park'") + permissions +
                     "DELETE FROM extensions WHERE extension = '108';" + permissions +
                     range_extension("demo.callpark", "car park", "101") + "DELETE FROM orbit_ranges;" + permissions),
      MariadbServer::Rows({{"car park 108"}, {"none"}, {"none"}}));
}

TEST_F(SqlGroups, ATenantWithGroupsCanBeTakenDownInOrder) {
  EXPECT_EQ(
      refusal_of("DELETE FROM dids WHERE tenant = 'demo.callpark'; DELETE FROM trunks; "
                 "DELETE FROM call_flows; DELETE FROM ivr_menus; DELETE FROM orbit_ranges; DELETE FROM park_groups; " +
                 of_demo("recall_mode = 'ring_group_only', ring_group = '600'") +
                 of_demo("recall_mode = DEFAULT, ring_group = NULL") +
                 "UPDATE ring_groups SET destination = NULL; DELETE FROM ring_groups; "
                 "DELETE FROM park_codes WHERE retrieve_code IS NOT NULL; DELETE FROM park_codes; "
                 "DELETE FROM extensions WHERE tenant = 'demo.callpark'; "
                 "DELETE FROM tenants WHERE tenant = 'demo.callpark'"),
      "");
}

// MariaDB cuts what is longer than 512 characters.
TEST_F(SqlGroups, O3_ASentenceIsWholeHoweverLongTheNamesAreInIt) {
  std::string longest;
  for (int i = 0; i < 64; ++i) longest += "\xc3\xbc";
  EXPECT_THAT(refusal_of(of_sales("park_group = '" + longest + "', ring_group = '600'") +
                         "DELETE FROM ring_groups WHERE ring_group = '600'"),
              HasSubstr("600 is still called by recalls of the park group " + longest + ": change it first"));
  EXPECT_THAT(refusal_of(of_lot("orbit_range = '" + longest + "'") + code("701")),
              HasSubstr("park code 701 would hide orbits of the range " + longest));
}

TEST_F(SqlGroups, O3_WhatTwoOperatorsEditAtOnceIsRefusedTooWhenItIsWrongTogether) {
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {of_600("destination = '601'"), "UPDATE ring_groups SET destination = '600' WHERE ring_group = '601'"},
           {of_demo("ring_group = '600'"), "DELETE FROM ring_groups WHERE ring_group = '600'"},
           {orbit_range("yard", "7100", "7101", "7110"), extension("7105")},
           {extension("7105"), orbit_range("yard", "7100", "7101", "7110")},
           {orbit_range("yard", "7100", "7101", "7110"), orbit_range("court", "7200", "7110", "7120")},
           {of_600("destination = '106'"), "DELETE FROM extensions WHERE extension = '106'"}}) {
    DatabaseConnection other({server().socket().string(), server().user(), server().password(), server().database()});
    other.query("START TRANSACTION");
    other.query(first);
    EXPECT_THAT(refusal_of("SET innodb_lock_wait_timeout = 1; " + second), HasSubstr("Lock wait timeout")) << second;
    other.query("ROLLBACK");
  }
}

}  // namespace
}  // namespace callpark::test
