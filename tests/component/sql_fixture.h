// A database with the demo tenant for a suite of tests, and wrong edits with the sentences that refuse them.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/mariadb_server.h"

namespace callpark::test {

class SqlSchema : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { server_.reset(); }
  // Here and not for the suite: after a failure to set up the suite, its tests count as skipped, and not as failed.
  void SetUp() override {
    if (!server_) server_ = std::make_unique<MariadbServer>();
  }
  static MariadbServer& server() { return *server_; }

  /// The server's message for statements that are then undone, also when it accepts them; empty when it accepts them.
  static std::string refusal_of(const std::string& statements) {
    return server().refusal("START TRANSACTION; " + statements);
  }

 private:
  static inline std::unique_ptr<MariadbServer> server_;
};

/// Begins the refusal of a destination of a call flow, a ring group or a DID; the destination follows.
inline const std::string kNoDestination =
    "the tenant has no extension, ring group, call flow, menu, announcement or orbit ";

/// The last of the statements is refused; those before it are what it needs.
struct Refusal {
  std::string statements;
  std::string sentence;
};

class SqlRefusal : public SqlSchema {
 protected:
  // All in one test, since each test that ctest starts brings a server up.
  static void expect(const std::vector<Refusal>& refusals) {
    const std::string count = "SELECT (SELECT COUNT(*) FROM numbers) + (SELECT COUNT(*) FROM dids)";
    const std::string before = server().value(count);
    for (const Refusal& refusal : refusals) {
      SCOPED_TRACE(refusal.statements);
      EXPECT_THAT(refusal_of(refusal.statements), ::testing::HasSubstr(refusal.sentence));
    }
    EXPECT_EQ(server().value(count), before);
  }
};

}  // namespace callpark::test
