#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/log.h"
#include "parkd/app.h"

int main(int argc, char** argv) {
  CLI::App cli("parkd: parks calls and connects them to their retrievers");
  std::string file;
  bool check_only = false;
  bool print_example = false;
  auto* config_option = cli.add_option("--config", file, "YAML file with the settings of this process");
  cli.add_flag("--check-config", check_only, "read the file, report what a start would refuse, and exit");
  cli.add_flag("--print-config", print_example, "print a file with every setting, its default and its help");
  CLI11_PARSE(cli, argc, argv);

  if (print_example) {
    std::fputs(callpark::parkd_config_example().c_str(), stdout);
    return 0;
  }
  if (config_option->empty()) {
    std::fputs("parkd: --config FILE is needed; --print-config prints one\n", stderr);
    return 2;
  }
  const auto refuse = [](const std::vector<callpark::ConfigError>& errors) {
    for (const auto& error : errors) std::fprintf(stderr, "%s\n", callpark::to_string(error).c_str());
    return errors.empty() ? 0 : 2;
  };
  if (check_only) return refuse(callpark::check_parkd_config_file(file));
  const auto config = callpark::read_parkd_config_file(file);
  if (!config) return refuse(config.error());
  callpark::set_log_level(config->log_level);
  try {
    callpark::run_parkd(*config, file);
  } catch (const std::exception& error) {
    callpark::log_error("", "parkd cannot start: {}", error.what());
    return 1;
  }
  return 0;
}
