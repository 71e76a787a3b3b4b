// docs/reference.md describes the settings, the metrics and the tables that the programs and the schema have.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/mariadb_server.h"
#include "tests/support/port_block.h"
#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

class Reference : public testing::Test {
 protected:
  Reference() {
    write_file(directory_.path() / "mediad.yaml",
               "prompts_dir: " + directory_.path().string() + "\ncontrol: {listen: \"unix:" + control() +
                   "\"}\nrtp: {port_min: " + std::to_string(ports_.rtp_first()) +
                   ", port_max: " + std::to_string(ports_.rtp_last()) + "}\nhttp: {listen: \"" + address(4) + "\"}\n");
    write_file(
        directory_.path() / "parkd.yaml",
        "node_name: parkd1\nsip: {listen: \"" + address(2) + "\"}\nkamailio: {inside: \"" + address(1) +
            "\"}\nmediad: {control: \"unix:" + control() + "\"}\ndatabase: {socket: " + database_.socket().string() +
            ", user: callpark, password: callpark, database: callpark}\n" + "http: {listen: \"" + address(3) + "\"}\n");
    mediad_ = start("mediad");
    parkd_ = start("parkd");
    for (const std::string& url : {metrics_of_parkd(), metrics_of_mediad()}) {
      require_until(
          kSoon,
          [&] {
            return run_command({"curl", "--silent", "--fail", url}).exit_code == 0;
          },
          url + " to answer");
    }
  }
  ~Reference() override {
    if (HasFailure()) std::fputs((parkd_.output() + mediad_.output()).c_str(), stderr);
  }

  std::string address(int offset) const { return "127.0.0.1:" + std::to_string(ports_.base() + offset); }
  std::string metrics_of_parkd() const { return "http://" + address(3) + "/metrics"; }
  std::string metrics_of_mediad() const { return "http://" + address(4) + "/metrics"; }

  TempDir directory_{"reference"};
  PortBlock ports_;
  MariadbServer database_;
  Subprocess mediad_;
  Subprocess parkd_;

 private:
  std::string control() const { return (directory_.path() / "mediad.sock").string(); }
  Subprocess start(const std::string& program) const {
    return Subprocess({.command = {(program_directory() / program).string(), "--config",
                                   (directory_.path() / (program + ".yaml")).string()},
                       .output = directory_.path() / (program + ".log")});
  }
};

TEST_F(Reference, TheDocumentIsWhatTheProgramsAndTheSchemaHave) {
  const auto made =
      run_command({(source_directory() / "tools/write_reference").string(), "--programs", program_directory().string(),
                   "--socket", database_.socket().string(), "--metrics", metrics_of_parkd(), metrics_of_mediad()});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const auto path = source_directory() / "docs/reference.md";
  if (std::getenv("CALLPARK_WRITE_REFERENCE")) write_file(path, made.output);
  EXPECT_EQ(read_file(path), made.output) << "CALLPARK_WRITE_REFERENCE=1 writes " << path;
}

}  // namespace
}  // namespace callpark::test
