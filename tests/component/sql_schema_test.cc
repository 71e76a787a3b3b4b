// What the database refuses, and the sentence of each refusal; the migrations and the demo tenant.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "parkd/store/schema.h"
#include "tests/component/sql_fixture.h"
#include "tests/support/source_directory.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// ---- refusals ----

const std::string kExtension = "INSERT INTO extensions (tenant, extension, password) VALUES ";
const std::string kCode = "INSERT INTO park_codes (tenant, code, action, bare, retrieve_code) VALUES ";
const std::string kTrunk = "INSERT INTO trunks (tenant, trunk, address, port, transport) VALUES ";
const std::string kPrefix = "INSERT INTO trunk_prefixes (tenant, trunk, prefix) VALUES ";
const std::string kDid = "INSERT INTO dids (did, tenant, destination) VALUES ";
const std::string kParked =
    "INSERT INTO parked_calls SET tenant = 'demo.callpark', parker = '101', music_class = 'default', owner = 'n', "
    "epoch = 1, operation_id = 'o', parked_at = NOW(), deadline = NOW(), ";

TEST_F(SqlRefusal, O3_ATenantOutOfBoundsIsRefusedWithASentence) {
  expect({{"INSERT INTO tenants (tenant) VALUES ('Demo.x')", "a tenant is a domain name in lower case"},
          {"INSERT INTO tenants (tenant) VALUES ('a b')", "a tenant is a domain name in lower case"},
          {"INSERT INTO tenants (tenant) VALUES ('')", "a tenant is a domain name in lower case"},
          {"UPDATE tenants SET language = 'English'", "a tenant's language looks like en or en_GB"},
          {"UPDATE tenants SET music_class = '../etc'", "a tenant's music class is letters, digits, _ or -"},
          {"UPDATE tenants SET random_orbit_digits = 2", "random orbits have 3 to 8 digits"},
          {"UPDATE tenants SET random_orbit_digits = 9", "random orbits have 3 to 8 digits"},
          {"UPDATE tenants SET orbit_quarantine_seconds = 86401", "kept in quarantine for at most a day"},
          {"UPDATE tenants SET calls_per_orbit_max = 0", "an orbit takes 1 to 10 calls"},
          {"UPDATE tenants SET calls_per_orbit_max = 11", "an orbit takes 1 to 10 calls"},
          {"UPDATE tenants SET park_seconds_max = 9", "a call is given up after 10 seconds to a day"},
          {"UPDATE tenants SET parked_calls_max = 100001", "a tenant parks at most 100000 calls"},
          {"UPDATE tenants SET extension_parked_calls_max = 100001", "an extension parks at most 100000 calls"},
          {"UPDATE extensions SET parked_calls_max = 100001", "an extension parks at most 100000 calls"},
          {"UPDATE tenants SET parked_calls_max = -1", "Out of range value for column 'parked_calls_max'"},
          {"UPDATE tenants SET parking_enabled = 2", "call park is enabled (TRUE) or not (FALSE)"},
          {"UPDATE tenants SET retrieve_misses_max = 1001", "an extension misses at most 1000 orbits a minute"},
          {"UPDATE tenants SET tenant = 'new.callpark' WHERE tenant = 'demo.callpark'",
           "a tenant cannot be renamed: phones and passwords belong to its domain"},
          {"DELETE FROM tenants", "the tenant still has extensions, codes or trunks: delete them first"},
          {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}'; "
                     "DELETE FROM tenants WHERE tenant = 'demo.callpark'",
           "the tenant has parked calls: disable it and wait until they have ended"}});
}

