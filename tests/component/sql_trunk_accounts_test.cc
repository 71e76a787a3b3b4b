// Accounts at trunks in SQL: every edit that the database refuses, which edits Kamailio learns of, what trunks_status
// has, and the metric that parkd makes of it.
#include <gmock/gmock.h>

#include "base/metrics.h"
#include "parkd/store/unregistered_trunks.h"
#include "tests/component/sql_fixture.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::string account(const std::string& values) {
  return "INSERT INTO trunk_accounts (tenant, trunk, user, auth_user, registrar, expires) VALUES ('demo.callpark', " +
         values + ");";
}
std::string password(const std::string& text, const std::string& trunk = "demo") {
  return "INSERT INTO trunk_passwords (tenant, trunk, password) VALUES ('demo.callpark', '" + trunk + "', '" + text +
         "');";
}
std::string is(const std::string& state, const std::string& until = "TIMESTAMPADD(HOUR, 1, UTC_TIMESTAMP())") {
  return "REPLACE INTO trunk_registrations (tenant, trunk, state, status, until, next_try, changed_at) VALUES "
         "('demo.callpark', 'demo', '" +
         state + "', 200, " + until + ", UTC_TIMESTAMP(), UTC_TIMESTAMP());";
}

const std::string kAccount = account("'demo', '4930', NULL, 'carrier.example', 600");
const std::string kComplete = kAccount + password("secret");
const std::string kUser = "the user of an account is letters, digits and +-_.!*";
const std::string kAuthUser = "the user in credentials has no quote and no backslash";
const std::string kRegistrar = "a registrar is a domain or an IP address";
const std::string kExpires = "a registration lasts 60 to 7200 seconds";
const std::string kPassword = "the password of an account is printable";

const std::vector<Refusal> kRefusals = {
    {account("'none', '4930', NULL, NULL, 600"), "an account belongs to a trunk that exists"},
    {account("'demo', '', NULL, NULL, 600"), kUser},
    {account("'demo', 'a b', NULL, NULL, 600"), kUser},
    {account("'demo', 'a@b', NULL, NULL, 600"), kUser},
    {account("'demo', 'a>', NULL, NULL, 600"), kUser},
    {account("'demo', '4930\n', NULL, NULL, 600"), kUser},
    {account("'demo', '4930', '', NULL, 600"), kAuthUser},
    {account("'demo', '4930', 'a\"b', NULL, 600"), kAuthUser},
    {account("'demo', '4930', 'a\\\\b', NULL, 600"), kAuthUser},
    {account("'demo', '4930', 'a\tb', NULL, 600"), kAuthUser},
    {account("'demo', '4930', NULL, '', 600"), kRegistrar},
    {account("'demo', '4930', NULL, 'a;b', 600"), kRegistrar},
    {account("'demo', '4930', NULL, 'a>', 600"), kRegistrar},
    {account("'demo', '4930', NULL, NULL, 59"), kExpires},
    {account("'demo', '4930', NULL, NULL, 7201"), kExpires},
    {kAccount + "UPDATE trunk_accounts SET enabled = 2", "an account is enabled (TRUE) or not (FALSE)"},
    {kAccount + kAccount, "Duplicate entry"},
    {password("secret"), "a password belongs to an account that exists"},
    {kAccount + password(""), kPassword},
    {kAccount + password("a\tb"), kPassword},
    {kAccount + password("a\nb"), kPassword},
    {is("registered"), "a registration belongs to an account that exists"},
};

class SqlTrunkAccountsRefusal : public SqlRefusal {};
class SqlTrunkAccounts : public SqlSchema {};
class UnregisteredTrunksTest : public StoreTest {};

TEST_F(SqlTrunkAccountsRefusal, O5_AnAccountThatCannotBeIsRefused) {
  expect(kRefusals);
}

TEST_F(SqlTrunkAccountsRefusal, O5_EachConstraintRefusesAWrongEditAbove) {
  std::string said;
  for (const Refusal& refusal : kRefusals) said += refusal_of(refusal.statements) + "\n";
  const auto named = server().query(
      "SELECT constraint_name FROM information_schema.table_constraints WHERE constraint_schema = 'callpark' AND "
      "constraint_name <> 'PRIMARY' AND table_name IN ('trunk_accounts', 'trunk_passwords', 'trunk_registrations')");
  EXPECT_THAT(named, SizeIs(9));
  for (const auto& constraint : named) EXPECT_THAT(said, HasSubstr("CONSTRAINT `" + constraint.at(0) + "`"));
}

