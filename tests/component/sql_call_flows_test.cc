// Call flows in SQL: every edit that the database refuses, with the sentence of each refusal; what a change of the
// status leaves behind; and that concurrent toggles count.
#include <gmock/gmock.h>

#include <set>
#include <thread>

#include "parkd/store/database_connection.h"
#include "tests/component/sql_fixture.h"

namespace callpark::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Refusals = std::vector<Refusal>;
using Rows = MariadbServer::Rows;

// Beside the demo tenant's day-night (300, *30, 105 or 106). Nested leads to it, and the ring group 610 to nested.
constexpr const char* kMoreFlows = R"sql(
  INSERT INTO call_flows (tenant, name, number, feature_code, destination, alternate_destination) VALUES
    ('demo.callpark', 'nested', '310', '*31', '300', 'hangup:busy'),
    ('other.callpark', 'abroad', '300', '*30', '101', '102');
  INSERT INTO ring_groups (tenant, ring_group, destination) VALUES ('demo.callpark', '610', '310');
)sql";

template <class Fixture>
class WithMoreFlows : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    const bool is_done = Fixture::server().value("SELECT COUNT(*) FROM call_flows WHERE name = 'nested'") == "1";
    if (!is_done) Fixture::server().execute(kMoreFlows);
  }
};
class SqlCallFlows : public WithMoreFlows<SqlSchema> {};
class SqlCallFlowsRefusal : public WithMoreFlows<SqlRefusal> {};

/// A call flow `new` with the number 320 and the code *32; `settings` come after, and replace nothing.
std::string flow(const std::string& settings, const std::string& number = "320", const std::string& code = "*32",
                 const std::string& name = "new") {
  return "INSERT INTO call_flows SET tenant = 'demo.callpark', name = '" + name + "', number = '" + number +
         "', feature_code = '" + code + "', " + settings + ";";
}
const std::string kTo101 = "destination = '101', alternate_destination = '102'";

std::string of_day_night(const std::string& settings) {
  return "UPDATE call_flows SET " + settings + " WHERE tenant = 'demo.callpark' AND name = 'day-night';";
}
std::string of_nested(const std::string& settings) {
  return "UPDATE call_flows SET " + settings + " WHERE tenant = 'demo.callpark' AND name = 'nested';";
}
std::string extension(const std::string& number) {
  return "INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '" + number + "', 'x');";
}
std::string park_code(const std::string& code) {
  return "INSERT INTO park_codes (tenant, code, action) VALUES ('demo.callpark', '" + code + "', 'park');";
}
std::string range(const std::string& park_number, const std::string& first, const std::string& last) {
  return "INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES "
         "('demo.callpark', 'yard', '" +
         park_number + "', '" + first + "', '" + last + "');";
}

std::string did(const std::string& did, const std::string& destination, const std::string& tenant = "demo.callpark") {
  return "INSERT INTO dids (did, tenant, destination) VALUES ('" + did + "', '" + tenant + "', '" + destination + "');";
}
const std::string kMember =
    "INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES ('demo.callpark', ";

