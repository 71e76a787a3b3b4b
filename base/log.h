// Writes one line for each fact to stderr: level, the call's id and a sentence. Under systemd each line carries its
// priority, and the journal adds the time. A line of a disabled level costs one relaxed load; its arguments are not
// formatted.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <optional>
#include <string_view>
#include <utility>

namespace callpark {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// Reads "debug", "info", "warning", "error" or "off"; returns nothing for any other word.
std::optional<LogLevel> log_level_of(std::string_view name);

/// Lines below `level` are not written from now on. May be called from any thread. The level at start is kInfo.
void set_log_level(LogLevel level);

namespace log_internal {
extern std::atomic<LogLevel> level;
void write(LogLevel level, std::string_view call_id, fmt::string_view format, fmt::format_args arguments) noexcept;
}  // namespace log_internal

inline bool log_enabled(LogLevel level) {
  return level >= log_internal::level.load(std::memory_order_relaxed);
}

/// Writes one line. `call_id` is the Call-ID (or another name) by which one call's lines are found again; empty if the
/// line concerns no call. Control bytes in either are escaped, so nothing a peer sends can forge a line.
template <class... Arguments>
void log_line(LogLevel level, std::string_view call_id, fmt::format_string<Arguments...> format,
              const Arguments&... arguments) {
  if (log_enabled(level)) log_internal::write(level, call_id, format, fmt::make_format_args(arguments...));
}

template <class... Arguments>
void log_debug(std::string_view call_id, fmt::format_string<const Arguments&...> format,
               const Arguments&... arguments) {
  log_line<const Arguments&...>(LogLevel::kDebug, call_id, format, arguments...);
}
template <class... Arguments>
void log_info(std::string_view call_id, fmt::format_string<const Arguments&...> format, const Arguments&... arguments) {
  log_line<const Arguments&...>(LogLevel::kInfo, call_id, format, arguments...);
}
template <class... Arguments>
void log_warning(std::string_view call_id, fmt::format_string<const Arguments&...> format,
                 const Arguments&... arguments) {
  log_line<const Arguments&...>(LogLevel::kWarning, call_id, format, arguments...);
}
template <class... Arguments>
void log_error(std::string_view call_id, fmt::format_string<const Arguments&...> format,
               const Arguments&... arguments) {
  log_line<const Arguments&...>(LogLevel::kError, call_id, format, arguments...);
}

}  // namespace callpark
