// Menus and announcements in SQL: every edit that the database refuses, with the sentence of each refusal, and what it
// accepts.
#include <gmock/gmock.h>

#include <set>

#include "parkd/store/database_connection.h"
#include "tests/component/sql_fixture.h"

namespace callpark::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Refusals = std::vector<Refusal>;
using Rows = MariadbServer::Rows;

// Beside the demo tenant's menu main (400: 1 to 101, 2 to 102) and call flow day-night (300: 105 or 106). The
// announcement onward leads to the menu night, and that by its time-out to day-night.
constexpr const char* kMorePlaces = R"sql(
  INSERT INTO ivr_menus (tenant, name, number, greeting_sound, timeout_destination) VALUES
    ('demo.callpark', 'night', '410', 'night', '300'), ('other.callpark', 'abroad', '400', 'abroad', '');
  INSERT INTO announcements (tenant, name, number, text, destination) VALUES
    ('demo.callpark', 'closed', '450', 'We are closed.', ''),
    ('demo.callpark', 'onward', '451', 'One moment please.', '410');
)sql";

template <class Fixture>
class WithMorePlaces : public Fixture {
 protected:
  void SetUp() override {
    Fixture::SetUp();
    const bool is_done = Fixture::server().value("SELECT COUNT(*) FROM ivr_menus WHERE name = 'night'") == "1";
    if (!is_done) Fixture::server().execute(kMorePlaces);
  }
};
class SqlMenus : public WithMorePlaces<SqlSchema> {};
class SqlMenusRefusal : public WithMorePlaces<SqlRefusal> {};

/// A menu `new` with the number 420; `settings` come after, and replace nothing.
std::string menu(const std::string& settings, const std::string& number = "420", const std::string& name = "new") {
  return "INSERT INTO ivr_menus SET tenant = 'demo.callpark', name = '" + name + "', number = '" + number + "', " +
         settings + ";";
}
/// The same as an announcement with the number 460.
std::string announcement(const std::string& settings, const std::string& number = "460",
                         const std::string& name = "new") {
  return "INSERT INTO announcements SET tenant = 'demo.callpark', name = '" + name + "', number = '" + number + "', " +
         settings + ";";
}
std::string option(const std::string& digits, const std::string& destination, const std::string& menu = "main") {
  return "INSERT INTO ivr_menu_options (tenant, menu, digits, destination) VALUES ('demo.callpark', '" + menu + "', '" +
         digits + "', '" + destination + "');";
}
const std::string kSound = "greeting_sound = 'hello'";
const std::string kText = "text = 'Hello.'";

std::string of_menu(const std::string& name, const std::string& settings) {
  return "UPDATE ivr_menus SET " + settings + " WHERE tenant = 'demo.callpark' AND name = '" + name + "';";
}
std::string of_main(const std::string& settings) {
  return of_menu("main", settings);
}
std::string of_night(const std::string& settings) {
  return of_menu("night", settings);
}
std::string of_abroad(const std::string& settings) {
  return "UPDATE ivr_menus SET " + settings + " WHERE tenant = 'other.callpark';";
}
std::string of_announcement(const std::string& name, const std::string& settings) {
  return "UPDATE announcements SET " + settings + " WHERE tenant = 'demo.callpark' AND name = '" + name + "';";
}
std::string of_closed(const std::string& settings) {
  return of_announcement("closed", settings);
}
std::string of_onward(const std::string& settings) {
  return of_announcement("onward", settings);
}
std::string of_option(const std::string& digits, const std::string& settings) {
  return "UPDATE ivr_menu_options SET " + settings +
         " WHERE tenant = 'demo.callpark' AND menu = 'main' AND digits = '" + digits + "';";
}
std::string of_day_night(const std::string& settings) {
  return "UPDATE call_flows SET " + settings + " WHERE tenant = 'demo.callpark' AND name = 'day-night';";
}
std::string of_601(const std::string& settings) {
  return "UPDATE ring_groups SET " + settings + " WHERE tenant = 'demo.callpark' AND ring_group = '601';";
}
std::string extension(const std::string& number) {
  return "INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '" + number + "', 'x');";
}
std::string park_code(const std::string& code) {
  return "INSERT INTO park_codes (tenant, code, action) VALUES ('demo.callpark', '" + code + "', 'park');";
}
std::string flow(const std::string& number, const std::string& code) {
  return "INSERT INTO call_flows (tenant, name, number, feature_code, destination, alternate_destination) VALUES "
         "('demo.callpark', 'second', '" +
         number + "', '" + code + "', '101', '102');";
}
std::string range(const std::string& park_number, const std::string& first, const std::string& last) {
  return "INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES "
         "('demo.callpark', 'yard', '" +
         park_number + "', '" + first + "', '" + last + "');";
}
std::string did(const std::string& did, const std::string& destination, const std::string& tenant = "demo.callpark") {
  return "INSERT INTO dids (did, tenant, destination) VALUES ('" + did + "', '" + tenant + "', '" + destination + "');";
}
std::string fallback(const std::string& number) {
  return "UPDATE tenants SET fallback_destination = '" + number + "' WHERE tenant = 'demo.callpark';";
}
const std::string kMember =
    "INSERT INTO ring_group_members (tenant, ring_group, position, member) VALUES ('demo.callpark', ";
const std::string kCaller =
    "INSERT INTO menu_calls SET id = 'c1', tenant = 'demo.callpark', owner = 'n', epoch = 1, since = NOW(3), ";

