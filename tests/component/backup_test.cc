// tools/backup and tools/restore: what one machine had is on another one, and what does not fit is refused.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/support/mariadb_server.h"
#include "tests/support/source_directory.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

const std::string kPassword = "p w!@:/%s\"#";

class Backup : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    machine_ = std::make_unique<MariadbServer>();
    machine_->execute("ALTER USER callpark@localhost IDENTIFIED BY '" + kPassword +
                      "'; CREATE USER billing@localhost IDENTIFIED BY 'b'; "
                      "GRANT SELECT ON callpark.park_segments TO billing@localhost; "
                      "CREATE EVENT callpark.tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM callpark.cdrs WHERE FALSE");
  }
  static void TearDownTestSuite() { machine_.reset(); }
  Backup() {
    write("etc/callpark/parkd.yaml", "node_name: parkd1\n");
    write("etc/callpark/secrets/database_password", kPassword);
    fs::permissions(old_.path() / "etc/callpark/secrets/database_password", fs::perms::owner_read);
    write("var/lib/callpark/music/jazz/a b.wav", "music");
    write("var/lib/callpark/texts/en/text_1.wav", "made again when it is needed");
    write("srv/waltz.wav", "more music");
    write("data/sounds/day.wav", "day");
    fs::create_directory_symlink("../../../data/sounds", old_.path() / "var/lib/callpark/sounds");
  }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((old_.path() / name).parent_path());
    write_file(old_.path() / name, text);
  }
  fs::path file() const { return old_.path() / "saved.tar"; }
  static fs::path tool(const std::string& name) { return source_directory() / "tools" / name; }
  CommandResult back_up() const {
    return run_command({tool("backup"), "--socket", machine_->socket(), "--root", old_.path(), file(), "/srv"});
  }
  CommandResult restore(const MariadbServer& onto) const {
    return run_command({tool("restore"), "--socket", onto.socket(), "--root", new_.path(), file()},
                       std::chrono::seconds(60));
  }
  /// Changes the archive by a shell in a directory with its parts.
  void change_archive(const std::string& commands) const {
    const auto done = run_command({"bash", "-ec",
                                   "parts=$(mktemp -d) && cd \"$parts\" && tar -xf \"$0\" && " + commands +
                                       " && tar -cf \"$0\" * && rm -r \"$parts\"",
                                   file()});
    ASSERT_EQ(done.exit_code, 0) << done.output;
  }
  /// The rows of all tables, and what works on them: each as a line, in a fixed sequence.
  static std::vector<std::string> contents(const MariadbServer& server) {
    std::vector<std::string> lines;
    const auto add = [&](const std::string& what, const std::string& question) {
      for (const auto& row : server.query(question)) {
        lines.push_back(what);
        for (const std::string& value : row) lines.back() += "|" + value;
      }
    };
    for (const auto& table : server.query("SELECT table_name FROM information_schema.tables WHERE table_schema = "
                                          "'callpark' AND table_type = 'BASE TABLE'")) {
      add(table.front(), "SELECT * FROM " + table.front());
    }
    const std::string here = " WHERE " + std::string("'callpark' = ");
    add("routine",
        "SELECT routine_name, routine_definition FROM information_schema.routines" + here + "routine_schema");
    add("trigger", "SELECT trigger_name, action_statement FROM information_schema.triggers" + here + "trigger_schema");
    add("view", "SELECT table_name, view_definition FROM information_schema.views" + here + "table_schema");
    add("event", "SELECT event_name, event_definition FROM information_schema.events" + here + "event_schema");
    add("check", "SELECT constraint_name FROM information_schema.check_constraints" + here + "constraint_schema");
    for (const char* account : {"callpark", "billing"}) {
      add(account, "SHOW GRANTS FOR " + std::string(account) + "@localhost");
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  static inline std::unique_ptr<MariadbServer> machine_;
  TempDir old_{"old"};
  TempDir new_{"new"};
};

TEST_F(Backup, AnEmptyMachineHasAfterwardsWhatTheOldOneHad) {
  const auto saved = back_up();
  ASSERT_EQ(saved.exit_code, 0) << saved.output;
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write) << "it has passwords";
  MariadbServer machine({.contents = MariadbServer::Contents::kNothing});
  const auto restored = restore(machine);
  ASSERT_EQ(restored.exit_code, 0) << restored.output;

  const auto had = contents(*machine_);
  EXPECT_GT(had.size(), 500U);
  EXPECT_EQ(contents(machine), had);
  EXPECT_THAT(
      machine.refusal("INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '*68', 'x')"),
      HasSubstr("it is already a park code"));
  machine.execute("INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '159', 'x')");
  EXPECT_EQ(machine.value("SELECT kind FROM numbers WHERE number = '159'"), "extension") << "triggers work";
  const auto called =
      run_command({"mariadb", "--no-defaults", "--socket=" + machine.socket().string(), "--user=callpark",
                   "--password=" + kPassword, "callpark", "--execute=CALL end_parked_call('none', 'none', 0, '[]')"});
  EXPECT_THAT(called.output, testing::Not(HasSubstr("denied"))) << "the account has its password and its procedures";

  EXPECT_EQ(read_file(new_.path() / "etc/callpark/secrets/database_password"), kPassword);
  EXPECT_EQ(fs::status(new_.path() / "etc/callpark/secrets/database_password").permissions(), fs::perms::owner_read);
  EXPECT_EQ(read_file(new_.path() / "etc/callpark/parkd.yaml"), "node_name: parkd1\n");
  EXPECT_EQ(read_file(new_.path() / "var/lib/callpark/music/jazz/a b.wav"), "music");
  EXPECT_EQ(read_file(new_.path() / "srv/waltz.wav"), "more music");
  EXPECT_EQ(read_file(new_.path() / "var/lib/callpark/sounds/day.wav"), "day") << "a link, with what it leads to";
  for (const char* above : {"var", "data"}) {
    EXPECT_NE(fs::status(new_.path() / above).permissions() & fs::perms::others_exec, fs::perms::none)
        << "mediad's user passes " << above;
  }
  EXPECT_FALSE(fs::exists(new_.path() / "var/lib/callpark/texts"));
}

