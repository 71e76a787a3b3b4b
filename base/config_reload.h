// What a daemon does when it is to read its file again: all of the file counts, or nothing.
#pragma once

#include <string>
#include <vector>

#include "base/config_reader.h"
#include "base/log.h"
#include "base/result.h"

namespace callpark {

/// A file with errors is logged and changes nothing. Else `reload(running, *read)` of the same Config changes what is
/// live in `running`, and `apply(running)` brings it to the parts of the process.
template <class Config, class Apply>
void apply_file(const std::string& file, const Result<Config, std::vector<ConfigError>>& read, Config& running,
                const Apply& apply) {
  if (!read) {
    for (const ConfigError& error : read.error()) log_error("", "{}", to_string(error));
    log_error("", "{} has errors and is not applied", file);
    return;
  }
  const ConfigChanges changes = reload(running, *read);
  apply(running);
  const LogLevel level = changes.need_restart.empty() ? LogLevel::kInfo : LogLevel::kWarning;
  log_line(level, "", "{} is read again: {}", file, to_string(changes));
}

}  // namespace callpark
