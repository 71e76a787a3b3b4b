// The settings of mediad.yaml, typed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config_reader.h"
#include "base/log.h"
#include "base/result.h"
#include "base/socket_address.h"

namespace callpark {

struct MediadConfig {
  ConfigTexts read_from;  // the texts of everything below
  LogLevel log_level = LogLevel::kInfo;
  std::string prompts_dir;

  struct Control {
    SocketAddress listen;
    std::size_t connections_max = 0;
  } control;

  struct Rtp {
    std::string address;
    std::string advertised_address;  // empty if it is `address`
    std::uint16_t port_min = 0;
    std::uint16_t port_max = 0;
    int dscp = 0;
    bool learn_remote = true;
    Duration silent_remote{};
    int sender_threads = 0;
    int sender_nice = 0;
  } rtp;

  struct Music {
    std::vector<std::string> default_class;
    std::string classes_dir;
  } music;

  struct Texts {
    std::string directory;
    std::string command;
    std::uint64_t megabytes_max = 0;
    Duration time_max{};
  } texts;

  struct Sessions {
    std::size_t max = 0;
    Duration unclaimed{};
    Duration no_rtp{};
  } sessions;

  struct Http {
    std::optional<SocketAddress> listen;
  } http;
};

/// Returns the configuration, or every error of the file.
Result<MediadConfig, std::vector<ConfigError>> read_mediad_config_file(const std::string& path);
/// `name` is what errors call the file.
Result<MediadConfig, std::vector<ConfigError>> read_mediad_config_text(const std::string& text,
                                                                       const std::string& name);

/// Returns that prompts_dir is no directory now, else nothing. mediad starts all the same, since it reads each sentence
/// when it is first spoken.
std::optional<ConfigError> missing_directory(const MediadConfig& config, const std::string& name);

/// Returns every error of the file, a prompts_dir that is not there, and addresses that are not of this host.
std::vector<ConfigError> check_mediad_config_file(const std::string& path);

/// Makes `running` what mediad goes on with after it has read its file again: live keys as in `read`, all others as
/// they were.
ConfigChanges reload(MediadConfig& running, const MediadConfig& read);

/// Returns a mediad.yaml with every key at its default, and its help.
std::string mediad_config_example();

}  // namespace callpark
