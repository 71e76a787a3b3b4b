#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "tests/support/temp_dir.h"
#include "tests/support/wait.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves its declaration to us

namespace callpark::test {
namespace {

std::vector<std::string> merged_environment(const std::vector<std::string>& additions) {
  std::map<std::string, std::string> values;
  const auto add = [&values](const std::string& entry) {
    const auto equals = entry.find('=');
    if (equals != std::string::npos) values[entry.substr(0, equals)] = entry.substr(equals + 1);
  };
  for (char** entry = environ; *entry != nullptr; ++entry) add(*entry);
  for (const auto& entry : additions) add(entry);
  std::vector<std::string> merged;
  merged.reserve(values.size());
  for (const auto& [name, value] : values) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// PATH is searched before the fork: between fork and exec only async-signal-safe calls are allowed.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string candidate = folder + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  throw std::runtime_error(name + " is not installed");
}

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe2: ") + strerror(errno));
  return {ends[0], ends[1]};
}

int open_or_throw(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error("cannot open " + path + ": " + strerror(errno));
  return fd;
}

}  // namespace

Subprocess::Subprocess(Options options) : options_(std::move(options)) {
  const std::string program = find_program(options_.command.at(0));
  auto environment = merged_environment(options_.environment);
  auto arguments = options_.command;
  const auto environment_pointers = pointers(environment);
  const auto argument_pointers = pointers(arguments);
  const std::string directory = options_.directory.string();

  const bool to_file = !options_.output.empty();
  const int output =
      open_or_throw(to_file ? options_.output.string() : "/dev/null", O_WRONLY | (to_file ? O_CREAT | O_APPEND : 0));
  Pipe input;
  if (options_.with_stdin) {
    input = make_pipe();
  } else {
    input.read_end = open_or_throw("/dev/null", O_RDONLY);
  }
  const Pipe failure = make_pipe();
  const pid_t parent = getpid();

  pid_ = fork();
  if (pid_ == 0) {
    if (options_.new_session) {
      setsid();
    } else {
      setpgid(0, 0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // the test died before the line above
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    dup2(input.read_end, 0);
    dup2(output, 1);
    dup2(output, 2);
    if (directory.empty() || chdir(directory.c_str()) == 0) {
      execve(program.c_str(), argument_pointers.data(), environment_pointers.data());
    }
    const int reason = errno;
    [[maybe_unused]] const auto written = write(failure.write_end, &reason, sizeof reason);
    _exit(127);
  }
  const int fork_error = errno;
  close(input.read_end);
  close(output);
  close(failure.write_end);
  stdin_ = input.write_end;
  int reason = 0;
  const bool failed = pid_ < 0 || read(failure.read_end, &reason, sizeof reason) == sizeof reason;
  close(failure.read_end);
  if (failed) {
    const int why = pid_ < 0 ? fork_error : reason;
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    pid_ = -1;
    close_stdin();
    throw std::runtime_error("cannot start " + program + ": " + strerror(why));
  }
}

Subprocess::Subprocess(Subprocess&& other) noexcept {
  *this = std::move(other);
}

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  if (this == &other) return *this;
  terminate();
  close_stdin();
  options_ = std::move(other.options_);
  pid_ = std::exchange(other.pid_, -1);
  stdin_ = std::exchange(other.stdin_, -1);
  exit_code_ = std::exchange(other.exit_code_, std::nullopt);
  return *this;
}

Subprocess::~Subprocess() {
  terminate();
  close_stdin();
}

void Subprocess::reap(bool block) {
  if (pid_ <= 0 || exit_code_) return;
  int status = 0;
  pid_t ended = 0;
  do {
    ended = waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended == pid_) exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (ended < 0) exit_code_ = 127;
}

bool Subprocess::running() {
  reap(false);
  return pid_ > 0 && !exit_code_;
}

std::optional<int> Subprocess::exit_code() {
  reap(false);
  return exit_code_;
}

std::optional<int> Subprocess::wait(std::chrono::milliseconds timeout) {
  wait_until(timeout, [this] { return !running(); });
  return exit_code_;
}

void Subprocess::signal(int number) {
  if (running()) kill(pid_, number);
}

void Subprocess::signal_group(int number) {
  if (pid_ > 0) kill(-pid_, number);
}

void Subprocess::kill_now() {
  if (pid_ <= 0) return;
  signal_group(SIGKILL);
  reap(true);
}

void Subprocess::terminate() {
  if (pid_ <= 0) return;
  if (running()) {
    signal_group(SIGCONT);
    signal_group(SIGTERM);
    wait(options_.patience);
  }
  kill_now();
  pid_ = -1;
}

void Subprocess::pause() {
  signal_group(SIGSTOP);
}
void Subprocess::resume() {
  signal_group(SIGCONT);
}

bool Subprocess::write_line(const std::string& line) {
  // The child may be gone: EPIPE is an answer then, and SIGPIPE would be the end of the test.
  ::signal(SIGPIPE, SIG_IGN);
  const std::string text = line + "\n";
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = write(stdin_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    done += static_cast<size_t>(written);
  }
  return true;
}

void Subprocess::close_stdin() {
  if (stdin_ >= 0) close(stdin_);
  stdin_ = -1;
}

std::string Subprocess::output() const {
  return read_file(options_.output);
}

CommandResult run_command(const std::vector<std::string>& command, std::chrono::milliseconds timeout,
                          const std::vector<std::string>& environment) {
  const TempDir directory("command");
  Subprocess child({.command = command, .output = directory.path() / "output", .environment = environment});
  const auto code = child.wait(timeout);
  if (!code) throw std::runtime_error(command.at(0) + " did not end within " + std::to_string(timeout.count()) + " ms");
  return {*code, child.output()};
}

std::filesystem::path program_directory() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::string read_file(const std::filesystem::path& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace callpark::test
