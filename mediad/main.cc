#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/log.h"
#include "mediad/app.h"

int main(int argc, char** argv) {
  CLI::App cli("mediad: plays music and speech to parked callers");
  std::string file;
  bool check_only = false;
  bool print_example = false;
  std::vector<std::string> sounds;
  auto* config_option = cli.add_option("--config", file, "YAML file with the settings of this process");
  cli.add_flag("--check-config", check_only, "read the file, report every error, and exit");
  cli.add_flag("--print-config", print_example, "print a file with every setting, its default and its help");
  cli.add_option("--check-sound", sounds, "read these WAV files or directories of them, report every error, and exit");
  CLI11_PARSE(cli, argc, argv);

  if (print_example) {
    std::fputs(callpark::mediad_config_example().c_str(), stdout);
    return 0;
  }
  if (!sounds.empty()) {
    const auto faults = callpark::faults_of_sounds(sounds);
    for (const std::string& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
    return faults.empty() ? 0 : 2;
  }
  if (config_option->empty()) {
    std::fputs("mediad: --config FILE is needed; --print-config prints one\n", stderr);
    return 2;
  }
  const auto refuse = [](const std::vector<callpark::ConfigError>& errors) {
    for (const auto& error : errors) std::fprintf(stderr, "%s\n", callpark::to_string(error).c_str());
    return errors.empty() ? 0 : 2;
  };
  if (check_only) return refuse(callpark::check_mediad_config_file(file));
  const auto config = callpark::read_mediad_config_file(file);
  if (!config) return refuse(config.error());
  callpark::set_log_level(config->log_level);
  if (const auto missing = callpark::missing_directory(*config, file)) {
    callpark::log_warning("", "{}", callpark::to_string(*missing));
  }
  try {
    callpark::run_mediad(*config, file);
  } catch (const std::exception& error) {
    callpark::log_error("", "mediad cannot start: {}", error.what());
    return 1;
  }
  return 0;
}