const Refusals kNumbers = {
    {menu(kSound, "101"), "101 is taken: it is already an extension"},
    {menu(kSound, "601"), "601 is taken: it is already a ring group"},
    {menu(kSound, "7000"), "7000 is taken: it is already a park number"},
    {menu(kSound, "7005"), "7005 is taken: it is an orbit of the range lobby"},
    {menu(kSound, "300"), "300 is taken: it is already the number of a call flow"},
    {menu(kSound, "400"), "400 is taken: it is already the number of a menu"},
    {menu(kSound, "450"), "450 is taken: it is already the number of an announcement"},
    {announcement(kText, "101"), "101 is taken: it is already an extension"},
    {announcement(kText, "602"), "602 is taken: it is already a ring group"},
    {announcement(kText, "7000"), "7000 is taken: it is already a park number"},
    {announcement(kText, "7010"), "7010 is taken: it is an orbit of the range lobby"},
    {announcement(kText, "300"), "300 is taken: it is already the number of a call flow"},
    {announcement(kText, "400"), "400 is taken: it is already the number of a menu"},
    {announcement(kText, "451"), "451 is taken: it is already the number of an announcement"},
    {extension("400"), "400 is taken: it is already the number of a menu"},
    {extension("450"), "450 is taken: it is already the number of an announcement"},
    {flow("400", "*32"), "400 is taken: it is already the number of a menu"},
    {flow("320", "450"), "450 is taken: it is already the number of an announcement"},
    {"INSERT INTO ring_groups (tenant, ring_group) VALUES ('demo.callpark', '400')",
     "400 is taken: it is already the number of a menu"},
    {"UPDATE ring_groups SET ring_group = '450' WHERE ring_group = '602'",
     "450 is taken: it is already the number of an announcement"},
    {of_main("number = '101'"), "101 is taken: it is already an extension"},
    {of_main("number = '450'"), "450 is taken: it is already the number of an announcement"},
    {of_closed("number = '400'"), "400 is taken: it is already the number of a menu"},
    {of_closed("number = '7001'"), "7001 is taken: it is an orbit of the range lobby"},
    // Codes that hide it, and codes that it begins with.
    {park_code("40"), "park code 40 would hide 400, which begins with it"},
    {park_code("45"), "park code 45 would hide 450, which begins with it"},
    {park_code("400"), "400 is taken: it is already the number of a menu"},
    {flow("320", "41"), "call flow code 41 would hide 410, which begins with it"},
    {flow("320", "45"), "call flow code 45 would hide 450, which begins with it"},
    {park_code("42") + menu(kSound), "420 could not be dialled: it begins with the park code 42"},
    {flow("320", "42") + menu(kSound), "420 could not be dialled: it begins with the call flow code 42"},
    {flow("320", "46") + announcement(kText), "460 could not be dialled: it begins with the call flow code 46"},
    {park_code("46") + of_closed("number = '461'"), "461 could not be dialled: it begins with the park code 46"},
    {range("8000", "395", "405"), "395 to 405 would take 400, which is a number of the tenant"},
    {range("8000", "445", "450"), "445 to 450 would take 450, which is a number of the tenant"},
    {range("450", "8001", "8010"), "450 is taken: it is already the number of an announcement"},
    // What is no number.
    {menu(kSound, "4"), "the number of a menu has 2 to 20 digits"},
    {menu(kSound, ""), "the number of a menu has 2 to 20 digits"},
    {menu(kSound, "42x"), "the number of a menu has 2 to 20 digits"},
    {menu(kSound, "*42"), "the number of a menu has 2 to 20 digits"},
    {menu(kSound, "420 "), "the number of a menu has 2 to 20 digits"},
    {menu(kSound, "420\n"), "the number of a menu has 2 to 20 digits"},
    {menu(kSound, "123456789012345678901"), "Data too long for column 'number'"},
    {announcement(kText, "4"), "the number of an announcement has 2 to 20 digits"},
    {announcement(kText, "46\n"), "the number of an announcement has 2 to 20 digits"},
    {of_closed("number = '*46'"), "the number of an announcement has 2 to 20 digits"},
    {"DELETE FROM numbers WHERE tenant = 'other.callpark' AND number = '400'",
     "the number of a menu is in the number plan"},
    {"DELETE FROM numbers WHERE number = '450'", "the number of an announcement is in the number plan"},
    {"INSERT INTO ivr_menus SET tenant = 'nowhere.callpark', name = 'a', number = '10', greeting_sound = 'a'",
     "a number belongs to a tenant that exists"},
    {"INSERT INTO announcements SET tenant = 'nowhere.callpark', name = 'a', number = '10', sound = 'a'",
     "a number belongs to a tenant that exists"},
};

const std::string kNoNumber = "the tenant has no extension, ring group, call flow, menu or announcement ";