TEST_F(SqlRefusal, O3_ANumberThatMeansTwoThingsIsRefusedWithASentence) {
  expect(
      {{kExtension + "('demo.callpark', '101', 'x')", "101 is taken: it is already an extension"},
       {kCode + "('demo.callpark', '101', 'park', 'own_extension', NULL)", "101 is taken: it is already an extension"},
       {kCode + "('demo.callpark', '*68', 'park', 'own_extension', NULL)", "*68 is taken: it is already a park code"},
       {kCode + "('demo.callpark', '10', 'park', 'own_extension', NULL)",
        "park code 10 would hide 101, which begins with it"},
       {kCode + "('demo.callpark', '64', 'park', 'own_extension', NULL); " + kExtension +
            "('demo.callpark', '644', 'x')",
        "644 could not be dialled: it begins with the park code 64"},
       {kCode + "('demo.callpark', '64', 'park', 'own_extension', NULL); " + kExtension +
            "('demo.callpark', '64', 'x')",
        "64 is taken: it is already a park code"},
       {"UPDATE extensions SET extension = '102' WHERE tenant = 'other.callpark' AND extension = '101'",
        "102 is taken: it is already an extension"},
       {"UPDATE park_codes SET code = '1' WHERE tenant = 'demo.callpark' AND code = '*68'",
        "park code 1 would hide 101, which begins with it"},
       {"UPDATE extensions SET extension = '199' WHERE tenant = 'demo.callpark' AND extension = '101'",
        "101 is still rung by the DID +442030000101: lead it elsewhere first"},
       {"DELETE FROM extensions WHERE tenant = 'demo.callpark' AND extension = '101'",
        "101 is still rung by the DID +442030000101: lead it elsewhere first"},
       {"DELETE FROM numbers WHERE number = '*68'", "a park code stands in the number plan"},
       {"DELETE FROM numbers WHERE tenant = 'other.callpark' AND number = '102'",
        "an extension stands in the number plan"},
       {"INSERT INTO numbers VALUES ('demo.callpark', '5', 'thing')",
        "a number is of a kind that the number plan has"}});
}

TEST_F(SqlRefusal, O3_AnExtensionThatCannotBeIsRefusedWithASentence) {
  expect({{kExtension + "('nowhere.callpark', '101', 'x')", "a number belongs to a tenant that exists"},
          {kExtension + "('demo.callpark', '1', 'x')", "an extension has 2 to 20 digits"},
          {kExtension + "('demo.callpark', 'alice', 'x')", "an extension has 2 to 20 digits"},
          {kExtension + "('demo.callpark', '*55', 'x')", "an extension has 2 to 20 digits"},
          {kExtension + "('demo.callpark', '555', '')", "an extension has a password"},
          {"UPDATE extensions SET display_name = 'a\"b'", "name has no control characters or quotes"},
          {"UPDATE extensions SET display_name = 'a\\nb'", "name has no control characters or quotes"},
          {"UPDATE extensions SET display_name = 'a\\\\b'", "name has no control characters or quotes"},
          {"UPDATE extensions SET language = 'EN'", "an extension's language looks like en or en_GB"}});
}

TEST_F(SqlRefusal, O3_ACodeThatCannotBeIsRefusedWithASentence) {
  expect({{kCode + "('demo.callpark', '*a', 'park', 'own_extension', NULL)",
           "a park code is digits, with up to two stars before them"},
          {kCode + "('demo.callpark', '**', 'park', 'own_extension', NULL)",
           "a park code is digits, with up to two stars before them"},
          {kCode + "('demo.callpark', '*99', 'eat', 'own_extension', NULL)", "a park code parks or retrieves"},
          {kCode + "('demo.callpark', '*99', 'park', 'somewhere', NULL)",
           "a bare code means own_extension or random_orbit"},
          {kCode + "('demo.callpark', '*99', 'retrieve', 'random_orbit', NULL)",
           "only a code that parks can mean a random orbit"},
          {kCode + "('demo.callpark', '*99', 'retrieve', 'own_extension', '*88')",
           "only a code that parks announces another"},
          {kCode + "('demo.callpark', '*99', 'park', 'own_extension', '*68')",
           "the code that is announced must be one that retrieves"},
          {kCode + "('demo.callpark', '*99', 'park', 'own_extension', '*98')", "the code that is announced exists"},
          {"UPDATE park_codes SET action = 'park' WHERE code = '*88'",
           "another code announces this one to retrieve with: it must stay so"},
          {"DELETE FROM park_codes WHERE code = '*88'", "the code that is announced exists"}});
}

