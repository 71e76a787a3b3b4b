// A child process of a test: in its own process group, dead when the test dies, its output in a file.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace callpark::test {

class Subprocess {
 public:
  struct Options {
    /// Program (looked up in PATH) and its arguments.
    std::vector<std::string> command = {};
    /// Both stdout and stderr are appended here; empty: /dev/null.
    std::filesystem::path output = {};
    /// Whether write_line() is to be used; otherwise stdin is /dev/null.
    bool with_stdin = false;
    /// "NAME=value", on top of our own environment.
    std::vector<std::string> environment = {};
    std::filesystem::path directory = {};
    /// Of the ending: the time from SIGTERM to SIGKILL.
    std::chrono::milliseconds patience{3000};
    /// Leads a session of its own without a terminal, for programs that talk to /dev/tty.
    bool new_session = false;
  };

  Subprocess() = default;
  /// Starts the child. Throws std::runtime_error when the program cannot be started.
  explicit Subprocess(Options options);
  Subprocess(Subprocess&& other) noexcept;
  Subprocess& operator=(Subprocess&& other) noexcept;
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;
  /// terminate().
  ~Subprocess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Whether it has not ended yet.
  [[nodiscard]] bool running();
  /// Exit code, or 128 + signal number; empty while it runs or if it was never started.
  [[nodiscard]] std::optional<int> exit_code();
  /// Waits for the end; empty when it still runs after `timeout`.
  std::optional<int> wait(std::chrono::milliseconds timeout);

  /// To the child alone, or to its whole group (its children too).
  void signal(int number);
  void signal_group(int number);
  /// SIGKILL to the whole group, and waits until the child is gone.
  void kill_now();
  /// SIGTERM to the group, SIGKILL after the options' patience; the child is gone afterwards.
  void terminate();
  void pause();
  void resume();

  /// Writes `line` and a newline to the child's stdin. False when the child has closed it.
  bool write_line(const std::string& line);
  void close_stdin();
  /// All that the child has written so far.
  [[nodiscard]] std::string output() const;

 private:
  void reap(bool block);

  Options options_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::optional<int> exit_code_;
};

/// Runs a command to its end and returns its exit code and output. Throws when it lasts longer than `timeout`.
struct CommandResult {
  int exit_code;
  std::string output;
};
CommandResult run_command(const std::vector<std::string>& command,
                          std::chrono::milliseconds timeout = std::chrono::milliseconds(30000),
                          const std::vector<std::string>& environment = {});

/// Where the running test program lies, and with it the daemons and modules of the same build.
std::filesystem::path program_directory();

/// The whole text of a file, empty when there is none.
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace callpark::test