TEST_F(SqlTrunkAccounts, O5_AnAccountFollowsItsTrunkAndGoesWithIt) {
  const std::string rows =
      "SELECT CONCAT_WS(' ', 'of', (SELECT GROUP_CONCAT(trunk) FROM trunk_accounts), (SELECT GROUP_CONCAT(trunk) FROM "
      "trunk_passwords), (SELECT GROUP_CONCAT(trunk) FROM trunk_registrations));";
  const auto found = server().query("START TRANSACTION;" + kComplete + is("registered") +
                                    "UPDATE trunks SET trunk = 'other';" + rows + "DELETE FROM trunks;" + rows);
  EXPECT_EQ(found, (MariadbServer::Rows{{"of other other other"}, {"of"}}));
}

TEST_F(SqlTrunkAccounts, O5_EachEditRaisesTheRevisionOfItsTenantAndOfAll) {
  const std::string revisions =
      "SELECT SUM(revision) FROM tenant_revisions WHERE tenant = '*';"
      "SELECT SUM(revision) FROM tenant_revisions WHERE tenant = 'demo.callpark';";
  for (const std::string& edit : std::vector<std::string>{
           "UPDATE trunk_accounts SET user = '4931';", "UPDATE trunk_passwords SET password = 'x';",
           "DELETE FROM trunk_passwords;", "DELETE FROM trunk_accounts;",
           "UPDATE tenants SET enabled = FALSE WHERE tenant = 'demo.callpark';",
           "UPDATE trunks SET trunk = 'other';"}) {
    const auto rows = server().query("START TRANSACTION;" + kComplete + revisions + edit + revisions);
    EXPECT_LT(std::stoi(rows.at(0).at(0)), std::stoi(rows.at(2).at(0))) << edit;
    EXPECT_LT(std::stoi(rows.at(1).at(0)), std::stoi(rows.at(3).at(0))) << edit;
  }
}

TEST_F(SqlTrunkAccounts, O5_TheStatusOfATrunkIsThatOfItsRegistration) {
  const auto state = [](const std::string& edits) {
    return server()
        .query("START TRANSACTION;" + edits +
               "SELECT CONCAT_WS(' ', state, status) FROM trunks_status "
               "WHERE tenant = 'demo.callpark' AND trunk = 'demo'")
        .at(0)
        .at(0);
  };
  EXPECT_EQ(state(""), "by address");
  EXPECT_EQ(state(account("'demo', '4930', NULL, NULL, 600")), "by address");
  EXPECT_EQ(state(kAccount), "no password");
  EXPECT_EQ(state(kComplete), "trying");
  for (const char* name : {"trying", "registered", "refused", "unreachable"}) {
    EXPECT_EQ(state(kComplete + is(name)), name + std::string(" 200"));
  }
  EXPECT_EQ(state(kComplete + is("registered", "TIMESTAMPADD(HOUR, -1, UTC_TIMESTAMP())")), "expired 200");
  for (const char* table : {"trunk_accounts", "trunks", "tenants"}) {
    EXPECT_EQ(state(kComplete + is("registered") + "UPDATE " + table + " SET enabled = FALSE;"), "off") << table;
  }
}

TEST_F(UnregisteredTrunksTest, O5_ThoseThatShouldBeRegisteredAndAreNotAreCounted) {
  Metrics metrics;
  UnregisteredTrunks trunks(loop_, metrics,
                            {.address = {server().socket().string(), server().user(), server().password(), "callpark"},
                             .count_every = Duration(20)});
  trunks.start();
  const auto becomes = [&](const std::string& number) {
    return run_until(
        [&] { return metrics.serialise().find("callpark_trunks_unregistered " + number) != std::string::npos; });
  };
  EXPECT_TRUE(becomes("0"));
  server().execute(kAccount);
  EXPECT_TRUE(becomes("1"));
  server().execute(password("secret") + is("registered"));
  EXPECT_TRUE(becomes("0"));
  server().execute(is("refused"));
  EXPECT_TRUE(becomes("1"));
  server().execute("DELETE FROM trunk_accounts");
  EXPECT_TRUE(becomes("0"));
}

}  // namespace
}  // namespace callpark::test