TEST_F(SqlRefusal, O3_ATrunkOrDidThatLeadsNowhereIsRefusedWithASentence) {
  expect({{kTrunk + "('nowhere.callpark', 't', '192.0.2.1', 5060, 'udp')", "a trunk belongs to a tenant that exists"},
          {kTrunk + "('demo.callpark', 'a b', '192.0.2.1', 5060, 'udp')", "a trunk's name is letters, digits, _ or -"},
          {kTrunk + "('demo.callpark', 't', 'sip.example', 5060, 'udp')", "a trunk's address is an IP address"},
          {kTrunk + "('demo.callpark', 't', '192.0.2.999', 5060, 'udp')", "a trunk's address is an IP address"},
          {kTrunk + "('demo.callpark', 't', '192.0.2.1', 0, 'udp')", "a trunk's port is not 0"},
          {kTrunk + "('demo.callpark', 't', '192.0.2.1', 5060, 'ws')", "a trunk is reached by udp or tcp"},
          {kTrunk + "('demo.callpark', 't', '127.0.0.50', 5070, 'udp')", "a tenant has one trunk an address"},
          {"UPDATE trunks SET priority = 1001", "a trunk's priority is 0 to 1000"},
          {"UPDATE trunks SET priority = -1", "Out of range value for column 'priority'"},
          {"UPDATE trunks SET weight = 1001", "a trunk's weight is 0 to 1000"},
          {"UPDATE trunks SET probe = 2", "a trunk is probed (TRUE) or not (FALSE)"},
          {"UPDATE trunks SET calls_max = -1", "Out of range value for column 'calls_max'"},
          {kPrefix + "('demo.callpark', 'none', '+44')", "a prefix belongs to a trunk that exists"},
          {kPrefix + "('other.callpark', 'demo', '+44')", "a prefix belongs to a trunk that exists"},
          {kPrefix + "('demo.callpark', 'demo', '44')", "a trunk's prefix is a plus and 1 to 19 digits"},
          {kPrefix + "('demo.callpark', 'demo', '+')", "a trunk's prefix is a plus and 1 to 19 digits"},
          {kPrefix + "('demo.callpark', 'demo', '+44 ')", "a trunk's prefix is a plus and 1 to 19 digits"},
          {kPrefix + "('demo.callpark', 'demo', '+44\n')", "a trunk's prefix is a plus and 1 to 19 digits"},
          {kPrefix + "('demo.callpark', 'demo', '+44'), ('demo.callpark', 'demo', '+44')", "Duplicate entry"},
          {kDid + "('+442030000999', 'demo.callpark', '999')", kNoDestination + "999"},
          {kDid + "('+442030000999', 'other.callpark', '103')", kNoDestination + "103"},
          {kDid + "('+442030000999', 'demo.callpark', '*68')",
           "a DID cannot lead to a park code: a trunk cannot park, and retrieves from orbits of ranges only"},
          {kDid + "('+442030000999', 'demo.callpark', '101 ')",
           "a DID leads to digits or *digits, with nothing behind them"},
          {kDid + "('+442030000999', 'demo.callpark', '101\n')", kNoDestination + "101"},
          {"UPDATE dids SET destination = '101 ' WHERE did = '+442030000101'",
           "a DID leads to digits or *digits, with nothing behind them"},
          {"UPDATE dids SET destination = '*88'",
           "a DID cannot lead to a park code: a trunk cannot park, and retrieves from orbits of ranges only"},
          {kDid + "('44-20', 'demo.callpark', '101')", "a DID is 3 to 20 digits, with or without a plus"},
          {kDid + "('+442030000101', 'other.callpark', '101')", "Duplicate entry '+442030000101'"}});
}

TEST_F(SqlRefusal, O3_AParkedCallThatCannotBeIsRefusedWithASentence) {
  expect(
      {{kParked + "park_id = 'a', orbit = '1', slot = 11, state = 'parked', caller_dialog = '{}'",
        "an orbit has places 1 to 10"},
       {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'retrieved', caller_dialog = '{}'",
        "a call holds an orbit and a place in it until it is retrieved"},
       {kParked + "park_id = 'a', orbit = '1', slot = NULL, state = 'parked', caller_dialog = '{}'",
        "a call holds an orbit and a place in it until it is retrieved"},
       {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{'",
        "a caller's dialog is JSON"},
       {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}', media = 'x'",
        "a media session is JSON"},
       {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}', tenant_place = 0",
        "places count from 1"},
       {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}', tenant_place = 7; " +
            kParked + "park_id = 'b', orbit = '2', slot = 1, state = 'parked', caller_dialog = '{}', tenant_place = 7",
        "a place of a tenant holds one call"},
       {kParked +
            "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}', extension_place = 7; " +
            kParked +
            "park_id = 'b', orbit = '2', slot = 1, state = 'parked', caller_dialog = '{}', extension_place = 7",
        "a place of an extension holds one call"},
       {kParked + "park_id = 'a', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}'; " + kParked +
            "park_id = 'b', orbit = '1', slot = 1, state = 'parked', caller_dialog = '{}'",
        "a place of an orbit holds one call"}});
}

