// Scripts that may run twice: rows that are there are passed over, or changed, and everything else is refused as
// before.
#include <gmock/gmock.h>

#include "tests/component/sql_fixture.h"

namespace callpark::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SqlTwice : public SqlSchema {};

// Each row is there, from the demo tenant.
const std::vector<std::string> kRows = {
    "tenants (tenant) VALUES ('demo.callpark')",
    "extensions (tenant, extension, password) VALUES ('demo.callpark', '101', 'x')",
    "park_codes (tenant, code, action, bare, retrieve_code) VALUES ('demo.callpark', '*68', 'park', 'own_extension', "
    "'*88')",
    "ring_groups (tenant, ring_group) VALUES ('demo.callpark', '601')",
    "ring_groups (tenant, ring_group, destination) VALUES ('demo.callpark', '602', '601')",
    "ring_group_members (tenant, ring_group, position, member) VALUES ('demo.callpark', '601', 1, '104')",
    "park_groups (tenant, park_group) VALUES ('demo.callpark', 'sales')",
    "park_group_members (tenant, park_group, position, extension) VALUES ('demo.callpark', 'sales', 1, '101')",
    "orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES ('demo.callpark', 'lobby', "
    "'7000', '7001', '7010')",
    "trunks (tenant, trunk, address) VALUES ('demo.callpark', 'demo', '127.0.0.50')",
    "dids (did, tenant, destination) VALUES ('+442030000101', 'demo.callpark', '101')",
    "call_flows (tenant, name, number, feature_code, destination, alternate_destination) VALUES ('demo.callpark', "
    "'day-night', '300', '*30', '105', '106')",
    "ivr_menus (tenant, name, number, greeting_text) VALUES ('demo.callpark', 'main', '400', 'Hello.')",
    "ivr_menu_options (tenant, menu, digits, destination) VALUES ('demo.callpark', 'main', '1', '101')",
};

TEST_F(SqlTwice, X52_InsertIgnorePassesOverRowsThatAreThere) {
  const std::string count = "SELECT COUNT(*) FROM numbers";
  const std::string before = server().value(count);
  for (const std::string& row : kRows) EXPECT_THAT(server().refusal("INSERT IGNORE INTO " + row), IsEmpty()) << row;
  EXPECT_EQ(server().value(count), before);
  EXPECT_EQ(server().value("SELECT password FROM extensions WHERE tenant = 'demo.callpark' AND extension = '101'"),
            "demo-101");
}

TEST_F(SqlTwice, X52_OnDuplicateKeyChangesRowsThatAreThere) {
  EXPECT_THAT(refusal_of("INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '101', 'x') "
                         "ON DUPLICATE KEY UPDATE password = VALUES(password)"),
              IsEmpty());
  EXPECT_THAT(
      refusal_of("insert into ring_groups (tenant, ring_group) values ('demo.callpark', '601') on duplicate key "
                 "update ring_seconds = 7"),
      IsEmpty());
  EXPECT_THAT(refusal_of("INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES "
                         "('demo.callpark', 'lobby', '7000', '7001', '7020') ON DUPLICATE KEY UPDATE last_orbit = "
                         "VALUES(last_orbit)"),
              IsEmpty());
}

TEST_F(SqlTwice, X52_NewRowsAreAddedBesideThoseThatAreThere) {
  EXPECT_THAT(refusal_of("INSERT IGNORE INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '101', "
                         "'x'), ('demo.callpark', '188', 'x'); UPDATE extensions SET extension = '189' WHERE extension "
                         "= '188'"),
              IsEmpty());
  EXPECT_THAT(refusal_of("INSERT LOW_PRIORITY IGNORE INTO ring_groups (tenant, ring_group) SELECT 'demo.callpark', "
                         "'601' UNION SELECT 'demo.callpark', '655'; UPDATE ring_groups SET ring_group = '656' WHERE "
                         "ring_group = '655'"),
              IsEmpty());
}

TEST_F(SqlTwice, X52_WhatIsTakenByAnotherKindOfNumberIsRefusedAsBefore) {
  EXPECT_THAT(
      refusal_of("INSERT IGNORE INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '601', 'x')"),
      HasSubstr("601 is taken: it is already a ring group"));
  EXPECT_THAT(refusal_of("INSERT IGNORE INTO ring_groups (tenant, ring_group) VALUES ('demo.callpark', '101')"),
              HasSubstr("101 is taken: it is already an extension"));
  EXPECT_THAT(refusal_of("INSERT IGNORE INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) "
                         "VALUES ('demo.callpark', 'x', '7000', '8001', '8010')"),
              HasSubstr("7000 is taken: it is already a park number"));
}

TEST_F(SqlTwice, X52_ARowThatIsThereIsRefusedWithASentenceWithoutIgnore) {
  EXPECT_THAT(refusal_of("INSERT INTO extensions (tenant, extension, password, display_name) VALUES ('demo.callpark', "
                         "'101', 'x', ' IGNORE ')"),
              HasSubstr("101 is taken: it is already an extension"));
  EXPECT_THAT(refusal_of("INSERT INTO park_groups (tenant, park_group) VALUES ('demo.callpark', 'sales')"),
              HasSubstr("the tenant already has a park group sales"));
}

TEST_F(SqlTwice, X52_APreparedStatementPassesOverRowsToo) {
  EXPECT_THAT(refusal_of("PREPARE one FROM 'INSERT IGNORE INTO extensions (tenant, extension, password) VALUES (?, ?, "
                         "?)'; SET @tenant = 'demo.callpark', @extension = '101', @password = 'x'; EXECUTE one USING "
                         "@tenant, @extension, @password"),
              IsEmpty());
}

TEST_F(SqlTwice, X52_AScriptOfManyStatementsRunsTwice) {
  std::string script;
  for (const std::string& row : kRows) script += "INSERT IGNORE INTO " + row + ";\n";
  EXPECT_THAT(server().refusal(script + script), IsEmpty());
}

}  // namespace
}  // namespace callpark::test
