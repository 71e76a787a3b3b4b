// The templates of deploy/: tools/render and the tests render the same, and every server accepts its file with the
// defaults.
#include <gtest/gtest.h>

#include "tests/support/render.h"
#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

struct Template {
  std::string file;
  /// deploy/defaults/`defaults`.yml.
  std::string defaults;
  /// Those without a default, and paths that no test machine has.
  TemplateValues values = {};
};

class Deploy : public testing::Test {
 protected:
  Deploy() { write_file(directory_.path() / "database_password", "a password\n"); }

  [[nodiscard]] std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  [[nodiscard]] Template parkd() const {
    return {"parkd.yaml", "parkd", {{"parkd_database_password_file", path("database_password")}}};
  }
  [[nodiscard]] Template mediad() const {
    const std::string sources = source_directory().string();
    return {"mediad.yaml",
            "mediad",
            {{"mediad_prompts_dir", path("")},
             {"mediad_music_classes_dir", path("")},
             {"mediad_texts_dir", path("texts")},
             {"mediad_texts_command", sources + "/tools/speak_text"}}};
  }
  [[nodiscard]] Template kamailio() const {
    return {"kamailio.cfg",
            "kamailio",
            {{"kamailio_secrets_file", path("kamailio_secrets.cfg")},
             {"kamailio_run_dir", path("")},
             {"kamailio_state_dir", path("")},
             {"kamailio_cfg_dir", (source_directory() / "kamailio-cfg").string()}}};
  }
  static Template kamailio_secrets() {
    return {
        "kamailio_secrets.cfg",
        "kamailio",
        {{"kamailio_db_url", R"(mysql://callpark:p!$"\#{{ x }}@localhost/callpark)"}, {"kamailio_secret", "a secret"}}};
  }
  static std::string rendered(const Template& made) { return render(made.file, made.values); }
  std::string written(const Template& made) const {
    write_file(path(made.file), rendered(made));
    return path(made.file);
  }
  static void expect_good(const std::vector<std::string>& command) {
    const CommandResult result = run_command(command);
    EXPECT_EQ(result.exit_code, 0) << command[0] << ": " << result.output;
  }

  TempDir directory_{"deploy"};
};

TEST_F(Deploy, O2_TheTestsRenderTheSameBytesAsTheTool) {
  const std::vector<Template> all = {
      parkd(), mediad(), kamailio(), kamailio_secrets(), {"parkd.list", "kamailio"}, {"mariadb.cnf", "mariadb"}};
  for (const Template& made : all) {
    const auto deploy = source_directory() / "deploy";
    std::vector<std::string> command = {(source_directory() / "tools" / "render").string(),
                                        (deploy / (made.file + ".j2")).string(), "--defaults",
                                        (deploy / "defaults" / (made.defaults + ".yml")).string()};
    for (const auto& [name, value] : made.values) command.push_back(name + "=" + value);
    EXPECT_EQ(run_command(command).output, rendered(made)) << made.file;
  }
}

TEST_F(Deploy, O2_AMissingOrUnknownNameIsAnError) {
  EXPECT_THROW(render("kamailio_secrets.cfg", {}), std::runtime_error);
  EXPECT_THROW(render("parkd.list", {{"kamailio_db_url", "x"}}), std::runtime_error);
}

TEST_F(Deploy, O2_EveryServerAcceptsTheDefaults) {
  expect_good({(program_directory() / "parkd").string(), "--check-config", "--config", written(parkd())});
  expect_good({(program_directory() / "mediad").string(), "--check-config", "--config", written(mediad())});
  written(kamailio_secrets());
  expect_good({"kamailio", "-c", "-E", "-x", "fm", "-X", "fm", "-f", written(kamailio())});
  expect_good({"mariadbd", "--defaults-file=" + written({"mariadb.cnf", "mariadb"}), "--verbose", "--help"});
}

}  // namespace
}  // namespace callpark::test