const Refusals kNumbersAndCodes = {
    {flow(kTo101, "101"), "101 is taken: it is already an extension"},
    {flow(kTo101, "601"), "601 is taken: it is already a ring group"},
    {flow(kTo101, "7000"), "7000 is taken: it is already a park number"},
    {flow(kTo101, "7005"), "7005 is taken: it is an orbit of the range lobby"},
    {flow(kTo101, "300"), "300 is taken: it is already the number of a call flow"},
    {flow(kTo101, "320", "*30"), "*30 is taken: it is already the code of a call flow"},
    {flow(kTo101, "320", "*68"), "*68 is taken: it is already a park code"},
    {flow(kTo101, "320", "101"), "101 is taken: it is already an extension"},
    {flow(kTo101, "320", "320"), "320 is taken: it is already the number of a call flow"},
    {flow(kTo101, "320", "10"), "call flow code 10 would hide 101, which begins with it"},
    {flow(kTo101, "320", "30"), "call flow code 30 would hide 300, which begins with it"},
    {flow(kTo101, "320", "*3"), "call flow code *3 would hide *30, which begins with it"},
    {flow(kTo101, "320", "*7"), "call flow code *7 would hide *70, which begins with it"},
    {flow(kTo101, "320", "70"), "call flow code 70 would hide 7000, which begins with it"},
    {"DELETE FROM orbit_ranges;" + range("8000", "9001", "9010") + flow(kTo101, "320", "90"),
     "call flow code 90 would hide orbits of the range yard"},
    {"DELETE FROM orbit_ranges;" + range("8000", "9001", "9010") + flow(kTo101, "320", "9005"),
     "call flow code 9005 would hide orbits of the range yard"},
    {flow(kTo101, "320", "*681"), "*681 could not be dialled: it begins with the park code *68"},
    {flow(kTo101, "320", "*300"), "*300 could not be dialled: it begins with the call flow code *30"},
    {park_code("*3"), "park code *3 would hide *30, which begins with it"},
    {park_code("*301"), "*301 could not be dialled: it begins with the call flow code *30"},
    {park_code("30"), "park code 30 would hide 300, which begins with it"},
    {flow(kTo101, "320", "44") + extension("441"), "441 could not be dialled: it begins with the call flow code 44"},
    {flow(kTo101, "320", "44") + range("9000", "4401", "4410"),
     "4401 to 4410 could not be dialled: some begin with the call flow code 44"},
    {range("3000", "291", "309"), "291 to 309 would take 300, which is a number of the tenant"},
    {extension("300"), "300 is taken: it is already the number of a call flow"},
    {"INSERT INTO ring_groups (tenant, ring_group) VALUES ('demo.callpark', '300')",
     "300 is taken: it is already the number of a call flow"},
    {"UPDATE ring_groups SET destination = NULL;" + of_nested("number = '101'"),
     "101 is taken: it is already an extension"},
    {of_nested("feature_code = '*68'"), "*68 is taken: it is already a park code"},
    {of_day_night("feature_code = '*301'"),
     "*301 could not be dialled: it begins with the call flow code *30. If that is its own old code, set NULL first"},
    {of_day_night("feature_code = '*3'"),
     "call flow code *3 would hide *30, which begins with it. If that is its own old code, set NULL first"},
    {of_nested("feature_code = '*88101'"), "*88101 could not be dialled: it begins with the park code *88"},
    {flow(kTo101, "3"), "the number of a call flow has 2 to 20 digits"},
    {flow(kTo101, "32x"), "the number of a call flow has 2 to 20 digits"},
    {flow(kTo101, "320\n"), "the number of a call flow has 2 to 20 digits"},
    {flow(kTo101, "320", "*x"), "a call flow's code is digits, with up to two stars before them"},
    {flow(kTo101, "320", "***3"), "a call flow's code is digits, with up to two stars before them"},
    {flow(kTo101, "320", "*3*2"), "a call flow's code is digits, with up to two stars before them"},
    {flow(kTo101, "320", "\\#32"), "a call flow's code is digits, with up to two stars before them"},
    {flow(kTo101, "320", "123456789"), "a call flow's code is digits, with up to two stars before them"},
    {"DELETE FROM numbers WHERE tenant = 'other.callpark' AND number = '300'",
     "the number of a call flow is in the number plan"},
    {"DELETE FROM numbers WHERE number = '*30'", "the code of a call flow is in the number plan"},
    {"INSERT INTO call_flows SET tenant = 'nowhere.callpark', name = 'a', number = '10', destination = '+123', "
     "alternate_destination = '+123'",
     "a number belongs to a tenant that exists"},
};

const std::string kNotDigits = "a call flow leads to digits, *digits, +digits or hangup:REASON";

