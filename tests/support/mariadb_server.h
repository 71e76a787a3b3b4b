// A private MariaDB with our schema, for tests: own data directory, reached by a unix socket only, and to be stopped,
// killed, paused and started again as the test likes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {

class MariadbServer {
 public:
  enum class Contents { kNothing, kDemoTenant };
  struct Options {
    /// Keeps data, socket and log; made when it is not there. Empty: a temporary one that goes with the object.
    std::filesystem::path directory = {};
    /// kDemoTenant: migrated, and the demo tenant loaded. kNothing: no database `callpark` at all.
    Contents contents = Contents::kDemoTenant;
    /// Port of the demo tenant's trunk.
    std::uint16_t sip_port = 5060;
  };

  /// start(), on a copy of a prepared data directory, which is made once beside the test program.
  MariadbServer() : MariadbServer(Options{}) {}
  explicit MariadbServer(Options options);
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;
  /// kill9(): the data is not needed.
  ~MariadbServer();

  /// Returns when it answers. Throws std::runtime_error with its log when it does not.
  void start();
  /// An orderly shutdown.
  void stop();
  void kill9();
  /// SIGSTOP and SIGCONT: it accepts connections and answers nothing, from the moment pause() returns.
  void pause();
  void resume() { process_.resume(); }
  [[nodiscard]] bool running() { return process_.running(); }

  [[nodiscard]] std::filesystem::path socket() const { return directory_ / "mysql.sock"; }
  [[nodiscard]] std::string database() const { return "callpark"; }
  /// The account that parkd and Kamailio use. `root` has no password.
  [[nodiscard]] std::string user() const { return "callpark"; }
  [[nodiscard]] std::string password() const { return "callpark"; }
  [[nodiscard]] std::string log() const;

  /// Rows of columns as text, NULL as "NULL", by a new connection as root. Throws std::runtime_error with the server's
  /// words when it refuses. Lasts some 10 ms.
  using Rows = std::vector<std::vector<std::string>>;
  [[nodiscard]] Rows query(const std::string& sql) const;
  /// The only column of the only row; empty when there is none.
  [[nodiscard]] std::string value(const std::string& sql) const;
  /// Returns when those that watch edits have seen it.
  void execute(const std::string& sql) const;
  /// `seen` is called after each execute(), and returns when `watcher` knows of what it has edited; empty: never again.
  void watch_edits(const void* watcher, std::function<void()> seen);
  /// The server's words when it refuses the statement; empty when it does not.
  [[nodiscard]] std::string refusal(const std::string& sql) const;
  /// Runs sql/migrate.sh on it; exit code and output.
  [[nodiscard]] CommandResult migrate(const std::vector<std::string>& arguments = {},
                                      const std::vector<std::string>& environment = {}) const;

 private:
  [[nodiscard]] CommandResult client(const std::string& sql) const;
  [[nodiscard]] std::vector<std::string> command() const;

  std::unique_ptr<TempDir> own_directory_;
  std::filesystem::path directory_;
  Subprocess process_;
  std::map<const void*, std::function<void()>> edits_seen_;
};

}  // namespace callpark::test
