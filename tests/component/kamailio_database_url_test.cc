// How Kamailio gets the database's password: as any text, in the URL of its configuration or in an option file.
#include <gtest/gtest.h>

#include "tests/support/kamailio_server.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/port_block.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

/// All printable characters of ASCII but those of `without`.
std::string printable(const std::string& without = "") {
  std::string all;
  for (char character = '!'; character <= '~'; ++character) {
    if (without.find(character) == std::string::npos) all += character;
  }
  return all;
}

class KamailioDatabaseUrl : public testing::Test {
 protected:
  void set_password(const std::string& password) {
    const auto migrated = database_.migrate({}, {"CALLPARK_DB_PASSWORD=" + password});
    ASSERT_EQ(migrated.exit_code, 0) << migrated.output;
  }
  /// Kamailio does not start without its database.
  void expect_to_start(const std::string& url) {
    EXPECT_NO_THROW(KamailioServer({.base_port = ports_.base(),
                                    .directory = directory_.path(),
                                    .database_socket = database_.socket(),
                                    .database_url = url,
                                    .environment = {"MARIADB_HOME=" + directory_.path().string()}}));
  }

  PortBlock ports_;
  TempDir directory_{"kamailio"};
  MariadbServer database_;
};

TEST_F(KamailioDatabaseUrl, X68_TheUrlHasAnyPasswordWithoutASlash) {
  const std::string password = printable("/");
  set_password(password);
  expect_to_start("mysql://callpark:" + password + "@localhost/callpark");
}

TEST_F(KamailioDatabaseUrl, X68_AnOptionFileHasAnyPassword) {
  const std::string password = printable();
  set_password(password);
  std::string quoted;
  for (const char character : password) quoted += character == '\\' ? "\\\\" : std::string(1, character);
  write_file(directory_.path() / "my.cnf",
             "[callpark]\nsocket=" + database_.socket().string() + "\nuser=callpark\npassword=\"" + quoted + "\"\n");
  expect_to_start("mysql://[callpark]/callpark");
}

TEST_F(KamailioDatabaseUrl, X68_AWrongPasswordPreventsTheStart) {
  set_password("right");
  EXPECT_THROW(KamailioServer({.base_port = ports_.base(),
                               .directory = directory_.path(),
                               .database_socket = database_.socket(),
                               .database_url = "mysql://callpark:wrong@localhost/callpark"}),
               std::runtime_error);
}

}  // namespace
}  // namespace callpark::test