const Refusals kDestinations = {
    {flow("destination = '999', alternate_destination = '101'"), kNoDestination + "999"},
    {flow("destination = '101', alternate_destination = '999'"), kNoDestination + "999"},
    {flow("destination = '101', alternate_destination = '10'"), kNoDestination + "10"},
    {"UPDATE call_flows SET destination = '103' WHERE tenant = 'other.callpark'", kNoDestination + "103"},
    {flow("destination = '', alternate_destination = '101'"),
     "a call flow leads to an extension, ring group, call flow, menu, announcement, orbit, +outside number or "
     "hangup:REASON"},
    {flow("destination = '101'"), "'alternate_destination' doesn't have a default value"},
    {of_day_night("destination = '*68'"), "a call flow cannot lead to *68, which is a park code"},
    {of_day_night("alternate_destination = '*68101'"), kNoDestination + "*68101"},
    {of_day_night("destination = '7000'"), "a call flow cannot lead to 7000, which is a park number"},
    {of_day_night("destination = '7011'"), kNoDestination + "7011"},
    {of_day_night("alternate_destination = '*7001'"), kNoDestination + "*7001"},
    {"UPDATE call_flows SET destination = '7001' WHERE tenant = 'other.callpark'", kNoDestination + "7001"},
    {of_day_night("destination = '*31'"), "a call flow cannot lead to *31, which is the code of a call flow"},
    {of_day_night("destination = '+44x'"), "a call flow's outside number is a plus and 3 to 20 digits"},
    {of_day_night("alternate_destination = '+44'"), "a call flow's outside number is a plus and 3 to 20 digits"},
    {of_day_night("destination = '+442030000999\n'"), "a call flow's outside number is a plus and 3 to 20 digits"},
    {of_day_night("destination = 'hangup'"), "hangup: goes with busy, not_found, unavailable or declined"},
    {of_day_night("alternate_destination = 'hangup:gone'"),
     "hangup: goes with busy, not_found, unavailable or declined"},
    {of_day_night("destination = 'hangup:busy '"), "hangup: goes with busy, not_found, unavailable or declined"},
    {of_day_night("destination = '105 '"), kNotDigits},
    {of_day_night("alternate_destination = '300 '"), kNotDigits},
    {of_day_night("alternate_destination = '106  '"), kNotDigits},
    {flow("destination = '101 ', alternate_destination = '102'"), kNotDigits},
    {of_day_night("destination = '105\n'"), kNoDestination + "105"},
    {of_day_night("destination = ' 105'"), kNoDestination + " 105"},
    {of_day_night("destination = ' +442030000999'"), kNoDestination + " +442030"},
    {of_day_night("destination = '+442030000999 '"), "a call flow's outside number is a plus and 3 to 20 digits"},
    {of_day_night("alternate_destination = 'hangup:busy\n'"),
     "hangup: goes with busy, not_found, unavailable or declined"},
    // Circles: of one, of two by either destination, through a ring group, by a new number.
    {flow("destination = '320', alternate_destination = '101'"),
     "the call flow new would lead to itself, by way of 320"},
    {flow("destination = '101', alternate_destination = '320'"),
     "the call flow new would lead to itself, by way of 320"},
    {of_day_night("destination = '300'"), "the call flow day-night would lead to itself, by way of 300"},
    {of_day_night("destination = '310'"), "the call flow day-night would lead to itself, by way of 310"},
    {of_day_night("alternate_destination = '310'"), "the call flow day-night would lead to itself, by way of 310"},
    {flow("destination = '101', alternate_destination = '310'") + of_day_night("destination = '320'"),
     "the call flow day-night would lead to itself, by way of 320"},
    {of_nested("destination = '101', alternate_destination = '300'") + of_day_night("alternate_destination = '310'"),
     "the call flow day-night would lead to itself, by way of 310"},
    {of_day_night("destination = '610'"), "the call flow day-night would lead to itself, by way of 610"},
    {"UPDATE ring_groups SET destination = '300' WHERE ring_group = '601';" + of_day_night("destination = '601'"),
     "the call flow day-night would lead to itself, by way of 601"},
    {of_day_night("destination = '601'") + "UPDATE ring_groups SET destination = '310' WHERE ring_group = '601'",
     "the ring group 601 would lead to itself, by way of 310"},
    {"UPDATE ring_groups SET destination = NULL;" + of_nested("number = '311', destination = '311'"),
     "the call flow nested would lead to itself, by way of 311"},
    {"UPDATE ring_groups SET destination = NULL;" + of_nested("number = '311', destination = '310'"),
     "the call flow nested would lead to itself, by way of 310"},
    // Circles through the telephone network: by a DID of the tenant, of another tenant, and one without a plus.
    {of_day_night("destination = '+442030000300'"),
     "the call flow day-night would lead to itself, by way of +442030000300"},
    {of_nested("destination = '101'") + did("+442030000310", "310") + of_nested("destination = '+442030000310'"),
     "the call flow nested would lead to itself, by way of +442030000310"},
    {of_nested("destination = '101', alternate_destination = '+442030000310'") + did("442030000310", "310"),
     "the DID 442030000310 would lead to itself, by way of 310"},
    {did("442030000310", "310") + of_nested("alternate_destination = '+442030000310'"),
     "the call flow nested would lead to itself, by way of +442030000310"},
    {of_day_night("destination = '+442030000101'") + "UPDATE dids SET destination = '300' WHERE did = '+442030000101'",
     "the DID +442030000101 would lead to itself, by way of 300"},
    {of_day_night("destination = '+442030000999'") +
         "UPDATE dids SET did = '+442030000999' WHERE did = '+442030000300'",
     "the DID +442030000999 would lead to itself, by way of 300"},
    {did("+442030000901", "300", "other.callpark") + of_day_night("destination = '+442030000901'") +
         "UPDATE call_flows SET destination = '+442030000300' WHERE tenant = 'other.callpark'",
     "the call flow abroad would lead to itself, by way of +442030000300"},
    {of_day_night("destination = '601'") + kMember + "'601', 9, '+442030000300')",
     "the ring group 601 would lead to itself, by way of +442030000300"},
    {of_day_night("destination = '601'") + kMember + "'601', 9, '+442030000999');" +
         "UPDATE ring_group_members SET member = '+442030000300' WHERE member = '+442030000999'",
     "the ring group 601 would lead to itself, by way of +442030000300"},
    {kMember + "'601', 9, '+442030000300');" + of_day_night("alternate_destination = '601'"),
     "the call flow day-night would lead to itself, by way of 601"},
    {of_day_night("destination = '601'") +
         "UPDATE ring_groups SET destination = '+442030000300' WHERE ring_group = '601'",
     "the ring group 601 would lead to itself, by way of +442030000300"},
    // Numbers that are in use.
    {"DELETE FROM dids WHERE destination = '105'; DELETE FROM ring_group_members WHERE member = '105'; "
     "DELETE FROM park_group_members; DELETE FROM extensions WHERE extension = '105'",
     "105 is still a destination of the call flow day-night: change it first"},
    {"DELETE FROM dids WHERE destination = '106'; DELETE FROM ring_group_members WHERE member = '106'; "
     "UPDATE extensions SET extension = '166' WHERE extension = '106'",
     "106 is still a destination of the call flow day-night: change it first"},
    {of_day_night("alternate_destination = '602'") + "DELETE FROM ring_groups WHERE ring_group = '602'",
     "602 is still a destination of the call flow day-night: change it first"},
    {"DELETE FROM dids WHERE destination = '300'; DELETE FROM call_flows WHERE name = 'day-night'",
     "300 is still a destination of the call flow nested: change it first"},
    {"DELETE FROM call_flows WHERE name = 'day-night'",
     "300 is still rung by the DID +442030000300: lead it elsewhere first"},
    {of_day_night("number = '301'"), "300 is still rung by the DID +442030000300: lead it elsewhere first"},
    {"DELETE FROM call_flows WHERE name = 'nested'",
     "310 is still the destination of the ring group 610: change it first"},
    {of_nested("number = '311'"), "310 is still the destination of the ring group 610: change it first"},
    {"UPDATE ring_groups SET destination = NULL; UPDATE tenants SET fallback_destination = '310' WHERE tenant = "
     "'demo.callpark'; DELETE FROM call_flows WHERE name = 'nested'",
     "310 is still called by the tenant's recalls: change them first"},
    {"INSERT INTO dids (did, tenant, destination) VALUES ('+442030000999', 'demo.callpark', '*30')",
     "a DID cannot lead to the code of a call flow: a trunk cannot toggle it"},
    {"UPDATE tenants SET fallback_destination = '*30' WHERE tenant = 'demo.callpark'",
     "the tenant has no extension, ring group, call flow, menu or announcement *30"},
    {"INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES ('demo.callpark', '601', 9, '300')",
     "a ring group rings extensions and outside numbers; the tenant has no extension 300"},
};

