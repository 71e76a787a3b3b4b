#include "mediad/texts/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/utf8.h"
#include "mediad/texts/descriptor.h"

namespace callpark::media {
namespace {

constexpr std::size_t kInputBytesMax = 4096;
constexpr std::size_t kComplaintBytesMax = 4096;
constexpr std::size_t kSentenceBytesMax = 300;

struct Pipe {
  Descriptor reader;
  Descriptor writer;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::string cannot_start(int error) {
  return fmt::format("cannot be started: {}", std::strerror(error));
}

// What posix_spawn() does between fork and exec: three descriptors, a process group, no blocked and no ignored signal.
class SpawnPlan {
 public:
  SpawnPlan(int input, int complaint) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, complaint, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  /// Returns 0 or the error.
  int start(pid_t& pid, const std::vector<std::string>& command) const {
    std::vector<std::string> words = command;
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    return posix_spawn(&pid, arguments.front(), &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

enum class Outcome { kEnded, kTooSlow, kStopped, kNotWatched };

// Keeps the end of what is there to be read. Returns false at the end of the file.
bool read_complaint(int fd, std::string& complaint) {
  std::array<char, 1024> bytes{};
  for (;;) {
    const ssize_t count = read(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return true;  // nothing now
    if (count == 0) return false;
    complaint.append(bytes.data(), static_cast<std::size_t>(count));
    if (complaint.size() > kComplaintBytesMax) complaint.erase(0, complaint.size() - kComplaintBytesMax);
  }
}

Outcome watch(pid_t pid, const ProgramRun& run, int complaint_fd, std::string& complaint) {
  // The header of pidfd_open() in glibc 2.36 declares it for C only.
  const Descriptor ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!ended.is_open()) return Outcome::kNotWatched;
  const MonotonicTime deadline = monotonic_now() + run.time_max;
  std::array<pollfd, 3> watched{{{ended.get(), POLLIN, 0}, {run.stop, POLLIN, 0}, {complaint_fd, POLLIN, 0}}};
  for (;;) {
    const auto left = std::chrono::ceil<Duration>(deadline - monotonic_now());
    if (left <= Duration::zero()) return Outcome::kTooSlow;
    if (poll(watched.data(), watched.size(), static_cast<int>(left.count())) <= 0) continue;
    if (watched[1].revents != 0) return Outcome::kStopped;
    if (watched[0].revents != 0) return Outcome::kEnded;
    if (watched[2].revents != 0 && !read_complaint(complaint_fd, complaint)) watched[2].fd = -1;
  }
}

// The group's leader is not reaped yet, so no other group can have its number.
int end_group(pid_t pid) {
  kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// The last line, since a program that gives up reports that last.
std::string sentence_of(const std::string& complaint) {
  const auto end = complaint.find_last_not_of("\r\n ");
  if (end == std::string::npos) return {};
  const auto line_end = complaint.find_last_of('\n', end);
  const std::size_t begin = line_end == std::string::npos ? 0 : line_end + 1;
  std::string line = complaint.substr(begin, std::min(end + 1 - begin, kSentenceBytesMax));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return ": " + valid_utf8(line);
}

std::optional<std::string> fault_of_status(int status, const std::string& complaint) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  if (WIFEXITED(status)) return fmt::format("ended with {}{}", WEXITSTATUS(status), sentence_of(complaint));
  return fmt::format("was ended by signal {}{}", WTERMSIG(status), sentence_of(complaint));
}

}  // namespace

std::optional<std::string> run_program(const ProgramRun& run) {
  if (run.input.size() > kInputBytesMax) return "cannot be started: its input is too long";
  auto input = make_pipe();
  auto errors = make_pipe();
  if (!input || !errors) return cannot_start(errno);
  // The pipe is empty and has a reader, so this neither waits nor raises SIGPIPE.
  if (write(input->writer.get(), run.input.data(), run.input.size()) < 0) return cannot_start(errno);
  input->writer.reset();
  fcntl(errors->reader.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  if (const int error = SpawnPlan(input->reader.get(), errors->writer.get()).start(pid, run.command); error != 0) {
    return cannot_start(error);
  }
  input->reader.reset();
  errors->writer.reset();
  std::string complaint;
  const Outcome outcome = watch(pid, run, errors->reader.get(), complaint);
  const int status = end_group(pid);
  switch (outcome) {
    case Outcome::kEnded:
      break;
    case Outcome::kTooSlow:
      return fmt::format("has not ended within {} s", run.time_max.count() / 1000);
    case Outcome::kStopped:
      return "was ended, since mediad ends";
    case Outcome::kNotWatched:
      return "was ended, since the kernel does not report the ends of programs";
  }
  read_complaint(errors->reader.get(), complaint);
  return fault_of_status(status, complaint);
}

}  // namespace callpark::media
