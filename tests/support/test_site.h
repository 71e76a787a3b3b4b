// The whole product in a directory and on ports of its own: MariaDB with the demo tenant, Kamailio, mediad and parkd,
// and the telephones and the telephone network around them. What an end-to-end test begins with.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/baresip_phone.h"
#include "tests/support/kamailio_server.h"
#include "tests/support/linphone_phone.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/packet_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/render.h"
#include "tests/support/sip_trace.h"
#include "tests/support/sipp_trunk.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {

/// One of our daemons, as the site runs it.
class Daemon {
 public:
  /// `program` lies beside the test program and is started as `program --config FILE`.
  Daemon(std::string program, std::filesystem::path config, std::filesystem::path log);
  void start();
  void kill9() { process_.kill_now(); }
  void stop() { process_.terminate(); }
  void pause() { process_.pause(); }
  void resume() { process_.resume(); }
  [[nodiscard]] bool running() { return process_.running(); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] std::string log() const { return read_file(log_); }

 private:
  const std::string program_;
  const std::filesystem::path config_;
  const std::filesystem::path log_;
  Subprocess process_;
};

class TestSite {
 public:
  struct Options {
    bool with_parkd = true;
    bool with_mediad = true;
    /// Added to parkd.yaml, section by section as YAML text.
    std::string parkd_settings;
    /// Of deploy/parkd.yaml.j2, instead of the defaults.
    TemplateValues parkd_values = {};
    std::string node_name = "parkd1";
    /// Another site's, which must outlive this one. Null: its own.
    MariadbServer* database = nullptr;
    /// Prompts in English besides the product's: name, and the tone in Hz that each is for a second.
    std::map<std::string, int> prompts = {};
  };

  /// Returns when everything answers. Throws std::runtime_error with the log of what does not.
  TestSite() : TestSite(Options{}) {}
  explicit TestSite(Options options);
  TestSite(const TestSite&) = delete;
  TestSite& operator=(const TestSite&) = delete;
  ~TestSite();

  [[nodiscard]] uint16_t port() const { return ports_.base(); }
  [[nodiscard]] Endpoint outside() const { return {"127.0.0.1", port()}; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }
  [[nodiscard]] MariadbServer& database() const { return options_.database ? *options_.database : *database_; }
  KamailioServer& kamailio() { return *kamailio_; }
  Daemon& parkd() { return *parkd_; }
  Daemon& mediad() { return *mediad_; }
  SippTrunk& trunk() { return *trunk_; }
  SipTrace& trace() { return trace_; }

  /// Wait for what tests stop and start. Throw when it does not come back.
  void wait_parkd_ready();
  void wait_mediad_ready();
  /// The number of an HTTP answer of parkd and its body ("/health", "/metrics"); 0 without an answer.
  struct HttpAnswer {
    int status = 0;
    std::string body;
  };
  [[nodiscard]] HttpAnswer parkd_http(const std::string& path) const;

  /// What a phone of `user` in the demo tenant is started with: own address, own directory, tone number `party`.
  PhoneOptions phone(const std::string& user, int party);
  /// A registered phone.
  std::unique_ptr<BaresipPhone> baresip(PhoneOptions options);
  std::unique_ptr<LinphonePhone> linphone(PhoneOptions options);
  std::unique_ptr<PacketPhone> packet_phone(const std::string& user, int party, bool auto_answer = false,
                                            bool has_video = false);
  /// A caller from the telephone network made of packets: for many at once. Its own port of the trunk's address.
  std::unique_ptr<PacketPhone> trunk_caller(int party, const std::string& from = "");

  /// The logs of all servers and the SIP since `since`, for a failed test.
  [[nodiscard]] std::string account(SipTrace::Clock::time_point since) const;
  /// Whether failures since construction should leave the directory.
  void keep_directory() { directory_.keep(); }

 private:
  [[nodiscard]] std::filesystem::path make_prompts() const;
  void start_mediad();
  void start_parkd();

  const Options options_;
  TempDir directory_{"site"};
  const PortBlock ports_;
  SipTrace trace_;
  LoopbackAddress trunk_address_;
  std::vector<LoopbackAddress> phone_addresses_;
  std::unique_ptr<MariadbServer> database_;
  std::unique_ptr<Daemon> mediad_;
  std::unique_ptr<Daemon> parkd_;
  std::unique_ptr<KamailioServer> kamailio_;
  std::unique_ptr<SippTrunk> trunk_;
  uint16_t next_trunk_port_ = 9000;
};

/// A test in a site. The site lives as long as the test program; phones are the test's own. Prints the SIP and keeps
/// the directory when the test has failed.
class SiteTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  /// Instead of SetUpTestSuite(), of test classes that need another site.
  static void start_site(TestSite::Options options);
  void SetUp() override;
  void TearDown() override;

  static TestSite& site() { return *site_; }

 private:
  static std::unique_ptr<TestSite> site_;
  SipTrace::Clock::time_point began_;
};

}  // namespace callpark::test