const Refusals kDestinations = {
    {option("3", "999"), kNoNumber + "999"},
    {option("3", "10"), kNoNumber + "10"},
    {option("3", "7001"), kNoNumber + "7001"},
    {option("3", "*68101"), kNoNumber + "*68101"},
    {option("3", "abroad"), kNoNumber + "abroad"},
    {option("3", ""),
     "an option leads to an extension, ring group, call flow, menu, announcement, +outside number, hangup:REASON, "
     "repeat or back"},
    {option("3", "*68"), "an option of a menu cannot lead to *68, which is a park code"},
    {option("3", "*30"), "an option of a menu cannot lead to *30, which is the code of a call flow"},
    {option("3", "7000"), "an option of a menu cannot lead to 7000, which is a park number"},
    {of_option("1", "destination = '999'"), kNoNumber + "999"},
    {of_option("1", "destination = '*88'"), "an option of a menu cannot lead to *88, which is a park code"},
    {option("3", "+44"), "an option's outside number is a plus and 3 to 20 digits"},
    {option("3", "+44x"), "an option's outside number is a plus and 3 to 20 digits"},
    {option("3", "+442030000999\n"), "an option's outside number is a plus and 3 to 20 digits"},
    {option("3", "hangup"), "hangup: goes with busy, not_found, unavailable or declined"},
    {option("3", "hangup:gone"), "hangup: goes with busy, not_found, unavailable or declined"},
    {option("3", "hangup:busy "), "hangup: goes with busy, not_found, unavailable or declined"},
    {option("3", "101 "), "an option leads to digits, +digits, hangup:, repeat or back"},
    {option("3", "repeat "), "an option leads to digits, +digits, hangup:, repeat or back"},
    {option("3", "back\n"), kNoNumber + "back"},
    {option("3", "Repeat"), kNoNumber + "Repeat"},
    {option("3", " 101"), kNoNumber + " 101"},
    {option("3", "101\n"), kNoNumber + "101"},
    {"INSERT INTO ivr_menu_options (tenant, menu, digits, destination) VALUES ('other.callpark', 'abroad', '1', '103')",
     kNoNumber + "103"},
    {"INSERT INTO ivr_menu_options (tenant, menu, digits) VALUES ('demo.callpark', 'main', '3')",
     "'destination' doesn't have a default value"},
    // Of a menu, after its last try.
    {of_main("timeout_destination = '999'"), kNoNumber + "999"},
    {of_main("invalid_destination = '999'"), kNoNumber + "999"},
    {menu(kSound + ", timeout_destination = '999'"), kNoNumber + "999"},
    {menu(kSound + ", invalid_destination = '*68101'"), kNoNumber + "*68101"},
    {of_main("timeout_destination = 'repeat'"), "only an option of a menu leads to repeat"},
    {of_main("invalid_destination = 'back'"), "only an option of a menu leads to back"},
    {of_main("timeout_destination = '*68'"), "a menu cannot lead to *68, which is a park code"},
    {of_main("invalid_destination = '7000'"), "a menu cannot lead to 7000, which is a park number"},
    {of_main("timeout_destination = '+44'"), "a menu's outside number is a plus and 3 to 20 digits"},
    {of_main("invalid_destination = '+44203000099x'"), "a menu's outside number is a plus and 3 to 20 digits"},
    {of_main("timeout_destination = '+442030000999 '"), "a menu's outside number is a plus and 3 to 20 digits"},
    {of_main("timeout_destination = 'hangup:later'"), "hangup: goes with busy, not_found, unavailable or declined"},
    {of_main("invalid_destination = 'hangup:busy\n'"), "hangup: goes with busy, not_found, unavailable or declined"},
    {of_main("timeout_destination = '101 '"), "a menu leads to digits, +digits, hangup: and a reason, or ''"},
    {of_main("invalid_destination = '101 '"), "a menu leads to digits, +digits, hangup: and a reason, or ''"},
    {of_main("timeout_destination = ' '"), "a menu leads to digits, +digits, hangup: and a reason, or ''"},
    {of_main("timeout_destination = NULL"), "'timeout_destination' cannot be null"},
    {of_abroad("invalid_destination = '103'"), kNoNumber + "103"},
    // Of an announcement.
    {of_closed("destination = '999'"), kNoNumber + "999"},
    {announcement(kText + ", destination = '7001'"), kNoNumber + "7001"},
    {of_closed("destination = 'repeat'"), "only an option of a menu leads to repeat"},
    {announcement(kText + ", destination = 'back'"), "only an option of a menu leads to back"},
    {of_closed("destination = '*30'"), "an announcement cannot lead to *30, which is the code of a call flow"},
    {of_closed("destination = '*68'"), "an announcement cannot lead to *68, which is a park code"},
    {of_closed("destination = '+4'"), "an announcement's outside number is + and 3 to 20 digits"},
    {of_closed("destination = '+442030000999\n'"), "an announcement's outside number is + and 3 to 20 digits"},
    {of_closed("destination = 'hangup:'"), "hangup: goes with busy, not_found, unavailable or declined"},
    {of_closed("destination = '101 '"), "an announcement leads to digits, +digits, hangup: or ''"},
    {of_closed("destination = ' '"), "an announcement leads to digits, +digits, hangup: or ''"},
    {of_closed("times = 0, destination = '101'"), "an announcement without end (times = 0) leads nowhere"},
    {of_onward("times = 0"), "an announcement without end (times = 0) leads nowhere"},
    // Others that lead to them.
    {of_day_night("destination = '470'"), kNoDestination + "470"},
    {of_day_night("destination = 'repeat'"), "only an option of a menu leads to repeat"},
    {fallback("470"), kNoNumber + "470"},
    {of_601("destination = '470'"), kNoDestination + "470"},
    {did("+442030000400", "470"), kNoDestination + "470"},
    {did("+442030000450", "450", "other.callpark"), kNoDestination + "450"},
    {kMember + "'601', 9, '400')",
     "a ring group rings extensions and outside numbers; the tenant has no extension 400"},
    {"UPDATE tenants SET ring_group = '400' WHERE tenant = 'demo.callpark'", "the ring group of a recall exists"},
    {"INSERT INTO park_group_members (tenant, park_group, position, extension) VALUES ('demo.callpark', 'sales', 9, "
     "'450')",
     "foreign key constraint fails"},
};

const Refusals kCircles = {
    {menu(kSound + ", timeout_destination = '420'"), "the menu new would lead to itself, by way of 420"},
    {of_main("timeout_destination = '400'"), "the menu main would lead to itself, by way of 400"},
    {announcement(kText + ", destination = '460'"), "the announcement new would lead to itself, by way of 460"},
    {of_closed("destination = '450'"), "the announcement closed would lead to itself, by way of 450"},
    // Through one another.
    {of_main("timeout_destination = '451'") + of_night("timeout_destination = '400'"),
     "the menu night would lead to itself, by way of 400"},
    {of_night("timeout_destination = '400'") + of_main("timeout_destination = '451'"),
     "the menu main would lead to itself, by way of 451"},
    {of_closed("destination = '451'") + of_onward("destination = '450'"),
     "the announcement onward would lead to itself, by way of 450"},
    {of_closed("destination = '451'") + of_night("timeout_destination = '450'"),
     "the menu night would lead to itself, by way of 450"},
    {of_night("timeout_destination = '451'"), "the menu night would lead to itself, by way of 451"},
    // Through call flows, by either destination, and through ring groups.
    {of_day_night("destination = '410'"), "the call flow day-night would lead to itself, by way of 410"},
    {of_day_night("alternate_destination = '451'"), "the call flow day-night would lead to itself, by way of 451"},
    {of_day_night("alternate_destination = '450'") + of_closed("destination = '300'"),
     "the announcement closed would lead to itself, by way of 300"},
    {of_day_night("destination = '400'") + of_main("timeout_destination = '300'"),
     "the menu main would lead to itself, by way of 300"},
    {of_day_night("destination = '601'") + of_601("destination = '410'"),
     "the ring group 601 would lead to itself, by way of 410"},
    {of_601("destination = '400'") + of_main("timeout_destination = '601'"),
     "the menu main would lead to itself, by way of 601"},
    {of_601("destination = '450'") + of_closed("destination = '601'"),
     "the announcement closed would lead to itself, by way of 601"},
    {of_601("destination = '451'") + of_day_night("destination = '601'"),
     "the call flow day-night would lead to itself, by way of 601"},
    // Through the telephone network.
    {did("+442030000400", "400") + of_main("timeout_destination = '+442030000400'"),
     "the menu main would lead to itself, by way of +442030000400"},
    {of_main("timeout_destination = '+442030000400'") + did("442030000400", "400"),
     "the DID 442030000400 would lead to itself, by way of 400"},
    {of_closed("destination = '+442030000450'") + did("+442030000450", "450"),
     "the DID +442030000450 would lead to itself, by way of 450"},
    {did("+442030000450", "450") + of_closed("destination = '+442030000450'"),
     "the announcement closed would lead to itself, by way of +442030000450"},
    {did("+442030000901", "400", "other.callpark") + did("+442030000400", "400") +
         of_main("timeout_destination = '+442030000901'") + of_abroad("timeout_destination = '+442030000400'"),
     "the menu abroad would lead to itself, by way of +442030000400"},
    {of_main("timeout_destination = '601'") + did("+442030000400", "400") + kMember + "'601', 9, '+442030000400')",
     "the ring group 601 would lead to itself, by way of +442030000400"},
    // By another number.
    {of_onward("destination = ''") + of_night("number = '411', timeout_destination = '411'"),
     "the menu night would lead to itself, by way of 411"},
    {of_onward("destination = ''") + of_night("number = '411', timeout_destination = '410'"),
     "the menu night would lead to itself, by way of 410"},
    {of_closed("number = '459', destination = '459'"), "the announcement closed would lead to itself, by way of 459"},
    {of_closed("number = '459', destination = '450'"), "the announcement closed would lead to itself, by way of 450"},
    {of_night("timeout_destination = '450'") + of_closed("number = '459', destination = '410'"),
     "450 is still a destination of the menu night: change it first"},
};

