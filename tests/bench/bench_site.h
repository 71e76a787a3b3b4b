// The servers as a benchmark needs them: the product's own settings and log level, ports for thousands of calls, no
// listener, all on one core; and what they use, by the kernel's account.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/kamailio_server.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/port_block.h"
#include "tests/support/render.h"
#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"
#include "tests/support/udp_socket.h"
#include "tests/support/wait.h"

namespace callpark::bench {

inline constexpr int kServerCore = 0;
inline constexpr int kLoadCore = 1;

/// This thread, and every process that it starts from now on.
inline void pin_to(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<unsigned>(core), &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

inline constexpr std::array<const char*, 4> kServers = {"kamailio", "parkd", "mediad", "mariadbd"};

/// A number for each of kServers, all its processes together.
struct ByServer {
  std::array<double, kServers.size()> of{};

  [[nodiscard]] double sum() const {
    double all = 0;
    for (const double one : of) all += one;
    return all;
  }
  ByServer operator-(const ByServer& other) const {
    ByServer result = *this;
    for (std::size_t i = 0; i < of.size(); ++i) result.of[i] -= other.of[i];
    return result;
  }
  ByServer operator*(double factor) const {
    ByServer result = *this;
    for (double& one : result.of) one *= factor;
    return result;
  }
  ByServer operator/(double divisor) const { return *this * (1 / divisor); }
};

class BenchSite {
 public:
  struct Options {
    /// Without it any number of calls may come from one address.
    bool has_flood_control = false;
    int shared_memory_mb = 1024;
    /// Of deploy/parkd.yaml.j2, instead of the defaults.
    test::TemplateValues parkd_values = {};
  };

  /// Returns when everything answers. Throws std::runtime_error with the log of what does not.
  BenchSite() : BenchSite(Options{}) {}
  explicit BenchSite(const Options& options) {
    pin_to(kServerCore);
    database_ = std::make_unique<test::MariadbServer>(
        test::MariadbServer::Options{.directory = directory_.path() / "mariadb", .sip_port = ports_.base()});
    database_->execute("UPDATE trunks SET address = '" + trunk_address_.text() +
                       "'; UPDATE tenants SET parked_calls_max = 0, recall_after_seconds = 3600");
    start_mediad();
    start_parkd(options.parkd_values);
    kamailio_ = std::make_unique<test::KamailioServer>(kamailio_options(options));
    pin_to(kLoadCore);
    find_processes();
  }
  BenchSite(const BenchSite&) = delete;
  BenchSite& operator=(const BenchSite&) = delete;
  ~BenchSite() = default;

  [[nodiscard]] test::Endpoint proxy() const { return {"127.0.0.1", ports_.base()}; }
  [[nodiscard]] const std::string& trunk_address() const { return trunk_address_.text(); }
  [[nodiscard]] const std::string& phone_address() const { return phone_address_.text(); }
  test::MariadbServer& database() { return *database_; }
  test::KamailioServer& kamailio() { return *kamailio_; }

  /// Enters extensions first .. first+count-1 (password = number), each with a DID "+44203" and itself.
  void add_extensions(int first, int count) {
    std::string extensions;
    std::string dids;
    for (int number = first; number < first + count; ++number) {
      const std::string text = "'" + std::to_string(number) + "'";
      extensions += (extensions.empty() ? "" : ",") + ("('demo.callpark'," + text + "," + text + ")");
      dids += (dids.empty() ? "" : ",") + ("('+44203" + std::to_string(number) + "','demo.callpark'," + text + ")");
    }
    database_->execute("INSERT INTO extensions (tenant, extension, password) VALUES " + extensions);
    database_->execute("INSERT INTO dids (did, tenant, destination) VALUES " + dids);
  }

  /// Time on a processor so far in ms, exact to the nanosecond.
  [[nodiscard]] ByServer cpu_ms() const {
    return for_each_process([](const std::filesystem::path& process) {
      double ms = 0;
      for (const auto& task : std::filesystem::directory_iterator(process / "task")) {
        double on_cpu_ns = 0;
        std::ifstream(task.path() / "schedstat") >> on_cpu_ns;
        ms += on_cpu_ns / 1e6;
      }
      return ms;
    });
  }

  /// Statements that MariaDB has done so far, by kind: "select", "insert", ...
  [[nodiscard]] std::map<std::string, double> statements() const {
    std::map<std::string, double> result;
    for (const auto& row : database_->query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_select', 'Com_insert', "
                                            "'Com_update', 'Com_delete', 'Com_replace', 'Com_commit')")) {
      result[row[0].substr(4)] = std::stod(row[1]);
    }
    return result;
  }

  /// Requests that Kamailio has received so far.
  [[nodiscard]] double requests() const {
    const std::string answer = kamailio_->rpc("stats.fetch", R"(["rcv_requests"])");
    return std::stod(answer.substr(answer.find_first_of("0123456789", answer.find("rcv_requests"))));
  }

  /// Memory in kB, what is shared between processes counted in parts.
  [[nodiscard]] ByServer pss_kb() const {
    return for_each_process([](const std::filesystem::path& process) {
      std::ifstream file(process / "smaps_rollup");
      for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Pss:")) return std::stod(line.substr(4));
      }
      return 0.0;
    });
  }