std::string of_lobby(const std::string& settings) {
  return "UPDATE orbit_ranges SET " + settings + " WHERE tenant = 'demo.callpark' AND orbit_range = 'lobby';";
}
const std::string kDeleteLobby = "DELETE FROM orbit_ranges WHERE orbit_range = 'lobby';";
const std::string kStars = range("*9000", "*9001", "*9010");

const Refusals kOrbitsInUse = {
    {of_day_night("alternate_destination = '7002'") + kDeleteLobby,
     "7002 is still a destination of the call flow day-night: change it first"},
    {of_day_night("destination = '7010'") + of_lobby("last_orbit = '7009'"),
     "7010 is still a destination of the call flow day-night: change it first"},
    {of_day_night("destination = '7001'") + of_lobby("first_orbit = '7002', last_orbit = '7020'"),
     "7001 is still a destination of the call flow day-night: change it first"},
    {of_nested("destination = '7005'") + of_lobby("first_orbit = '70001', last_orbit = '70100'"),
     "7005 is still a destination of the call flow nested: change it first"},
    {kStars + of_nested("alternate_destination = '*9001'") + "DELETE FROM orbit_ranges WHERE orbit_range = 'yard'",
     "*9001 is still a destination of the call flow nested: change it first"},
    {"UPDATE ring_groups SET destination = '7003' WHERE ring_group = '602';" + of_lobby("first_orbit = '7004'"),
     "7003 is still the destination of the ring group 602: change it first"},
    {did("+442030000700", "7003") + kDeleteLobby,
     "7003 is still rung by the DID +442030000700: lead it elsewhere first"},
};