const std::string kOnlyMenus =
    "DELETE FROM dids; DELETE FROM park_group_members; DELETE FROM ring_group_members; UPDATE tenants SET "
    "fallback_destination = NULL; ";

const Refusals kNumbersInUse = {
    {kOnlyMenus + "DELETE FROM extensions WHERE tenant = 'demo.callpark' AND extension = '101'",
     "101 is still a destination of the menu main: change it first"},
    {kOnlyMenus + "UPDATE extensions SET extension = '199' WHERE tenant = 'demo.callpark' AND extension = '102'",
     "102 is still a destination of the menu main: change it first"},
    {of_main("invalid_destination = '602'") + "DELETE FROM ring_groups WHERE ring_group = '602'",
     "602 is still a destination of the menu main: change it first"},
    {of_main("timeout_destination = '602'") + "UPDATE ring_groups SET ring_group = '603' WHERE ring_group = '602'",
     "602 is still a destination of the menu main: change it first"},
    {of_closed("destination = '602'") + "DELETE FROM ring_groups WHERE ring_group = '602'",
     "602 is still the destination of the announcement closed: change it first"},
    {kOnlyMenus + "DELETE FROM call_flows WHERE name = 'day-night'",
     "300 is still a destination of the menu night: change it first"},
    {kOnlyMenus + of_day_night("number = '301'"), "300 is still a destination of the menu night: change it first"},
    {"DELETE FROM ivr_menus WHERE name = 'night'",
     "410 is still the destination of the announcement onward: change it first"},
    {of_night("number = '411'"), "410 is still the destination of the announcement onward: change it first"},
    {option("3", "450") + "DELETE FROM announcements WHERE name = 'closed'",
     "450 is still a destination of the menu main: change it first"},
    {option("3", "450") + of_closed("number = '459'"), "450 is still a destination of the menu main: change it first"},
    {of_main("invalid_destination = '450'") + "DELETE FROM announcements WHERE name = 'closed'",
     "450 is still a destination of the menu main: change it first"},
    {of_night("timeout_destination = '450'") + "DELETE FROM announcements WHERE name = 'closed'",
     "450 is still a destination of the menu night: change it first"},
    {option("1", "400", "night") + "DELETE FROM ivr_menus WHERE tenant = 'demo.callpark' AND name = 'main'",
     "400 is still a destination of the menu night: change it first"},
    {did("+442030000400", "400") + "DELETE FROM ivr_menus WHERE tenant = 'demo.callpark' AND name = 'main'",
     "400 is still rung by the DID +442030000400: lead it elsewhere first"},
    {did("+442030000450", "450") + of_closed("number = '459'"),
     "450 is still rung by the DID +442030000450: lead it elsewhere first"},
    {fallback("400") + of_main("number = '401'"), "400 is still called by the tenant's recalls: change them first"},
    {"UPDATE park_groups SET fallback_destination = '450' WHERE park_group = 'sales'; DELETE FROM announcements WHERE "
     "name = 'closed'",
     "450 is still called by recalls of the park group sales: change it first"},
    {of_601("destination = '400'") + "DELETE FROM ivr_menus WHERE tenant = 'demo.callpark' AND name = 'main'",
     "400 is still the destination of the ring group 601: change it first"},
    {of_day_night("alternate_destination = '450'") + "DELETE FROM announcements WHERE name = 'closed'",
     "450 is still a destination of the call flow day-night: change it first"},
    // Its own old number.
    {option("0", "400") + of_main("number = '401'"), "400 is still a destination of the menu main: change it first"},
    {of_main("invalid_destination = '400'") + of_main("number = '401'"),
     "400 is still a destination of the menu main: change it first"},
    {of_main("number = '401', invalid_destination = '400'"),
     "400 is still a destination of the menu main: change it first"},
};