  /// For a benchmark that has failed: leaves the logs, and returns where.
  std::string keep_logs() {
    directory_.keep();
    return directory_.path().string();
  }

 private:
  void start_mediad() {
    const auto prompts = test::program_directory() / "prompts";
    if (!std::filesystem::exists(prompts / "en" / "call_parked.wav")) {
      test::run_command({(test::source_directory() / "tools/build_prompts").string(), prompts.string(), "en"},
                        std::chrono::minutes(2));
    }
    const auto own = [this](const char* name) { return (directory_.path() / name).string(); };
    test::write_file(own("mediad.yaml"),
                     test::render("mediad.yaml", {{"mediad_prompts_dir", prompts.string()},
                                                  {"mediad_control_listen", "unix:" + own("mediad.sock")},
                                                  {"mediad_http_listen", ""},
                                                  {"mediad_rtp_port_min", "33000"},
                                                  {"mediad_rtp_port_max", "64999"},
                                                  {"mediad_rtp_silent_remote_seconds", "0"},
                                                  {"mediad_music_classes_dir", ""},
                                                  {"mediad_texts_dir", own("texts")},
                                                  {"mediad_texts_command",
                                                   (test::source_directory() / "tools/speak_text").string()}}) +
                         "sessions: {max: 9000}\n");
    mediad_ = start("mediad");
  }

  void start_parkd(test::TemplateValues values) {
    const auto port = [this](int offset) { return "127.0.0.1:" + std::to_string(ports_.base() + offset); };
    const auto own = [this](const char* name) { return (directory_.path() / name).string(); };
    test::write_file(own("database_password"), database_->password());
    values.merge(test::TemplateValues{{"parkd_node_name", "bench"},
                                      {"parkd_sip_listen", port(2)},
                                      {"parkd_kamailio_inside", port(1)},
                                      {"parkd_mediad_control", "unix:" + own("mediad.sock")},
                                      {"parkd_database_socket", database_->socket().string()},
                                      {"parkd_database_password_file", own("database_password")},
                                      {"parkd_http_listen", port(3)}});
    test::write_file(own("parkd.yaml"), test::render("parkd.yaml", values));
    parkd_ = start("parkd");
  }

  test::Subprocess start(const std::string& name) {
    test::Subprocess process({.command = {(test::program_directory() / name).string(), "--config",
                                          (directory_.path() / (name + ".yaml")).string()},
                              .output = directory_.path() / (name + ".log")});
    const bool up = test::wait_until(
        test::kSoon, [&] { return !process.running() || process.output().find(" ready") != std::string::npos; });
    if (!up || !process.running()) throw std::runtime_error(name + " does not start:\n" + process.output());
    return process;
  }

  // All calls of a benchmark come from two addresses, which flood control would treat as an attack.
  [[nodiscard]] test::KamailioServer::Options kamailio_options(const Options& wanted) const {
    test::KamailioServer::Options options;
    options.base_port = ports_.base();
    options.directory = directory_.path() / "kamailio";
    options.database_socket = database_->socket();
    options.shared_memory_mb = wanted.shared_memory_mb;
    if (!wanted.has_flood_control) options.defines = {"#!define WITHOUT_FLOOD_CONTROL"};
    return options;
  }

  /// Those of our descendants that are servers.
  void find_processes() {
    std::map<pid_t, std::pair<std::string, pid_t>> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::string stat;
      std::getline(std::ifstream(entry.path() / "stat"), stat);
      const auto open = stat.find('(');
      const auto close = stat.rfind(')');
      if (close == std::string::npos) continue;
      pid_t parent = 0;
      char state = 0;
      std::istringstream(stat.substr(close + 1)) >> state >> parent;
      all[std::stoi(stat)] = {stat.substr(open + 1, close - open - 1), parent};
    }
    for (const auto& [pid, process] : all) {
      pid_t ancestor = process.second;
      while (ancestor > 1 && ancestor != getpid() && all.contains(ancestor)) ancestor = all[ancestor].second;
      if (ancestor != getpid()) continue;
      for (std::size_t i = 0; i < kServers.size(); ++i) {
        if (process.first == kServers[i]) processes_[i].push_back("/proc/" + std::to_string(pid));
      }
    }
  }

  template <class Measure>
  [[nodiscard]] ByServer for_each_process(Measure measure) const {
    ByServer result;
    for (std::size_t i = 0; i < kServers.size(); ++i) {
      for (const auto& process : processes_[i]) result.of[i] += measure(process);
    }
    return result;
  }

  test::TempDir directory_{"bench"};
  test::PortBlock ports_;
  test::LoopbackAddress trunk_address_;
  test::LoopbackAddress phone_address_;
  std::unique_ptr<test::MariadbServer> database_;
  test::Subprocess mediad_;
  test::Subprocess parkd_;
  std::unique_ptr<test::KamailioServer> kamailio_;
  std::array<std::vector<std::filesystem::path>, kServers.size()> processes_;
};

inline void print_row(const char* what, const ByServer& values, const char* unit) {
  std::printf("%-34s", what);
  for (std::size_t i = 0; i < kServers.size(); ++i) std::printf("  %s %9.3f", kServers[i], values.of[i]);
  std::printf("  all %9.3f %s\n", values.sum(), unit);
  std::fflush(stdout);
}

}  // namespace callpark::bench