const std::string kBadPin = "a PIN is 1 to 16 digits, or sha256:SALT:HEX; empty: none";
const std::string kHex = std::string(64, 'a');

const Refusals kSettings = {
    {flow(kTo101, "320", "*32", ""), "a call flow has a name, with no spaces around it"},
    {flow(kTo101, "320", "*32", " a"), "a call flow has a name, with no spaces around it"},
    {flow(kTo101, "320", "*32", "a\nb"), "a call flow has a name, with no spaces around it"},
    {flow(kTo101, "320", "*32", std::string(65, 'a')), "Data too long for column 'name'"},
    {flow(kTo101, "320", "*32", "nested"), "the tenant already has a call flow nested"},
    {flow(kTo101, "320", "*32", "NESTED"), "the tenant already has a call flow NESTED"},
    {of_nested("name = 'day-night'"), "the tenant already has a call flow day-night"},
    {of_nested("tenant = 'other.callpark'"), "a call flow stays in its tenant: make another there"},
    {of_nested("status = 'maybe'"), "the status of a call flow is on or off"},
    {of_nested("status = 'ON'"), "the status of a call flow is on or off"},
    {of_nested("status = ''"), "the status of a call flow is on or off"},
    {of_nested("pin = '12x4'"), kBadPin},
    {of_nested("pin = '1234\n'"), kBadPin},
    {of_nested("pin = '12345678901234567'"), kBadPin},
    {of_nested("pin = 'sha256:short12:" + kHex + "'"), kBadPin},
    {of_nested("pin = 'sha256:salt-with-dash:" + kHex + "'"), kBadPin},
    {of_nested("pin = 'sha256:saltsalt:" + kHex.substr(1) + "'"), kBadPin},
    {of_nested("pin = 'sha256:saltsalt:" + std::string(64, 'A') + "'"), kBadPin},
    {of_nested("destination_sound = '../etc'"), "a sound of a call flow is letters, digits, _ or -"},
    {of_nested("alternate_sound = 'night.wav'"), "a sound of a call flow is letters, digits, _ or -"},
    {of_nested("destination_label = 'a \"day\"'"), "a label of a call flow has no control characters or quotes"},
    {of_nested("alternate_label = 'a\nb'"), "a label of a call flow has no control characters or quotes"},
    {of_nested("schedule = 'nowhere'"), "the schedule of a call flow exists"},
    {of_nested("enabled = 2"), "a call flow is enabled (TRUE) or not (FALSE)"},
    {"INSERT INTO call_flow_guesses (tenant, name, extension) VALUES ('demo.callpark', 'nowhere', '101')",
     "PINs are guessed of a call flow that exists"},
    {"INSERT INTO call_flow_guesses (tenant, name, extension) VALUES ('demo.callpark', 'nested', '300')",
     "PINs are guessed by an extension that exists"},
    {"INSERT INTO call_flow_guesses (tenant, name, extension, failures) VALUES ('demo.callpark', 'nested', '101', -1)",
     "Out of range value for column 'failures'"},
    {of_nested("status = 'off', toggle_operation = 'x1'") + of_nested("status = 'on', toggle_operation = 'x2'") +
         of_nested("status = 'off', toggle_operation = 'x1'"),
     "for key 'an operation on a call flow is entered once'"},
};

TEST_F(SqlCallFlowsRefusal, F4_ANumberOrCodeThatMeansTwoThingsIsRefused) {
  expect(kNumbersAndCodes);
}

TEST_F(SqlCallFlowsRefusal, F2_ADestinationThatRingsNothingOrItselfIsRefused) {
  expect(kDestinations);
}

TEST_F(SqlCallFlowsRefusal, F2_AnOrbitThatIsADestinationStaysInItsRange) {
  expect(kOrbitsInUse);
}

TEST_F(SqlCallFlowsRefusal, F1_ASettingThatCannotBeIsRefused) {
  expect(kSettings);
}