TEST_F(Backup, WhatDoesNotFitIsRefusedAndChangesNothing) {
  MariadbServer machine({.contents = MariadbServer::Contents::kNothing});
  const auto expect_refused = [&](const MariadbServer& onto, const std::string& sentence) {
    const auto result = restore(onto);
    EXPECT_EQ(result.exit_code, 1) << sentence;
    EXPECT_THAT(result.output, HasSubstr(sentence));
    EXPECT_TRUE(fs::is_empty(new_.path())) << sentence;
    EXPECT_EQ(machine.value("SHOW DATABASES LIKE 'callpark'"), "") << sentence;
  };
  expect_refused(machine, "cannot read");
  write_file(file(), "no archive");
  expect_refused(machine, "is no archive, or it is cut off");
  ASSERT_EQ(back_up().exit_code, 0);
  expect_refused(*machine_, "has 2 tenants, which a restore would remove");

  struct Change {
    std::string commands;
    std::string sentence;
  };
  for (const Change& change : std::vector<Change>{
           {"rm manifest", "is no backup of callpark: it has no manifest"},
           {"rm accounts.sql", "is not complete: it has no accounts.sql"},
           {"echo >> accounts.sql", "is damaged: accounts.sql is not as it was saved"},
           {"sed -i 's/^schema .*/schema 9999/' manifest", "has schema 9999, and the installed callpark knows"},
           {"sed -i 's/^schema .*//' manifest", "is damaged"},
           {"sed -i 's/^callpark-backup 1/callpark-backup 2/' manifest", "is of another format"},
           {"echo 'CREATE TABLE a (b INT); nonsense' | gzip > database.sql.gz && sha256sum database.sql.gz >> manifest",
            "the database is not restored"},
       }) {
    ASSERT_EQ(back_up().exit_code, 0);
    change_archive(change.commands);
    expect_refused(machine, change.sentence);
  }
}

