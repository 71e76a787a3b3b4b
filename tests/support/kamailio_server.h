// A private Kamailio with the configuration of kamailio-cfg/, for tests: own ports, own directory, a database that the
// test brings along.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/mariadb_server.h"
#include "tests/support/subprocess.h"

namespace callpark::test {

class KamailioServer {
 public:
  struct Options {
    /// N: outside on N, inside on N+1, parkd expected on N+2.
    std::uint16_t base_port = 0;
    /// Made when it is not there; keeps the generated configuration, the control socket and kamailio.log.
    std::filesystem::path directory;
    /// Unix socket of a MariaDB that sql/migrate.sh has been run on.
    std::filesystem::path database_socket;
    std::string database_url = "mysql://callpark:callpark@localhost/callpark";
    std::string address = "127.0.0.1";
    /// Empty: `address`.
    std::string advertised_address = {};
    /// Of a capture server; empty: none.
    std::string hep_address = {};
    std::string parkd_address = "127.0.0.1";
    /// 0: base_port + 2.
    std::uint16_t parkd_port = 0;
    int udp_workers = 4;
    /// Each transaction needs some 15 kB until 5 s after its end.
    int shared_memory_mb = 64;
    /// Lines that are put before the rest of the configuration, e.g. "#!define WITHOUT_FLOOD_CONTROL".
    std::vector<std::string> defines = {};
    /// More of it, "NAME=value".
    std::vector<std::string> environment = {};
  };

  /// start(). Throws std::runtime_error with the end of the log when Kamailio does not answer OPTIONS in time.
  explicit KamailioServer(Options options);
  KamailioServer(const KamailioServer&) = delete;
  KamailioServer& operator=(const KamailioServer&) = delete;
  /// stop().
  ~KamailioServer() = default;

  /// Returns when OPTIONS is answered. Nothing happens when it runs already.
  void start();
  /// SIGTERM, and SIGKILL to the process group when that is not enough.
  void stop();
  void restart();
  /// SIGKILL to all its processes at once.
  void kill9();
  /// Of one that was killed: the files with calls that the database may not know.
  void forget_journal() const;

  [[nodiscard]] bool running() { return process_.running(); }
  /// Returns when it has read what was edited in the tables of the operator, or does not run.
  void wait_edits_read(const MariadbServer& database);
  /// All that it has logged, over restarts too.
  [[nodiscard]] std::string log() const;
  /// Answer of a JSON-RPC command over its control socket, e.g. rpc("dlg.stats_active"); `params` is a JSON array.
  [[nodiscard]] std::string rpc(const std::string& method, const std::string& params = "[]") const;

  [[nodiscard]] const std::string& address() const { return options_.address; }
  [[nodiscard]] std::uint16_t port() const { return options_.base_port; }
  [[nodiscard]] std::uint16_t inside_port() const { return static_cast<std::uint16_t>(options_.base_port + 1); }
  [[nodiscard]] const std::filesystem::path& directory() const { return options_.directory; }
  /// "127.0.0.1:5060", where phones and trunks send to.
  [[nodiscard]] std::string outside() const;

 private:
  void write_configuration() const;

  Options options_;
  Subprocess process_;
};

/// Whether anything SIP answers an OPTIONS at `address`:`port` over UDP within `timeout`.
bool answers_options(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout);

}  // namespace callpark::test