TEST_F(SqlCallFlowsRefusal, F1_EachConstraintRefusesAWrongEditAbove) {
  const auto named = server().query(
      "SELECT table_name, constraint_name FROM information_schema.table_constraints WHERE constraint_schema = "
      "'callpark' AND constraint_name NOT IN ('PRIMARY', 'the schedule of a call flow exists') AND "
      "table_name LIKE 'call_flow%'");
  EXPECT_EQ(named.size(), 18U);
  std::string said;
  for (const Refusals& refusals : {kNumbersAndCodes, kDestinations, kSettings}) {
    for (const Refusal& refusal : refusals) said += refusal_of(refusal.statements) + "\n";
  }
  // The number plan refuses a second flow of a number or code before these keys do.
  const std::set<std::string> never_seen = {"a number leads to one call flow", "a code toggles one call flow"};
  for (const auto& constraint : named) {
    const std::string& name = constraint.at(1);
    if (never_seen.contains(name)) continue;
    EXPECT_THAT(said, AnyOf(HasSubstr("CONSTRAINT `" + name + "`"), HasSubstr("for key '" + name + "'"))) << name;
  }
}

// ---- what is allowed ----

TEST_F(SqlCallFlows, F1_EverySettingIsTakenWithinItsBounds) {
  for (const std::string settings :
       {"destination = '601'", "destination = '602', alternate_destination = '+442030000999'",
        "alternate_destination = 'hangup:busy'", "alternate_destination = 'hangup:not_found'",
        "destination = 'hangup:unavailable', alternate_destination = 'hangup:declined'", "pin = ''", "pin = '1'",
        "pin = '1234567890123456'", "destination_sound = 'day_2-a', alternate_sound = ''",
        "destination_label = 'Tag', alternate_label = 'caf\xc3\xa9 geschlossen'", "name = 'Day-Night'",
        "name = 'Tag und Nacht'", "feature_code = NULL", "feature_code = '**3'", "feature_code = '44'",
        "enabled = FALSE", "destination = '106', alternate_destination = '105'"}) {
    EXPECT_THAT(refusal_of(of_day_night(settings)), IsEmpty()) << settings;
  }
  for (const std::string& salt : {std::string(8, 'a'), std::string(64, 'Z')}) {
    EXPECT_THAT(refusal_of(of_day_night("pin = 'sha256:" + salt + ":" + kHex + "'")), IsEmpty()) << salt;
  }
  EXPECT_THAT(refusal_of(flow("destination = '310', alternate_destination = '300'") +
                         flow("destination = '320', alternate_destination = '320'", "330", "*33", "newer") +
                         of_nested("destination = '610'")),
              HasSubstr("would lead to itself"))
      << "310 is behind 610";
  EXPECT_THAT(refusal_of(flow("destination = '610', alternate_destination = '300'") +
                         flow("destination = '320', alternate_destination = '320'", "330", "*33", "newer") +
                         of_nested("number = '310', destination = '101'")),
              IsEmpty());
}

TEST_F(SqlCallFlows, F2_WhatRingsAnExtensionMayRingACallFlow) {
  EXPECT_THAT(refusal_of("UPDATE tenants SET fallback_destination = '300' WHERE tenant = 'demo.callpark';"
                         "UPDATE park_groups SET fallback_destination = '310' WHERE tenant = 'demo.callpark';"
                         "UPDATE ring_groups SET destination = '300' WHERE ring_group = '602';"
                         "UPDATE dids SET destination = '310' WHERE did = '+442030000101'"),
              IsEmpty());
}

TEST_F(SqlCallFlows, F2_AnOrbitOfARangeIsADestination) {
  const std::string all = of_day_night("destination = '7001', alternate_destination = '7010'") + kStars +
                          of_nested("destination = '*9001'") + did("+442030000700", "7002") +
                          "UPDATE ring_groups SET destination = '*9010' WHERE ring_group = '602';";
  EXPECT_THAT(refusal_of(all), IsEmpty());
  for (const std::string settings : {"orbit_range = 'hall'", "park_number = '6999'", "enabled = FALSE",
                                     "restricted = TRUE, from_trunks = TRUE", "last_orbit = '7999'"}) {
    EXPECT_THAT(refusal_of(all + of_lobby(settings)), IsEmpty()) << settings;
  }
  EXPECT_THAT(refusal_of(all + of_day_night("destination = '105', alternate_destination = '106'") +
                         "DELETE FROM dids WHERE destination = '7002';" + kDeleteLobby),
              IsEmpty());
}