// ed25519 is a plugin that only the old machine has loaded; elsewhere.notes is a table that only it has.
TEST_F(Backup, WhatAnotherServerDoesNotAcceptOfAccountsIsNamedAndAllElseRestored) {
  machine_->execute(
      "INSTALL SONAME 'auth_ed25519'; CREATE USER anna@localhost IDENTIFIED VIA ed25519 USING PASSWORD('a'); "
      "GRANT SELECT ON callpark.cdrs TO anna@localhost; "
      "CREATE DATABASE elsewhere; CREATE TABLE elsewhere.notes (note INT); CREATE USER ben@localhost IDENTIFIED BY "
      "'b'; "
      "GRANT INSERT ON elsewhere.notes TO ben@localhost; GRANT SELECT ON callpark.tenants TO ben@localhost; "
      "CREATE ROLE `read``er`; GRANT SELECT ON callpark.cdrs TO `read``er`; CREATE USER carl@localhost IDENTIFIED BY "
      "'c'; GRANT `read``er` TO carl@localhost; SET DEFAULT ROLE `read``er` FOR carl@localhost");
  const auto saved = back_up();
  ASSERT_EQ(saved.exit_code, 0) << saved.output;
  MariadbServer machine({.contents = MariadbServer::Contents::kNothing});
  const auto restored = restore(machine);
  const auto had = contents(*machine_);
  machine_->execute(
      "DROP USER anna@localhost, ben@localhost, carl@localhost; DROP ROLE `read``er`; "
      "DROP DATABASE elsewhere; UNINSTALL SONAME 'auth_ed25519'");

  EXPECT_EQ(restored.exit_code, 3);
  EXPECT_THAT(restored.output, HasSubstr("the account 'anna'@'localhost' is not restored: ERROR 1524 (HY000)"));
  EXPECT_THAT(restored.output, HasSubstr("the account 'ben'@'localhost' lacks a right: ERROR 1146 (42S02)"));
  EXPECT_THAT(restored.output, Not(HasSubstr("IDENTIFIED"))) << "no hash is shown";
  EXPECT_THAT(restored.output, HasSubstr("restored 2"));
  EXPECT_EQ(contents(machine), had) << "the tables, and the accounts callpark and billing";
  EXPECT_EQ(machine.value("SELECT COUNT(*) FROM mysql.global_priv WHERE User = 'anna'"), "0") << "without a password";
  const auto asks = [&](const std::string& user, const std::string& table) {
    return run_command({"mariadb", "--no-defaults", "--socket=" + machine.socket().string(), "--user=" + user,
                        "--password=" + user.substr(0, 1), "callpark", "--execute=SELECT COUNT(*) FROM " + table})
        .exit_code;
  };
  EXPECT_EQ(asks("ben", "tenants"), 0);
  EXPECT_EQ(asks("carl", "cdrs"), 0) << "by its role";
  EXPECT_EQ(read_file(new_.path() / "etc/callpark/parkd.yaml"), "node_name: parkd1\n") << "files too";
}

TEST_F(Backup, ADatabaseInUseIsNotReplaced) {
  ASSERT_EQ(back_up().exit_code, 0);
  MariadbServer machine({.contents = MariadbServer::Contents::kNothing});
  machine.execute("CREATE DATABASE callpark");
  Subprocess parkd({.command = {"mariadb", "--no-defaults", "--socket=" + machine.socket().string(), "--user=root",
                                "callpark", "--execute=SELECT SLEEP(600)"}});
  const std::string connected = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'";
  require_until(
      kSoon, [&] { return machine.value(connected) == "1"; }, "a connection");
  const auto result = restore(machine);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("stop parkd and Kamailio first"));
}

TEST_F(Backup, ABackupThatMissesADirectoryIsNone) {
  fs::remove_all(old_.path() / "srv");
  const auto result = back_up();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("there is no directory"));
  EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace callpark::test