// ---- what is allowed ----

TEST_F(SqlSchema, S6_CodesNeedNoStarAndMayBeginOneAnother) {
  server().execute(
      "INSERT INTO park_codes (tenant, code, action) VALUES ('demo.callpark', '644', 'park'),"
      " ('demo.callpark', '645', 'retrieve'), ('demo.callpark', '*7', 'park')");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM numbers WHERE number IN ('644', '645', '*7')"), "3");
  server().execute("DELETE FROM park_codes WHERE code IN ('644', '645', '*7')");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM numbers WHERE number IN ('644', '645', '*7')"), "0");
}

TEST_F(SqlSchema, TheNumberPlanFollowsItsTables) {
  server().execute("UPDATE extensions SET extension = '199' WHERE tenant = 'other.callpark' AND extension = '102'");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(number) FROM numbers WHERE tenant = 'other.callpark' AND kind = "
                           "'extension'"),
            "101,199");
  server().execute("UPDATE extensions SET extension = '102' WHERE tenant = 'other.callpark' AND extension = '199'");
}

TEST_F(SqlSchema, ATenantCanBeTakenDownInOrder) {
  server().execute("INSERT INTO tenants (tenant) VALUES ('short.callpark');" + kExtension +
                   "('short.callpark', '101', 'x');" + kCode +
                   "('short.callpark', '*68', 'park', 'own_extension', NULL);" + kTrunk +
                   "('short.callpark', 't', '2001:db8::1', 5060, 'tcp');" + kDid + "('123', 'short.callpark', '101')");
  server().execute(
      "DELETE FROM dids WHERE tenant = 'short.callpark'; DELETE FROM trunks WHERE tenant = 'short.callpark';"
      "DELETE FROM park_codes WHERE tenant = 'short.callpark';"
      "DELETE FROM extensions WHERE tenant = 'short.callpark'; DELETE FROM tenants WHERE tenant = "
      "'short.callpark'");
}

TEST_F(SqlSchema, O3_WhoIsDisabledIsNotASubscriber) {
  const std::string subscribers = "SELECT COUNT(*) FROM subscriber WHERE domain = 'demo.callpark'";
  EXPECT_EQ(server().value(subscribers), "6");
  EXPECT_EQ(server().value("SELECT ha1 FROM subscriber WHERE username = '101' AND domain = 'demo.callpark'"),
            server().value("SELECT MD5('101:demo.callpark:demo-101')"));
  server().execute("UPDATE extensions SET enabled = 0 WHERE extension = '101'");
  EXPECT_EQ(server().value(subscribers), "5");
  server().execute("UPDATE tenants SET enabled = 0");
  EXPECT_EQ(server().value(subscribers), "0");
  server().execute("UPDATE tenants SET enabled = 1; UPDATE extensions SET enabled = 1");
}

TEST_F(SqlSchema, EveryColumnAndTableIsExplained) {
  const std::string ours =
      "table_schema = 'callpark' AND table_name IN ('tenants', 'numbers', 'extensions', 'park_codes', 'trunks', 'dids',"
      " 'ring_groups', 'ring_group_members', 'park_groups', 'park_group_members', 'orbit_ranges', 'parked_calls',"
      " 'released_orbits', 'park_segments', 'cdrs', 'schema_migrations', 'call_flows', 'call_flow_guesses',"
      " 'call_flow_events', 'time_zones', 'schedules', 'schedule_hours', 'schedule_dates', 'ivr_menus',"
      " 'ivr_menu_options', 'announcements', 'menu_calls', 'trunk_prefixes', 'trunk_accounts', 'trunk_passwords',"
      " 'trunk_registrations')";
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM information_schema.columns WHERE column_comment = '' AND " + ours),
            "0");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM information_schema.tables WHERE table_comment <> '' AND " + ours),
            "31");
}

// ---- migrations ----

