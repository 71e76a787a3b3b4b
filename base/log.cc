#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iterator>
#include <memory>
#include <string>

namespace callpark {
namespace {

// systemd sets JOURNAL_STREAM to the device and inode of the journal's socket; stderr may have been redirected since.
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

// sd-daemon(3): a line may begin with its syslog priority in angle brackets.
class JournalPriority : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    fmt::format_to(std::back_inserter(out), "<{}>", priority(message.level));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JournalPriority>(); }

 private:
  static int priority(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return 3;
    if (level == spdlog::level::warn) return 4;
    return level == spdlog::level::info ? 6 : 7;
  }
};

std::unique_ptr<spdlog::formatter> make_formatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
  formatter->add_flag<JournalPriority>('*');
  formatter->set_pattern(stderr_is_the_journal() ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v");
  return formatter;
}

spdlog::logger& logger() {
  static const auto the_logger = [] {
    auto made = std::make_shared<spdlog::logger>("callpark", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);  // disabled levels are filtered out earlier
    made->set_formatter(make_formatter());
    return made;
  }();
  return *the_logger;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

bool is_control(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20 || value == 0x7f;
}

void append_escaped(fmt::memory_buffer& line, std::string_view text) {
  for (const char byte : text) {
    if (is_control(byte)) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(byte));
    } else {
      line.push_back(byte);
    }
  }
}

}  // namespace

std::optional<LogLevel> log_level_of(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "info") return LogLevel::kInfo;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  if (name == "off") return LogLevel::kOff;
  return std::nullopt;
}

void set_log_level(LogLevel level) {
  log_internal::level.store(level, std::memory_order_relaxed);
}

namespace log_internal {

std::atomic<LogLevel> level{LogLevel::kInfo};

void write(LogLevel level_of_line, std::string_view call_id, fmt::string_view format,
           fmt::format_args arguments) noexcept {
  try {
    fmt::memory_buffer text;
    fmt::vformat_to(std::back_inserter(text), format, arguments);
    fmt::memory_buffer line;
    if (!call_id.empty()) {
      line.push_back('[');
      append_escaped(line, call_id);
      line.append(std::string_view("] "));
    }
    append_escaped(line, {text.data(), text.size()});
    logger().log(spdlog_level(level_of_line), spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    // A line that cannot be written is lost: a log line is never a reason to end a call.
  }
}

}  // namespace log_internal
}  // namespace callpark