const Refusals kSettings = {
    // Exactly one greeting.
    {menu("description = 'neither'"), "a menu has a greeting_sound or a greeting_text, and not both"},
    {menu("greeting_sound = 'a', greeting_text = 'a'"), "a menu has a greeting_sound or a greeting_text, and not both"},
    {of_main("greeting_sound = 'a'"), "a menu has a greeting_sound or a greeting_text, and not both"},
    {of_main("greeting_text = ''"), "a menu has a greeting_sound or a greeting_text, and not both"},
    {announcement("description = 'neither'"), "an announcement has a sound or a text, and not both"},
    {announcement("sound = 'a', text = 'a'"), "an announcement has a sound or a text, and not both"},
    {of_closed("text = ''"), "an announcement has a sound or a text, and not both"},
    // Blanks, and control characters.
    {of_main("greeting_text = ' '"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = ' Hello'"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = 'Hello '"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = 'Hello\n'"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = 'Hello\nthere'"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = 'Hello\\0there'"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = 'Hello\x1bthere'"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = 'Hello\xc2\x85there'"), "a menu's text has no control characters or spaces around it"},
    {of_night("greeting_text = ' '"), "a menu's text has no control characters or spaces around it"},
    {of_main("greeting_text = '" + std::string(1001, 'a') + "'"), "Data too long for column 'greeting_text'"},
    {of_main("greeting_text = '\xc3\x84" + std::string(999, 'a') + "'"),
     "a menu's text has at most 1000 bytes in UTF-8"},
    {of_closed("text = '\xc3\x84" + std::string(999, 'a') + "'"),
     "an announcement has a text of at most 1000 bytes in UTF-8"},
    {of_closed("text = 'Hello\tthere'"), "an announcement has no control characters or spaces around it"},
    {of_closed("text = ' Hello'"), "an announcement has no control characters or spaces around it"},
    {of_closed("text = 'Hello\n'"), "an announcement has no control characters or spaces around it"},
    {of_closed("sound = 'a', text = ' '"), "an announcement has no control characters or spaces around it"},
    {of_night("greeting_sound = '../etc'"), "a menu's sound is letters, digits, _ or -"},
    {of_night("greeting_sound = 'night.wav'"), "a menu's sound is letters, digits, _ or -"},
    {of_night("greeting_sound = 'night '"), "a menu's sound is letters, digits, _ or -"},
    {of_night("greeting_sound = 'night\n'"), "a menu's sound is letters, digits, _ or -"},
    {announcement("sound = 'a b'"), "an announcement's sound is letters, digits, _ or -"},
    {announcement("sound = 'a\n'"), "an announcement's sound is letters, digits, _ or -"},
    // Names.
    {menu(kSound, "420", ""), "a menu has a name, with no spaces around it"},
    {menu(kSound, "420", " a"), "a menu has a name, with no spaces around it"},
    {menu(kSound, "420", "a "), "a menu has a name, with no spaces around it"},
    {menu(kSound, "420", "a\n"), "a menu has a name, with no spaces around it"},
    {menu(kSound, "420", "a\nb"), "a menu has a name, with no spaces around it"},
    {menu(kSound, "420", std::string(65, 'a')), "Data too long for column 'name'"},
    {menu(kSound, "420", "main"), "the tenant already has a menu main"},
    {menu(kSound, "420", "MAIN"), "the tenant already has a menu MAIN"},
    {of_night("name = 'main'"), "the tenant already has a menu main"},
    {of_night("tenant = 'other.callpark'"), "a menu stays in its tenant: make another there"},
    {announcement(kText, "460", ""), "an announcement has a name, with no spaces around it"},
    {announcement(kText, "460", "a\n"), "an announcement has a name, with no spaces around it"},
    {announcement(kText, "460", "closed"), "the tenant already has an announcement closed"},
    {of_onward("name = 'Closed'"), "the tenant already has an announcement Closed"},
    {of_closed("tenant = 'other.callpark'"), "an announcement stays in its tenant: make another there"},
    // Bounds.
    {of_main("language = 'English'"), "a menu's language looks like en or en_GB"},
    {of_main("language = ''"), "a menu's language looks like en or en_GB"},
    {of_main("language = 'en\n'"), "a menu's language looks like en or en_GB"},
    {of_closed("language = 'EN'"), "an announcement's language looks like en or en_GB"},
    {of_main("first_key_seconds = 0"), "a menu waits 1 to 60 seconds for the first key"},
    {of_main("first_key_seconds = 61"), "a menu waits 1 to 60 seconds for the first key"},
    {of_main("first_key_seconds = -1"), "Out of range value for column 'first_key_seconds'"},
    {of_main("next_key_seconds = 0"), "a menu waits 1 to 10 seconds for the next key"},
    {of_main("next_key_seconds = 11"), "a menu waits 1 to 10 seconds for the next key"},
    {of_main("tries = 0"), "a menu has 1 to 9 tries"},
    {of_main("tries = 10"), "a menu has 1 to 9 tries"},
    {of_main("ring_seconds = 4"), "a menu's destination rings for 5 to 300 seconds"},
    {of_main("ring_seconds = 301"), "a menu's destination rings for 5 to 300 seconds"},
    {of_main("direct_dial = 2"), "a menu has direct dial (TRUE) or not (FALSE)"},
    {of_main("enabled = 2"), "a menu is enabled (TRUE) or not (FALSE)"},
    {of_main("tries = NULL"), "'tries' cannot be null"},
    {of_closed("times = 101"), "an announcement is played 1 to 100 times, 0: without end"},
    {of_closed("times = -1"), "Out of range value for column 'times'"},
    {of_closed("enabled = 2"), "an announcement is enabled (TRUE) or not (FALSE)"},
};

const Refusals kOptions = {
    {option("", "101"), "an option is 1 to 8 digits or stars"},
    {option("\\#", "101"), "an option is 1 to 8 digits or stars"},
    {option("1 ", "101"), "the menu main already has an option 1"},
    {option("3 ", "101"), "an option is 1 to 8 digits or stars"},
    {option("3\n", "101"), "an option is 1 to 8 digits or stars"},
    {option("a", "101"), "an option is 1 to 8 digits or stars"},
    {option("123456789", "101"), "Data too long for column 'digits'"},
    {option("1", "103"), "the menu main already has an option 1"},
    {option("1", "103", "MAIN"), "the menu MAIN already has an option 1"},
    {of_option("1", "digits = '2'"), "the menu main already has an option 2"},
    {of_option("1", "digits = '1\\#'"), "an option is 1 to 8 digits or stars"},
    {option("1", "103", "night") + of_option("1", "menu = 'night'"), "the menu night already has an option 1"},
    {of_option("1", "tenant = 'other.callpark'"), "an option stays in its tenant: make another there"},
    {of_option("1", "menu = 'nowhere'"), "the menu of an option exists"},
    {option("1", "101", "nowhere"), "the menu of an option exists"},
    {option("1", "101", "abroad"), "the menu of an option exists"},
    {option("1", "101", "closed"), "the menu of an option exists"},
};

const Refusals kCallers = {
    {kCaller + "numbers = '', caller_dialog = '{}'", "a caller in menus is at numbers, with commas between them"},
    {kCaller + "numbers = '400,', caller_dialog = '{}'", "a caller in menus is at numbers, with commas between them"},
    {kCaller + "numbers = '400, 410', caller_dialog = '{}'",
     "a caller in menus is at numbers, with commas between them"},
    {kCaller + "numbers = '400\n', caller_dialog = '{}'", "a caller in menus is at numbers, with commas between them"},
    {kCaller + "numbers = '400', caller_dialog = '{'", "a caller's dialog is JSON"},
    {kCaller + "numbers = '400', caller_dialog = '{}', peer_dialog = ''", "a peer's dialog is JSON"},
    {kCaller + "numbers = '400', caller_dialog = '{}', media = 'x'", "a media session is JSON"},
    {kCaller + "numbers = '400', caller_dialog = '{}', cdr = 'x'", "what a CDR has is JSON"},
    {kCaller + "numbers = '400', caller_dialog = '{}';" + kCaller + "numbers = '400', caller_dialog = '{}'",
     "Duplicate entry 'c1'"},
};

TEST_F(SqlMenusRefusal, F6_F7_ANumberThatMeansTwoThingsIsRefused) {
  expect(kNumbers);
}

TEST_F(SqlMenusRefusal, F2_ADestinationThatRingsNothingIsRefused) {
  expect(kDestinations);
}

TEST_F(SqlMenusRefusal, F2_ACircleWithoutAKeyIsRefused) {
  expect(kCircles);
}

TEST_F(SqlMenusRefusal, F2_ANumberThatIsStillADestinationStays) {
  expect(kNumbersInUse);
}

TEST_F(SqlMenusRefusal, F6_F7_ASettingThatCannotBeIsRefused) {
  expect(kSettings);
}

TEST_F(SqlMenusRefusal, F6_AnOptionThatCannotBeEnteredIsRefused) {
  expect(kOptions);
}

TEST_F(SqlMenusRefusal, F6_ACallerInAMenuThatCannotBeIsRefused) {
  expect(kCallers);
}

TEST_F(SqlMenusRefusal, F6_F7_EachConstraintRefusesAWrongEditAbove) {
  const auto named = server().query(
      "SELECT table_name, constraint_name FROM information_schema.table_constraints WHERE constraint_schema = "
      "'callpark' AND constraint_name <> 'PRIMARY' AND table_name IN ('ivr_menus', 'ivr_menu_options', "
      "'announcements', 'menu_calls')");
  EXPECT_EQ(named.size(), 43U);
  std::string refused;
  for (const Refusals& refusals : {kNumbers, kDestinations, kNumbersInUse, kSettings, kOptions, kCallers}) {
    for (const Refusal& refusal : refusals) refused += refusal_of(refusal.statements) + "\n";
  }
  // The number plan refuses a second menu or announcement of a number before these keys do.
  const std::set<std::string> never_seen = {"a number leads to one menu", "a number leads to one announcement"};
  for (const auto& constraint : named) {
    const std::string& name = constraint.at(1);
    if (never_seen.contains(name)) continue;
    EXPECT_THAT(refused, AnyOf(HasSubstr("CONSTRAINT `" + name + "` failed for `callpark`.`" + constraint.at(0) + "`"),
                               HasSubstr("`callpark`.`" + constraint.at(0) + "`, CONSTRAINT `" + name + "`")))
        << name;
  }
}

// ---- what is allowed ----

TEST_F(SqlMenus, F6_EverySettingOfAMenuIsAcceptedWithinItsBounds) {
  for (const std::string settings :
       {"greeting_text = '', greeting_sound = 'welcome_2-a'",
        "greeting_text = 'a'",
        "greeting_text = 'Gr\xc3\xbc\xc3\x9f Gott! F\xc3\xbcr \"Bestellungen\" 1, it\\'s 2; # (50%)'",
        "language = 'de'",
        "language = 'en_GB'",
        "language = NULL",
        "first_key_seconds = 1",
        "first_key_seconds = 60",
        "next_key_seconds = 1",
        "next_key_seconds = 10",
        "tries = 1",
        "tries = 9",
        "ring_seconds = 5",
        "ring_seconds = 300",
        "direct_dial = FALSE",
        "enabled = FALSE",
        "name = 'Main menu'",
        "name = 'MAIN'",
        "number = '40'",
        "number = '12345678901234567890'",
        "timeout_destination = '101'",
        "timeout_destination = '601', invalid_destination = '602'",
        "timeout_destination = '300'",
        "timeout_destination = '410', invalid_destination = '451'",
        "invalid_destination = '450'",
        "timeout_destination = '+442030000999', invalid_destination = '+123'",
        "timeout_destination = 'hangup:busy'",
        "timeout_destination = 'hangup:not_found', invalid_destination = 'hangup:unavailable'",
        "invalid_destination = 'hangup:declined'"}) {
    EXPECT_THAT(refusal_of(of_main(settings)), IsEmpty()) << settings;
  }
  std::string longest;
  for (int i = 0; i < 500; ++i) longest += "\xc3\xbc";
  EXPECT_THAT(refusal_of(of_main("greeting_text = '" + longest + "'")), IsEmpty());
  EXPECT_EQ(server().query("START TRANSACTION;" + menu(kSound) +
                           "SELECT first_key_seconds, next_key_seconds, tries, ring_seconds, direct_dial, "
                           "timeout_destination, invalid_destination, enabled, language FROM ivr_menus WHERE name = "
                           "'new'"),
            Rows({{"8", "3", "3", "30", "0", "", "", "1", "NULL"}}));
}

TEST_F(SqlMenus, F6_EveryOptionIsAcceptedWithinItsBounds) {
  for (const std::string destination :
       {"103", "601", "300", "410", "450", "451", "+442030000999", "+123", "hangup:busy", "hangup:not_found",
        "hangup:unavailable", "hangup:declined", "repeat", "back"}) {
    EXPECT_THAT(refusal_of(option("3", destination) + of_option("1", "destination = '" + destination + "'")), IsEmpty())
        << destination;
  }
  for (const std::string digits : {"0", "*", "11", "12", "**9", "12345678", "********"}) {
    EXPECT_THAT(refusal_of(option(digits, "101") + of_option("1", "digits = '7'")), IsEmpty()) << digits;
  }
  EXPECT_THAT(refusal_of(of_option("1", "menu = 'night', destination = '410'")), IsEmpty());
}

TEST_F(SqlMenus, F7_EverySettingOfAnAnnouncementIsAccepted) {
  for (const std::string settings :
       {"text = '', sound = 'closed'", "text = 'Geschlossen bis 8 Uhr.'", "language = 'de'", "times = 0", "times = 100",
        "destination = '101', times = 2", "destination = '601'", "destination = '300'", "destination = '400'",
        "destination = '410'", "destination = '451'", "destination = '+442030000999'", "destination = 'hangup:busy'",
        "enabled = FALSE", "name = 'We are closed'", "number = '459'", "number = '459', destination = '451'"}) {
    EXPECT_THAT(refusal_of(of_closed(settings)), IsEmpty()) << settings;
  }
  EXPECT_EQ(server().query("START TRANSACTION;" + announcement(kText) +
                           "SELECT sound, language, times, destination, enabled FROM announcements WHERE name = 'new'"),
            Rows({{"", "NULL", "1", "", "1"}}));
}

TEST_F(SqlMenus, F2_WhateverRingsAnExtensionMayLeadToAMenu) {
  for (const std::string place : {"400", "410", "450", "451"}) {
    EXPECT_THAT(refusal_of(fallback(place) + "UPDATE park_groups SET fallback_destination = '" + place +
                           "' WHERE tenant = 'demo.callpark'; UPDATE ring_groups SET destination = '" + place +
                           "' WHERE tenant = 'demo.callpark';" + did("+442030000400", place) +
                           "UPDATE dids SET destination = '" + place + "' WHERE did = '+442030000101'"),
                IsEmpty())
        << place;
  }
  EXPECT_THAT(refusal_of(of_day_night("destination = '400', alternate_destination = '450'")), IsEmpty());
}

TEST_F(SqlMenus, F6_ACircleByKeysIsAccepted) {
  EXPECT_THAT(refusal_of(option("9", "400") + option("8", "410") + option("1", "400", "night") +
                         of_main("invalid_destination = '400'") + of_night("invalid_destination = '400'")),
              IsEmpty());
  EXPECT_THAT(refusal_of(of_closed("destination = '400'") + option("3", "450")), IsEmpty());
  EXPECT_THAT(refusal_of(of_day_night("destination = '400'") + option("3", "300")), IsEmpty());
  EXPECT_THAT(refusal_of(did("+442030000400", "400") + option("3", "+442030000400")), IsEmpty());
}

TEST_F(SqlMenus, F6_OptionsGoWithTheirMenu) {
  const std::string options =
      "SELECT COALESCE(GROUP_CONCAT(menu, ' ', digits, ' ', destination ORDER BY digits), '-') FROM ivr_menu_options;";
  EXPECT_EQ(server().query("START TRANSACTION;" + option("9", "400") + of_main("invalid_destination = '400'") +
                           of_main("name = 'first menu'") + options +
                           "DELETE FROM ivr_menus WHERE tenant = 'demo.callpark' AND name = 'first menu';" + options +
                           "SELECT COUNT(*) FROM numbers WHERE tenant = 'demo.callpark' AND number = '400'"),
            Rows({{"first menu 1 101,first menu 2 102,first menu 9 400"}, {"-"}, {"0"}}));
}

TEST_F(SqlMenus, F6_F7_TheNumberPlanFollowsTheTables) {
  EXPECT_EQ(server().query("START TRANSACTION;" + of_main("number = '401', invalid_destination = '401'") +
                           of_closed("number = '459'") + announcement(kText) + menu(kSound) +
                           "SELECT number, kind FROM numbers WHERE tenant = 'demo.callpark' AND number LIKE '4%' "
                           "ORDER BY number; DELETE FROM ivr_menus WHERE tenant = 'demo.callpark' AND name IN ('main', "
                           "'new'); DELETE FROM announcements; SELECT GROUP_CONCAT(number) FROM numbers WHERE tenant = "
                           "'demo.callpark' AND number LIKE '4%'"),
            Rows({{"401", "ivr_menu"},
                  {"410", "ivr_menu"},
                  {"420", "ivr_menu"},
                  {"451", "announcement"},
                  {"459", "announcement"},
                  {"460", "announcement"},
                  {"410"}}));
}

TEST_F(SqlMenus, F6_F7_EachEditRaisesTheRevisionOfItsTenant) {
  const std::string revision = "SELECT revision FROM tenant_revisions WHERE tenant = 'demo.callpark'";
  for (const std::string& edit : std::vector<std::string>{
           of_main("enabled = FALSE"), of_main("greeting_text = 'Hello.'"), menu(kSound),
           "DELETE FROM ivr_menus WHERE tenant = 'demo.callpark' AND name = 'main';", option("3", "103"),
           of_option("1", "destination = '103'"), "DELETE FROM ivr_menu_options;", of_closed("enabled = FALSE"),
           announcement(kText), "DELETE FROM announcements WHERE name = 'closed';"}) {
    const auto rows = server().query("START TRANSACTION;" + revision + ";" + edit + revision);
    EXPECT_LT(std::stoi(rows.at(0).at(0)), std::stoi(rows.at(1).at(0))) << edit;
  }
}

TEST_F(SqlMenus, F6_F7_AScriptThatRunsTwicePassesOverRows) {
  const std::string columns = "INTO ivr_menus (tenant, name, number, greeting_sound) VALUES ";
  const std::string main = columns + "('demo.callpark', 'main', '400', 'main')";
  EXPECT_EQ(server().query("START TRANSACTION; INSERT IGNORE " + main + ", ('demo.callpark', 'new', '420', 'new');" +
                           "INSERT IGNORE INTO ivr_menu_options (tenant, menu, digits, destination) VALUES "
                           "('demo.callpark', 'main', '1', '103'), ('demo.callpark', 'main', '3', '103');"
                           "INSERT IGNORE INTO announcements (tenant, name, number, sound) VALUES ('demo.callpark', "
                           "'closed', '450', 'a'), ('demo.callpark', 'new', '460', 'a');"
                           "SELECT GROUP_CONCAT(name, ' ', number, ' ', greeting_sound ORDER BY number) FROM ivr_menus "
                           "WHERE tenant = 'demo.callpark'; SELECT GROUP_CONCAT(digits, ' ', destination ORDER BY "
                           "digits) FROM ivr_menu_options; SELECT GROUP_CONCAT(name, ' ', sound ORDER BY name) FROM "
                           "announcements; SELECT COUNT(*) FROM numbers WHERE number IN ('420', '460')"),
            Rows({{"main 400 ,night 410 night,new 420 new"}, {"1 101,2 102,3 103"}, {"closed ,new a,onward "}, {"2"}}));
  EXPECT_EQ(
      server().query("START TRANSACTION; INSERT " + main +
                     " ON DUPLICATE KEY UPDATE number = '401', tries = 5; SELECT number, tries FROM ivr_menus "
                     "WHERE tenant = 'demo.callpark' AND name = 'main';"
                     "INSERT INTO ivr_menu_options (tenant, menu, digits, destination) VALUES ('demo.callpark', "
                     "'main', '1', '103') ON DUPLICATE KEY UPDATE destination = VALUES(destination);"
                     "SELECT destination FROM ivr_menu_options WHERE digits = '1';"
                     "INSERT INTO announcements (tenant, name, number, sound) VALUES ('demo.callpark', 'closed', "
                     "'450', 'a') ON DUPLICATE KEY UPDATE times = 7; SELECT times FROM announcements WHERE name = "
                     "'closed'; SELECT COUNT(*) FROM numbers WHERE number IN ('400', '401') AND tenant = "
                     "'demo.callpark'"),
      Rows({{"401", "5"}, {"103"}, {"7"}, {"1"}}));
}

TEST_F(SqlMenusRefusal, F6_F7_AScriptThatRunsTwiceChangesNothingWrongly) {
  const std::string menus = "INTO ivr_menus (tenant, name, number, greeting_sound) VALUES ";
  const std::string options = "INTO ivr_menu_options (tenant, menu, digits, destination) VALUES ";
  const std::string announcements = "INTO announcements (tenant, name, number, sound) VALUES ";
  expect({
      {"INSERT IGNORE " + menus + "('demo.callpark', 'new', '400', 'a')",
       "400 is taken: it is already the number of a menu"},
      {"INSERT " + menus + "('demo.callpark', 'new', '410', 'a') ON DUPLICATE KEY UPDATE tries = 5",
       "410 is taken: it is already the number of a menu"},
      {"INSERT " + menus + "('demo.callpark', 'main', '400', 'a') ON DUPLICATE KEY UPDATE number = '101'",
       "101 is taken: it is already an extension"},
      {"INSERT " + menus + "('demo.callpark', 'main', '400', 'a') ON DUPLICATE KEY UPDATE timeout_destination = '400'",
       "the menu main would lead to itself, by way of 400"},
      {"INSERT " + menus + "('demo.callpark', 'main', '400', 'a') ON DUPLICATE KEY UPDATE greeting_sound = 'a'",
       "a menu has a greeting_sound or a greeting_text, and not both"},
      {"REPLACE " + menus + "('demo.callpark', 'main', '400', 'a')", "the tenant already has a menu main"},
      {"REPLACE " + menus + "('demo.callpark', 'new', '400', 'a')", "400 is taken: it is already the number of a menu"},
      {"INSERT IGNORE " + options + "('demo.callpark', 'main', '3', '999')", kNoNumber + "999"},
      {"INSERT " + options +
           "('demo.callpark', 'main', '1', '103') ON DUPLICATE KEY UPDATE destination = VALUES(destination), digits = "
           "'2'",
       "the menu main already has an option 2"},
      {"INSERT " + options + "('demo.callpark', 'main', '1', '103') ON DUPLICATE KEY UPDATE destination = '999'",
       kNoNumber + "999"},
      {"REPLACE " + options + "('demo.callpark', 'main', '1', '103')", "the menu main already has an option 1"},
      {"INSERT IGNORE " + announcements + "('demo.callpark', 'new', '450', 'a')",
       "450 is taken: it is already the number of an announcement"},
      {"INSERT " + announcements +
           "('demo.callpark', 'closed', '450', 'a') ON DUPLICATE KEY UPDATE destination = '450'",
       "the announcement closed would lead to itself, by way of 450"},
      {"REPLACE " + announcements + "('demo.callpark', 'closed', '450', 'a')",
       "the tenant already has an announcement closed"},
  });
}

TEST_F(SqlMenus, F6_ACallerInMenusIsARow) {
  EXPECT_EQ(server().query("START TRANSACTION;" + kCaller +
                           "numbers = '400,410,12345678901234567890', caller_dialog = '{\"a\": 1}';"
                           "UPDATE menu_calls SET peer_dialog = '{}', media = '{}', owner = 'm', epoch = 2;"
                           "SELECT numbers, caller_dialog, peer_dialog, media, owner, epoch FROM menu_calls"),
            Rows({{"400,410,12345678901234567890", "{\"a\": 1}", "{}", "{}", "m", "2"}}));
}

TEST_F(SqlMenus, F2_WhatTwoOperatorsEditAtOnceIsRefusedWhenItIsACircleTogether) {
  for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
           {of_main("timeout_destination = '451'"), of_night("timeout_destination = '400'")},
           {of_closed("destination = '400'"), of_main("timeout_destination = '450'")},
           {of_main("timeout_destination = '300'"), of_day_night("destination = '400'")},
           {of_601("destination = '450'"), of_closed("destination = '601'")},
           {option("3", "103"),
            "DELETE FROM dids WHERE destination = '103'; UPDATE tenants SET fallback_destination = "
            "NULL; DELETE FROM park_group_members; DELETE FROM extensions WHERE extension = '103'"},
           {option("3", "450"), "DELETE FROM announcements WHERE name = 'closed'"},
           {menu(kSound), flow("320", "42")}}) {
    DatabaseConnection other({server().socket().string(), server().user(), server().password(), server().database()});
    other.query("START TRANSACTION");
    other.query(first.substr(0, first.find(';')));
    EXPECT_THAT(refusal_of("SET innodb_lock_wait_timeout = 1; " + second), HasSubstr("Lock wait timeout")) << second;
    other.query("ROLLBACK");
  }
}

}  // namespace
}  // namespace callpark::test
