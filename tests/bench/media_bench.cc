// How many parked callers one core can give music: mediad beside a bare sendmmsg loop, both measured by the same
// receiver in turns, since the speed of a machine drifts within minutes. mediad and the loop run on core 0, the
// receiver on core 1.
//
//   media_bench [--window SECONDS] [--first N] [--step N] [--last N] [--locked]
//
// --locked: every party sends one packet first, as most phones do, so that mediad sends on connected sockets.
#include <sched.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/component/mediad_fixture.h"

namespace {

using callpark::test::Endpoint;
using callpark::test::MediadClient;
using callpark::test::to_sockaddr;
using Nanoseconds = std::int64_t;

constexpr int kSenderCore = 0;
constexpr int kReceiverCore = 1;
constexpr std::size_t kSockets = 16;
constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr double kGapMsMax = 40;
constexpr double kShortfallMax = 0.001;

struct Arguments {
  double window_s = 3;
  int first = 500;
  int step = 250;
  int last = 4000;
  bool locked = false;
};

void pin_to(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

Nanoseconds now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

/// Receives the packets of streams (the SSRC is the stream's number), and remembers when each came, by the kernel's
/// clock.
class Receiver {
 public:
  explicit Receiver(int streams_max) : streams_(static_cast<std::size_t>(streams_max)) {
    for (std::size_t i = 0; i < kSockets; ++i) {
      // Another address than mediad's: a port of its own is no remote.
      sockets_.push_back(std::make_unique<callpark::test::UdpSocket>(Endpoint{"127.0.0.2", 0}));
      const int bytes = 8 << 20;
      const int yes = 1;
      setsockopt(sockets_.back()->fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
      setsockopt(sockets_.back()->fd(), SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
    }
    thread_ = std::thread([this] { run(); });
  }
  ~Receiver() {
    stopping_ = true;
    thread_.join();
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  Endpoint endpoint_of(int stream) const { return sockets_[static_cast<std::size_t>(stream) % kSockets]->own(); }
  void send_from(int stream, const std::string& bytes, const Endpoint& to) {
    sockets_[static_cast<std::size_t>(stream) % kSockets]->send(bytes, to);
  }

  struct Report {
    double gap_p99_ms = 0;
    double shortfall = 0;
    bool is_good() const { return gap_p99_ms < kGapMsMax && shortfall < kShortfallMax; }
  };

  /// Listens to the first `streams` streams for `window_s`.
  Report listen(int streams, double window_s) {
    measuring_ = false;
    handed_over_ = false;
    while (!handed_over_) std::this_thread::yield();  // the thread touches no stream any more
    for (Stream& stream : streams_) stream = {};
    gaps_.clear();
    const Nanoseconds begin = now_ns();
    measuring_ = true;
    while (now_ns() - begin < static_cast<Nanoseconds>(window_s * 1e9)) usleep(10'000);
    measuring_ = false;
    handed_over_ = false;
    while (!handed_over_) std::this_thread::yield();
    return report(streams);
  }

 private:
  struct Stream {
    Nanoseconds first = 0;
    Nanoseconds last = 0;
    std::int64_t packets = 0;
  };

  // By each stream's own first and last packet: how many there are too few for the time between.
  Report report(int streams) {
    std::int64_t came = 0;
    double expected = 0;
    for (int i = 0; i < streams; ++i) {
      const Stream& stream = streams_[static_cast<std::size_t>(i)];
      came += stream.packets;
      expected += stream.packets < 2 ? 50 : static_cast<double>(stream.last - stream.first) / 20e6 + 1;
    }
    Report result;
    // Rounded towards the sender by its own jitter of at most one packet in each window.
    result.shortfall = std::max(0.0, 1 - static_cast<double>(came + streams / 50) / expected);
    if (gaps_.empty()) return {1e9, 1};
    const auto p99 = gaps_.begin() + static_cast<std::ptrdiff_t>(gaps_.size() * 99 / 100);
    std::nth_element(gaps_.begin(), p99, gaps_.end());
    result.gap_p99_ms = static_cast<double>(*p99) / 1e6;
    return result;
  }

  void run() {
    pin_to(kReceiverCore);
    prctl(PR_SET_TIMERSLACK, 1UL);
    while (!stopping_) {
      if (!measuring_) handed_over_ = true;
      for (const auto& socket : sockets_) drain(socket->fd());
      usleep(500);
    }
  }

  void drain(int fd) {
    static constexpr std::size_t kBatch = 128;
    static thread_local char bytes[kBatch][64];
    static thread_local char controls[kBatch][64];
    mmsghdr messages[kBatch];
    iovec parts[kBatch];
    for (;;) {
      for (std::size_t i = 0; i < kBatch; ++i) {
        parts[i] = {bytes[i], sizeof bytes[i]};
        messages[i] = {};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = controls[i];
        messages[i].msg_hdr.msg_controllen = sizeof controls[i];
      }
      const int count = recvmmsg(fd, messages, kBatch, MSG_DONTWAIT, nullptr);
      if (count <= 0) return;
      for (int i = 0; i < count; ++i) arrived(messages[i].msg_hdr, bytes[i]);
      if (count < static_cast<int>(kBatch)) return;
    }
  }

  void arrived(msghdr& message, const char* bytes) {
    std::uint32_t ssrc = 0;
    std::memcpy(&ssrc, bytes + 8, sizeof ssrc);
    ssrc = ntohl(ssrc);
    if (!measuring_ || ssrc >= streams_.size()) return;
    timespec time{};
    const cmsghdr* control = CMSG_FIRSTHDR(&message);
    if (control == nullptr) return;
    std::memcpy(&time, CMSG_DATA(control), sizeof time);
    const Nanoseconds when = time.tv_sec * kSecond + time.tv_nsec;
    Stream& stream = streams_[ssrc];
    if (stream.packets++ == 0) {
      stream.first = when;
    } else {
      gaps_.push_back(when - stream.last);
    }
    stream.last = when;
  }

  std::vector<std::unique_ptr<callpark::test::UdpSocket>> sockets_;
  std::vector<Stream> streams_;
  std::vector<Nanoseconds> gaps_;
  std::atomic<bool> measuring_{false};
  std::atomic<bool> handed_over_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The reference: one socket, nothing but a header stamped and sendmmsg, the streams spread over 20 phases of 1 ms.
[[noreturn]] void run_bare_loop(const Receiver& receiver, int streams) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_TIMERSLACK, 1UL);
  pin_to(kSenderCore);
  struct Packet {
    std::uint8_t header[12];
    sockaddr_in to;
  };
  constexpr int kPhases = 20;
  static const char payload[160] = {};
  std::vector<std::vector<Packet>> phases(kPhases);
  for (int i = 0; i < streams; ++i) {
    Packet packet{{0x80, 0}, to_sockaddr(receiver.endpoint_of(i))};
    const std::uint32_t ssrc = htonl(static_cast<std::uint32_t>(i));
    std::memcpy(packet.header + 8, &ssrc, sizeof ssrc);
    phases[static_cast<std::size_t>(i % kPhases)].push_back(packet);
  }
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  std::vector<mmsghdr> messages(static_cast<std::size_t>(streams));
  std::vector<iovec> parts(2 * messages.size());
  Nanoseconds when = now_ns();
  for (std::uint32_t tick = 0;; ++tick, when += kSecond / 1000) {
    const timespec until{when / kSecond, when % kSecond};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    auto& phase = phases[tick % kPhases];
    const std::uint16_t sequence = htons(static_cast<std::uint16_t>(tick / kPhases));
    const std::uint32_t timestamp = htonl(tick / kPhases * 160);
    for (std::size_t i = 0; i < phase.size(); ++i) {
      std::memcpy(phase[i].header + 2, &sequence, sizeof sequence);
      std::memcpy(phase[i].header + 4, &timestamp, sizeof timestamp);
      parts[2 * i] = {phase[i].header, sizeof phase[i].header};
      parts[2 * i + 1] = {const_cast<char*>(payload), sizeof payload};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &parts[2 * i];
      messages[i].msg_hdr.msg_iovlen = 2;
      messages[i].msg_hdr.msg_name = &phase[i].to;
      messages[i].msg_hdr.msg_namelen = sizeof phase[i].to;
    }
    for (std::size_t sent = 0; sent < phase.size();) {
      const int count = sendmmsg(fd, &messages[sent], static_cast<unsigned>(phase.size() - sent), 0);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
  }
}

/// Time on a processor of all threads of a process, exact to the nanosecond.
Nanoseconds cpu_ns(pid_t pid) {
  Nanoseconds sum = 0;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    Nanoseconds on_cpu = 0;
    std::ifstream(task.path() / "schedstat") >> on_cpu;
    sum += on_cpu;
  }
  return sum;
}

long rss_kb(pid_t pid) {
  long size = 0;
  long resident = 0;
  std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> size >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/// A mediad of this build on core 0, with one music class of 4 s.
class MediadUnderTest {
 public:
  explicit MediadUnderTest(bool locked) : locked_(locked) {
    const auto& dir = directory_.path();
    callpark::test::write_tone_wav(dir / "music.wav", 440, 8000, 4);
    callpark::test::write_file(dir / "mediad.yaml",
                               "log_level: warning\n"
                               "sessions: {max: 9000}\n"
                               "control: {listen: \"unix:" +
                                   (dir / "mediad.sock").string() +
                                   "\"}\n"
                                   "rtp: {port_min: 32000, port_max: 65000, silent_remote_seconds: 0}\n"
                                   "music: {default: [" +
                                   (dir / "music.wav").string() + "]}\n");
    callpark::test::Subprocess::Options options;
    options.command = {"taskset",
                       "-c",
                       std::to_string(kSenderCore),
                       (callpark::test::program_directory() / "mediad").string(),
                       "--config",
                       (dir / "mediad.yaml").string()};
    options.output = dir / "mediad.log";
    process_ = callpark::test::Subprocess(options);
    callpark::test::require_until(
        callpark::test::kSoon,
        [&] {
          try {
            client_ = std::make_unique<MediadClient>(dir / "mediad.sock");
            return true;
          } catch (const std::runtime_error&) {
            return false;
          }
        },
        "mediad to listen");
    client_->get<callpark::media::HelloResult>(callpark::media::Hello{"bench"});
  }

  pid_t pid() const { return process_.pid(); }
  int streams() const { return streams_; }

  void open_up_to(int streams, Receiver& receiver) {
    for (; streams_ < streams; ++streams_) {
      const Endpoint remote = receiver.endpoint_of(streams_);
      callpark::media::SessionOpen open{.session = std::to_string(streams_)};
      open.remote = callpark::media::Endpoint{remote.address, remote.port};
      open.codec = callpark::media::Codec{};
      open.ssrc = static_cast<std::uint32_t>(streams_);
      open.play = callpark::media::Music{};
      const auto opened = client_->get<callpark::media::SessionOpenResult>(open);
      if (!locked_) continue;
      std::string packet(172, '\0');
      packet[0] = static_cast<char>(0x80);
      receiver.send_from(streams_, packet, {opened.address, opened.port});
    }
  }

 private:
  bool locked_;
  callpark::test::TempDir directory_{"media-bench"};
  callpark::test::Subprocess process_;
  std::unique_ptr<MediadClient> client_;
  int streams_ = 0;
};

struct Measured {
  Receiver::Report report;
  double us_per_packet = 0;
};

Measured measure(Receiver& receiver, pid_t sender, int streams, double window_s) {
  const Nanoseconds before = cpu_ns(sender);
  const Nanoseconds began = now_ns();
  Measured measured{receiver.listen(streams, window_s), 0};
  const double lasted_s = static_cast<double>(now_ns() - began) / 1e9;
  measured.us_per_packet = static_cast<double>(cpu_ns(sender) - before) / 1e3 / (streams * 50 * lasted_s);
  return measured;
}

Measured measure_bare_loop(Receiver& receiver, int streams, double window_s) {
  const pid_t child = fork();
  if (child == 0) run_bare_loop(receiver, streams);
  usleep(200'000);
  const Measured measured = measure(receiver, child, streams, window_s);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return measured;
}

void print(const char* name, int streams, const Measured& measured) {
  std::printf("%6d streams  %-8s  gap p99 %6.2f ms  shortfall %7.4f %%  %5.2f us CPU a packet  %s\n", streams, name,
              measured.report.gap_p99_ms, 100 * measured.report.shortfall, measured.us_per_packet,
              measured.report.is_good() ? "good" : "too many");
  std::fflush(stdout);
}

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "0";
    if (name == "--locked") {
      arguments.locked = true;
      continue;
    }
    ++i;
    if (name == "--window") arguments.window_s = std::atof(value);
    if (name == "--first") arguments.first = std::atoi(value);
    if (name == "--step") arguments.step = std::max(1, std::atoi(value));
    if (name == "--last") arguments.last = std::atoi(value);
  }
  return arguments;
}

void print_memory(Receiver& receiver) {
  MediadUnderTest mediad(false);
  const long empty_kb = rss_kb(mediad.pid());
  constexpr int kSessions = 1000;
  mediad.open_up_to(kSessions, receiver);
  receiver.listen(kSessions, 1);
  const long full_kb = rss_kb(mediad.pid());
  std::printf("memory: %ld kB without sessions, %ld kB with %d: %.1f kB a session\n", empty_kb, full_kb, kSessions,
              static_cast<double>(full_kb - empty_kb) / kSessions);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  Receiver receiver(arguments.last + 1);
  print_memory(receiver);
  MediadUnderTest mediad(arguments.locked);
  pin_to(kReceiverCore);
  int bare_max = 0;
  int mediad_max = 0;
  bool bare_goes_on = true;
  bool mediad_goes_on = true;
  for (int streams = arguments.first; streams <= arguments.last && (bare_goes_on || mediad_goes_on);
       streams += arguments.step) {
    // The one that is not measured must not use the core: mediad is stopped, its backlog is given time to go.
    if (bare_goes_on) {
      kill(mediad.pid(), SIGSTOP);
      const Measured bare = measure_bare_loop(receiver, streams, arguments.window_s);
      kill(mediad.pid(), SIGCONT);
      print("sendmmsg", streams, bare);
      bare_goes_on = bare.report.is_good();
      if (bare_goes_on) bare_max = streams;
    }
    if (mediad_goes_on) {
      mediad.open_up_to(streams, receiver);
      usleep(500'000);
      const Measured measured = measure(receiver, mediad.pid(), streams, arguments.window_s);
      print("mediad", streams, measured);
      mediad_goes_on = measured.report.is_good();
      if (mediad_goes_on) mediad_max = streams;
    }
  }
  std::printf("streams on one core: mediad %d, bare sendmmsg loop %d, ratio %.2f\n", mediad_max, bare_max,
              bare_max == 0 ? 0.0 : static_cast<double>(mediad_max) / bare_max);
}