TEST_F(SqlSchema, TheDemoTenantIsWhatTheTestsRelyOn) {
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(extension, ' ', password ORDER BY extension) FROM extensions WHERE "
                           "tenant = 'demo.callpark'"),
            "101 demo-101,102 demo-102,103 demo-103,104 demo-104,105 demo-105,106 demo-106");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(extension, ' ', password ORDER BY extension) FROM extensions WHERE "
                           "tenant = 'other.callpark'"),
            "101 other-101,102 other-102");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(code, ' ', action, ' ', bare ORDER BY code) FROM park_codes WHERE "
                           "tenant = 'demo.callpark'"),
            "*58 group_park own_extension,*68 park own_extension,*70 park random_orbit,*71 retrieve own_extension,*88 "
            "retrieve own_extension");
  EXPECT_EQ(server().value(
                "SELECT GROUP_CONCAT(park_group, ' ', position, ' ', extension ORDER BY park_group, position) FROM "
                "park_group_members"),
            "sales 1 101,sales 2 102,sales 3 103,support 1 104,support 2 105");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(ring_group, ' ', strategy, ' ', COALESCE(destination, 'nowhere') "
                           "ORDER BY ring_group) FROM ring_groups"),
            "601 simultaneous nowhere,602 sequential nowhere");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(ring_group, ' ', position, ' ', member ORDER BY ring_group, position) "
                           "FROM ring_group_members"),
            "601 1 104,601 2 105,601 3 106,602 1 105,602 2 106");
  EXPECT_EQ(server().value("SELECT CONCAT(orbit_range, ' ', park_number, ' ', first_orbit, ' ', last_orbit) FROM "
                           "orbit_ranges"),
            "lobby 7000 7001 7010");
  EXPECT_EQ(server().value("SELECT CONCAT(trunk, ' ', address, ':', port) FROM trunks"), "demo 127.0.0.50:5060");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM dids WHERE did = CONCAT('+442030000', destination)"), "7");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(CONCAT_WS(' ', name, number, feature_code, pin, destination, "
                           "alternate_destination, status)) FROM call_flows"),
            "day-night 300 *30 1234 105 106 on");
  EXPECT_EQ(
      server().value("SELECT GROUP_CONCAT(CONCAT_WS(' ', name, number, direct_dial, digits, destination) ORDER BY "
                     "digits) FROM ivr_menus JOIN ivr_menu_options ON menu = name"),
      "main 400 1 1 101,main 400 1 2 102");
}