TEST_F(SqlCallFlows, F2_AnOutsideNumberMayComeBackToAnotherNumber) {
  EXPECT_THAT(refusal_of(of_day_night("destination = '+442030000101', alternate_destination = '+442030000101'") +
                         kMember + "'610', 9, '+442030000300');" + did("+442030000901", "300", "other.callpark") +
                         of_day_night("alternate_destination = '+442030000901'") +
                         "UPDATE dids SET description = 'x' WHERE destination = '300';"
                         "UPDATE dids SET did = '+442030000902' WHERE did = '+442030000901'"),
              IsEmpty());
}

TEST_F(SqlCallFlows, F4_TheNumberPlanFollowsTheTable) {
  EXPECT_EQ(server().query("START TRANSACTION; UPDATE ring_groups SET destination = NULL;" +
                           of_nested("number = '311', feature_code = '*33'") +
                           "SELECT number, kind FROM numbers WHERE tenant = 'demo.callpark' AND number LIKE '%31%' OR "
                           "number = '*33' ORDER BY number;" +
                           of_nested("feature_code = NULL") +
                           "SELECT COUNT(*) FROM numbers WHERE number = '*33'; DELETE FROM call_flows WHERE name = "
                           "'nested'; SELECT COUNT(*) FROM numbers WHERE number = '311'"),
            Rows({{"*33", "call_flow_code"}, {"311", "call_flow"}, {"0"}, {"0"}}));
}

TEST_F(SqlCallFlows, F4_ACodeIsLengthenedByWayOfNone) {
  EXPECT_THAT(refusal_of(of_day_night("feature_code = NULL") + of_day_night("feature_code = '*301'") +
                         of_day_night("feature_code = NULL") + of_day_night("feature_code = '*30'")),
              IsEmpty());
}

TEST_F(SqlCallFlows, F1_GuessesGoWithTheFlowAndWithTheExtension) {
  const std::string guesses =
      "SELECT COALESCE(GROUP_CONCAT(name, ' ', extension, ' ', failures), '-') FROM "
      "call_flow_guesses;";
  EXPECT_EQ(
      server().query("START TRANSACTION; UPDATE ring_groups SET destination = NULL;" + extension("107") +
                     "INSERT INTO call_flow_guesses (tenant, name, extension, failures) VALUES "
                     "('demo.callpark', 'nested', '107', 3), ('demo.callpark', 'day-night', '107', 1);" +
                     of_nested("name = 'other name'") + guesses + "DELETE FROM call_flows WHERE name = 'other name';" +
                     guesses + "DELETE FROM extensions WHERE extension = '107';" + guesses),
      Rows({{"day-night 107 1,other name 107 3"}, {"day-night 107 1"}, {"-"}}));
}

// ---- the status ----

const std::string kState =
    "SELECT status, toggled_by, toggled_at IS NOT NULL FROM call_flows WHERE tenant = 'demo.callpark' AND name = "
    "'day-night';";
const std::string kEvents =
    "SELECT event, name, party, status, COALESCE(operation_id, '-') FROM call_flow_events WHERE tenant = "
    "'demo.callpark' ORDER BY id;";

TEST_F(SqlCallFlows, F4_AnEditOfTheStatusIsRecorded) {
  EXPECT_EQ(server().query("START TRANSACTION;" + kState + of_day_night("status = 'off'") + kState +
                           of_day_night("status = 'off', destination_label = 'x'") + of_day_night("description = 'x'") +
                           of_day_night("status = 'on', toggled_by = 'console'") + kState +
                           of_day_night("status = 'off'") + kState + kEvents),
            Rows({{"on", "", "0"},
                  {"off", "sql", "1"},
                  {"on", "console", "1"},
                  {"off", "sql", "1"},
                  {"toggled", "day-night", "sql", "off", "-"},
                  {"toggled", "day-night", "console", "on", "-"},
                  {"toggled", "day-night", "sql", "off", "-"}}));
}

std::string toggle(const std::string& extension, const std::string& operation) {
  return "UPDATE call_flows SET status = IF(status = 'on', 'off', 'on'), toggle_operation = '" + operation +
         "', toggled_by = '" + extension +
         "', toggled_at = UTC_TIMESTAMP(3) WHERE tenant = 'demo.callpark' AND name = 'day-night' AND enabled AND "
         "toggle_operation <> '" +
         operation + "';";
}