TEST_F(SqlSchema, MigratingAgainChangesNothingAndKeepsWhatWasEdited) {
  server().execute("UPDATE extensions SET display_name = 'Edited' WHERE tenant = 'other.callpark'");
  const CommandResult result = server().migrate({"--demo", "--sip-port", "5060"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "demo tenant\n");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM extensions WHERE display_name = 'Edited'"), "2");
}

TEST_F(SqlSchema, TheDaemonsKnowTheNewestMigration) {
  EXPECT_EQ(server().value("SELECT MAX(version) FROM schema_migrations"), std::to_string(kSchemaVersion));
}

TEST_F(SqlSchema, TheDaemonsAccountCanChangeRowsAndNothingElse) {
  const std::string grants = server().value(
      "SELECT GROUP_CONCAT(privilege_type ORDER BY privilege_type) FROM "
      "information_schema.schema_privileges WHERE grantee LIKE '%callpark%'");
  EXPECT_EQ(grants, "DELETE,INSERT,SELECT,UPDATE");
  EXPECT_EQ(
      server().value("SELECT GROUP_CONCAT(routine_name, ' ', proc_priv ORDER BY routine_name) FROM mysql.procs_priv "
                     "WHERE user = 'callpark'"),
      "end_calls Execute,end_menu_call Execute,end_parked_call Execute");
}

class SqlMigration : public ::testing::Test {
 protected:
  MariadbServer server_{{.directory = {}, .contents = MariadbServer::Contents::kNothing}};
};

TEST_F(SqlMigration, AnEmptyServerBecomesOursWithKamailiosTablesBesideOurs) {
  const CommandResult result = server_.migrate();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(server_.value("SELECT COUNT(*) FROM tenants"), "0") << "no demo unless asked for";
  for (const std::string table : {"version", "location", "dialog", "dialog_vars", "presentity", "pua", "subscriber"}) {
    EXPECT_EQ(server_.value("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'callpark' AND "
                            "table_name = '" +
                            table + "'"),
              "1")
        << table;
  }
  EXPECT_EQ(server_.value("SELECT table_version FROM version WHERE table_name = 'subscriber'"), "7");
}

TEST_F(SqlMigration, WhatIsNotAsItWasRecordedIsRefused) {
  ASSERT_EQ(server_.migrate().exit_code, 0);
  const auto refused = [&](const std::string& edit) {
    server_.execute(edit);
    const CommandResult result = server_.migrate();
    EXPECT_NE(result.exit_code, 0);
    return result.output;
  };
  EXPECT_THAT(refused("INSERT INTO schema_migrations VALUES (99, '0099_later.sql', '', NOW(), NOW())"),
              HasSubstr("the database is newer than these migrations: it has 0099_later.sql"));
  server_.execute("DELETE FROM schema_migrations WHERE version = 99");
  EXPECT_THAT(refused("UPDATE schema_migrations SET applied_at = NULL WHERE version = 2"),
              AllOf(HasSubstr("0002_trunks.sql stopped half-way"), HasSubstr("restore the database")));
  EXPECT_THAT(refused("UPDATE schema_migrations SET applied_at = NOW(), sha256 = REPEAT('0', 64) WHERE version = 2"),
              HasSubstr("0002_trunks.sql has been changed since it was applied: add a new migration instead"));
}

TEST_F(SqlMigration, O7_CheckNamesWhatIsMissingAndChangesNothing) {
  const CommandResult empty = server_.migrate({"--check"});
  EXPECT_EQ(empty.exit_code, 0);
  EXPECT_THAT(empty.output, StartsWith("missing 0001_"));
  EXPECT_EQ(server_.value("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'callpark'"), "0");
  ASSERT_EQ(server_.migrate().exit_code, 0);
  const CommandResult complete = server_.migrate({"--check"});
  EXPECT_EQ(complete.exit_code, 0);
  EXPECT_EQ(complete.output, "");
  server_.execute("INSERT INTO schema_migrations VALUES (99, '0099_later.sql', '', NOW(), NOW())");
  const CommandResult newer = server_.migrate({"--check"});
  EXPECT_EQ(newer.exit_code, 1);
  EXPECT_EQ(newer.output, "migrate.sh: the database is newer than these migrations: it has 0099_later.sql\n");
}

// In the places of the packages: sbin/callpark-migrate, share/callpark/sql.
TEST_F(SqlMigration, O7_TheInstalledProgramFindsItsFilesAndTakesAnyPassword) {
  const TempDir prefix("installed-migrate");
  const auto sql = prefix.path() / "share/callpark/sql";
  std::filesystem::create_directories(prefix.path() / "sbin");
  std::filesystem::create_directories(sql);
  std::filesystem::copy(source_directory() / "sql/migrate.sh", prefix.path() / "sbin/callpark-migrate");
  std::filesystem::copy(source_directory() / "sql/migrations", sql / "migrations");
  std::filesystem::copy("/usr/share/kamailio/mysql", sql / "kamailio");
  const std::string password = R"(it's "50%" \ $(x) `y`)";
  std::ofstream(prefix.path() / "password") << password << '\n';
  const CommandResult result =
      run_command({(prefix.path() / "sbin/callpark-migrate").string(), "--socket", server_.socket().string(),
                   "--password-file", (prefix.path() / "password").string()},
                  std::chrono::seconds(60));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const CommandResult login =
      run_command({"mariadb", "--no-defaults", "--socket=" + server_.socket().string(), "--user=callpark",
                   "--password=" + password, "--execute=SELECT 1", "callpark"},
                  std::chrono::seconds(60));
  EXPECT_EQ(login.exit_code, 0) << login.output;
}

/// The migrations before `end`.
CommandResult migrate_before(const std::string& end, const MariadbServer& server) {
  const TempDir older("older-schema");
  std::filesystem::copy(source_directory() / "sql", older.path() / "sql", std::filesystem::copy_options::recursive);
  for (const auto& file : std::filesystem::directory_iterator(source_directory() / "sql/migrations")) {
    const std::filesystem::path name = file.path().filename();
    if (name.string() > end) std::filesystem::remove(older.path() / "sql/migrations" / name);
  }
  return run_command({(older.path() / "sql/migrate.sh").string(), "--socket", server.socket().string()},
                     std::chrono::seconds(60));
}

// The older schema accepted them, as a comparison passes over blanks, and '$' over a line feed.
TEST_F(SqlMigration, F2_BlanksBehindDestinationsOfAnOlderSchemaAreTrimmed) {
  const CommandResult before = migrate_before("0023", server_);
  ASSERT_EQ(before.exit_code, 0) << before.output;
  server_.execute(
      "INSERT INTO tenants (tenant) VALUES ('demo.callpark');"
      "INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '101', 'x');"
      "INSERT INTO dids (did, tenant, destination) VALUES ('+442030000101', 'demo.callpark', '101 ');"
      "INSERT INTO ring_groups (tenant, ring_group, destination) VALUES ('demo.callpark', '601', '101  '), "
      "('demo.callpark', '602', '+442030000999\n'), ('demo.callpark', '603', NULL);"
      "INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES ('demo.callpark', '601', 1, '101 "
      "'), ('demo.callpark', '601', 2, '+442030000999\n'), ('demo.callpark', '601', 3, '+442030000999');"
      "UPDATE tenants SET fallback_destination = '101 ';"
      "INSERT INTO park_groups (tenant, park_group, fallback_destination) VALUES ('demo.callpark', 'a', "
      "'+442030000999\n'), ('demo.callpark', 'b', '601 ')");
  const CommandResult result = server_.migrate();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(
      server_.value("SELECT CONCAT_WS('|', (SELECT destination FROM dids), (SELECT GROUP_CONCAT(COALESCE(destination, "
                    "'-') ORDER BY ring_group) FROM ring_groups), (SELECT GROUP_CONCAT(member ORDER BY position) FROM "
                    "ring_group_members), (SELECT fallback_destination FROM tenants), (SELECT "
                    "GROUP_CONCAT(fallback_destination ORDER BY park_group) FROM park_groups))"),
      "101|101,+442030000999,-|101,+442030000999|101|+442030000999,601");
}

// Of the release before the wait for the hook was a segment.
TEST_F(SqlMigration, B4_SegmentsOfAnOlderSchemaAreKeptAndCountAsBefore) {
  const CommandResult before = migrate_before("0021", server_);
  ASSERT_EQ(before.exit_code, 0) << before.output;
  ASSERT_EQ(server_.value("SELECT MAX(version) FROM schema_migrations"), "20");
  server_.execute(
      "INSERT INTO tenants (tenant) VALUES ('demo.callpark');"
      "INSERT INTO park_segments (park_id, segment, kind, recall_target, began_at, ended_at, ended, parked_at, tenant, "
      "orbit, parker, caller_number, party, call_id) VALUES "
      "('p', 1, 'talk_before', '', NULL, '2026-11-30 05:00', 'parked', '2026-11-30 05:00', 'demo.callpark', '102', "
      "'101', '', '101', 'c'), "
      "('p', 2, 'parked', '', '2026-11-30 05:00', '2026-11-30 05:01', 'gave_up', '2026-11-30 05:00', 'demo.callpark', "
      "'102', '101', '', '', 'c')");
  const CommandResult result = server_.migrate();
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(
      server_.value("SELECT GROUP_CONCAT(CONCAT_WS('|', segment, kind, ended, hook_failure) ORDER BY segment) FROM "
                    "park_segments"),
      "1|talk_before|parked|,2|parked|gave_up|");
  EXPECT_EQ(server_.value("SELECT CONCAT_WS(' ', outcome, ROUND(parked_seconds), ROUND(talk_seconds), "
                          "ROUND(hook_seconds), hook_failures) FROM billing_calls"),
            "gave_up 60 0 0 0");
}

TEST_F(SqlMigration, WrongArgumentsAreRefusedBeforeAnythingIsDone) {
  EXPECT_NE(server_.migrate({"--database", "a;b"}).exit_code, 0);
  EXPECT_NE(server_.migrate({"--sip-port", "x"}).exit_code, 0);
  EXPECT_NE(server_.migrate({"--what"}).exit_code, 0);
  EXPECT_EQ(server_.value("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = 'callpark'"), "0");
}

}  // namespace
}  // namespace callpark::test