TEST_F(SqlCallFlows, F3_AToggleByCodeIsRecordedOnceHoweverOftenItIsRepeated) {
  EXPECT_EQ(server().query("START TRANSACTION;" + toggle("105", "op-1") + toggle("105", "op-1") + kState +
                           toggle("105", "op-2") + kState + of_day_night("status = 'off'") + kState + kEvents),
            Rows({{"off", "105", "1"},
                  {"on", "105", "1"},
                  {"off", "sql", "1"},
                  {"toggled", "day-night", "105", "off", "op-1"},
                  {"toggled", "day-night", "105", "on", "op-2"},
                  {"toggled", "day-night", "sql", "off", "-"}}));
  EXPECT_THAT(refusal_of(toggle("105", "op-1") + toggle("106", "op-2") + toggle("105", "op-1")),
              HasSubstr("an operation on a call flow is entered once"));
  EXPECT_EQ(server().query("START TRANSACTION;" + of_day_night("enabled = FALSE") + toggle("105", "op-3") + kState),
            Rows({{"on", "", "0"}}))
      << "a call flow that is disabled is not toggled";
}

TEST_F(SqlCallFlows, F4_EachEditRaisesTheRevisionOfItsTenant) {
  const std::string revision = "SELECT revision FROM tenant_revisions WHERE tenant = 'demo.callpark'";
  for (const std::string& edit : std::vector<std::string>{
           of_day_night("status = 'off'"), of_day_night("enabled = FALSE"), toggle("105", "op-1"), flow(kTo101),
           "DELETE FROM ring_groups WHERE ring_group = '610'; DELETE FROM call_flows WHERE name = 'nested';"}) {
    const auto rows = server().query("START TRANSACTION;" + revision + ";" + edit + revision);
    EXPECT_LT(std::stoi(rows.at(0).at(0)), std::stoi(rows.at(1).at(0))) << edit;
  }
}

// Each toggle is one statement of an account that has no more rights than parkd's.
TEST_F(SqlCallFlows, F3_ConcurrentTogglesAreCountedEach) {
  constexpr int kThreads = 4;
  constexpr int kEach = 51;
  const auto toggle_often = [&](int thread) {
    DatabaseConnection connection(
        {server().socket().string(), server().user(), server().password(), server().database()});
    for (int i = 0; i < kEach; ++i) {
      connection.query(toggle("105", "race-" + std::to_string(thread) + "-" + std::to_string(i)));
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(toggle_often, i);
  for (int i = 0; i < 11; ++i) server().execute(of_day_night("status = IF(status = 'on', 'off', 'on')"));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server().value("SELECT status FROM call_flows WHERE tenant = 'demo.callpark' AND name = 'day-night'"),
            (kThreads * kEach + 11) % 2 == 0 ? "on" : "off");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM call_flow_events WHERE event = 'toggled'"),
            std::to_string(kThreads * kEach + 11));
  server().execute(of_day_night("status = DEFAULT, toggled_by = ''") +
                   of_day_night("toggled_by = '', toggled_at = NULL, toggle_operation = ''") +
                   "DELETE FROM call_flow_events");
}

TEST_F(SqlCallFlows, F2_WhatTwoOperatorsEditAtOnceIsRefusedWhenItIsACircleTogether) {
  const std::string third = flow(kTo101);
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {of_nested("destination = '101'") + of_day_night("destination = '310'"), of_nested("destination = '300'")},
           {of_day_night("destination = '601'"), "UPDATE ring_groups SET destination = '300' WHERE ring_group = '601'"},
           {of_day_night("destination = '104'"), "DELETE FROM extensions WHERE extension = '104'"},
           {extension("107"), did("+442030000107", "107")},
           {of_day_night("destination = '7002'"), kDeleteLobby},
           {kDeleteLobby, of_day_night("destination = '7002'")},
           {flow(kTo101, "320", "44"), extension("441")}}) {
    DatabaseConnection other({server().socket().string(), server().user(), server().password(), server().database()});
    other.query("START TRANSACTION");
    for (std::size_t at = 0; at < first.size();) {
      const std::size_t end = first.find(';', at);
      other.query(first.substr(at, end - at));
      at = end == std::string::npos ? first.size() : end + 1;
    }
    EXPECT_THAT(refusal_of("SET innodb_lock_wait_timeout = 1; " + second), HasSubstr("Lock wait timeout")) << second;
    other.query("ROLLBACK");
  }
}

}  // namespace
}  // namespace callpark::test
