// How long parked callers hear nothing when mediad is killed: parkd's own media client with many sessions, a real
// mediad, and busy loops beside them that want every core.
//
//   mediad_restart_bench [--sessions N] [--busy N] [--classes N] [--rounds N]
//
// --classes: music classes of one minute beside the default one, of which no session plays any.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "parkd/media/media_client.h"
#include "tests/component/mediad_fixture.h"

namespace {

using namespace std::chrono_literals;
using callpark::Duration;
using callpark::EventLoop;
using callpark::MediaClient;
using Clock = std::chrono::system_clock;

struct Arguments {
  int sessions = 500;
  int busy = 2;
  int classes = 10;
  int rounds = 3;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const int value = std::max(0, std::atoi(argv[i + 1]));
    if (name == "--sessions") arguments.sessions = value;
    if (name == "--busy") arguments.busy = value;
    if (name == "--classes") arguments.classes = value;
    if (name == "--rounds") arguments.rounds = value;
  }
  return arguments;
}

class BusyLoops {
 public:
  explicit BusyLoops(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (std::atomic<std::uint64_t> turns = 0;;) ++turns;
      }
      children_.push_back(child);
    }
  }
  BusyLoops(const BusyLoops&) = delete;
  BusyLoops& operator=(const BusyLoops&) = delete;
  ~BusyLoops() {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }

 private:
  std::vector<pid_t> children_;
};

/// All parties at one socket; the SSRC separates their streams.
class Ears {
 public:
  Ears() : thread_([this] { run(); }) {}
  Ears(const Ears&) = delete;
  Ears& operator=(const Ears&) = delete;
  ~Ears() {
    stopping_ = true;
    thread_.join();
  }

  callpark::test::Endpoint own() const { return socket_.own(); }
  struct Stream {
    Clock::time_point before;
    Clock::time_point after;
  };
  /// What comes from now on is the sound after the gap.
  void begin_round() {
    const std::lock_guard lock(mutex_);
    killed_ = Clock::time_point::max();
    streams_.clear();
  }
  void kill_is_at(Clock::time_point when) {
    const std::lock_guard lock(mutex_);
    killed_ = when;
  }
  std::size_t heard() const {
    const std::lock_guard lock(mutex_);
    return streams_.size();
  }
  std::size_t heard_again() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        streams_.begin(), streams_.end(), [](const auto& entry) { return entry.second.after != Clock::time_point(); }));
  }
  std::vector<double> gaps_ms() const {
    const std::lock_guard lock(mutex_);
    std::vector<double> gaps;
    for (const auto& [ssrc, stream] : streams_) {
      gaps.push_back(std::chrono::duration<double, std::milli>(stream.after - stream.before).count());
    }
    std::sort(gaps.begin(), gaps.end());
    return gaps;
  }

 private:
  void run() {
    const int bytes = 64 << 20;
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    while (!stopping_) {
      const auto datagram = socket_.receive(100ms);
      if (!datagram || datagram->bytes.size() < 12) continue;
      std::uint32_t ssrc = 0;
      std::memcpy(&ssrc, datagram->bytes.data() + 8, sizeof ssrc);
      const std::lock_guard lock(mutex_);
      Stream& stream = streams_[ssrc];
      if (datagram->arrived <= killed_) {
        stream.before = datagram->arrived;
      } else if (stream.after == Clock::time_point()) {
        stream.after = datagram->arrived;
      }
    }
  }

  callpark::test::LoopbackAddress address_;
  callpark::test::UdpSocket socket_{{address_.text(), 0}};
  mutable std::mutex mutex_;
  std::map<std::uint32_t, Stream> streams_;
  Clock::time_point killed_ = Clock::time_point::max();
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

class Bench {
 public:
  explicit Bench(const Arguments& arguments) : arguments_(arguments) {
    const auto& dir = directory_.path();
    std::filesystem::create_directories(dir / "moh");
    for (int i = 0; i < 5; ++i) {
      callpark::test::write_tone_wav(dir / "moh" / (std::to_string(i) + ".wav"), 400 + 50 * i, 8000, 240);
    }
    for (int i = 0; i < arguments.classes; ++i) {
      const auto folder = dir / "classes" / ("class" + std::to_string(i));
      std::filesystem::create_directories(folder);
      callpark::test::write_tone_wav(folder / "music.wav", 500, 44100, 60);
    }
    std::filesystem::create_directories(dir / "classes");
    callpark::test::write_file(dir / "mediad.yaml",
                               "log_level: info\ncontrol: {listen: \"unix:" + (dir / "mediad.sock").string() +
                                   "\"}\nrtp: {port_min: 33000, port_max: 64999}\nmusic: {default: [" +
                                   (dir / "moh").string() + "], classes_dir: " + (dir / "classes").string() + "}\n");
    start_mediad();
    client_.start();
  }

  void run() {
    run_until([this] { return client_.is_connected(); });
    const char* names[] = {"PCMU", "PCMA", "G722", "opus"};
    for (int i = 0; i < arguments_.sessions; ++i) {
      const std::string session = "call-" + std::to_string(i);
      const std::string codec = names[i % 4];
      client_.open(session, callpark::Music{"default"}, {}, [this, session, codec](const auto& opened) {
        if (!opened) throw std::runtime_error("mediad opens no session");
        const int payload_type = codec == "PCMU" ? 0 : codec == "PCMA" ? 8 : codec == "G722" ? 9 : 107;
        client_.connect(session, {{ears_.own().address, ears_.own().port},
                                  {codec, payload_type, codec == "opus" ? 48000 : 8000, 101},
                                  true});
      });
    }
    for (int round = 0; round < arguments_.rounds; ++round) {
      ears_.begin_round();
      run_until([this] { return ears_.heard() == static_cast<std::size_t>(arguments_.sessions); });
      const BusyLoops busy(arguments_.busy);
      run_for(500ms);
      kill_and_start();
    }
  }

 private:
  void start_mediad() {
    callpark::test::Subprocess::Options options;
    options.command = {(callpark::test::program_directory() / "mediad").string(), "--config",
                       (directory_.path() / "mediad.yaml").string()};
    options.output = directory_.path() / "mediad.log";
    mediad_ = callpark::test::Subprocess(options);
  }

  void kill_and_start() {
    mediad_.kill_now();
    const auto killed = Clock::now();
    ears_.kill_is_at(killed);
    run_until([this] { return !client_.is_connected(); });
    start_mediad();
    run_until([this] { return client_.is_connected(); });
    const auto greeted = Clock::now();
    run_until([this] { return ears_.heard_again() == static_cast<std::size_t>(arguments_.sessions); });
    const auto gaps = ears_.gaps_ms();
    std::printf(
        "%d sessions, %d busy loops, %d classes: greeted after %.0f ms, gap %.0f ms shortest, %.0f ms median, "
        "%.0f ms longest\n",
        arguments_.sessions, arguments_.busy, arguments_.classes,
        std::chrono::duration<double, std::milli>(greeted - killed).count(), gaps.front(), gaps[gaps.size() / 2],
        gaps.back());
    std::fflush(stdout);
  }

  void run_until(const std::function<bool()>& is_so) {
    const auto deadline = Clock::now() + 60s;
    while (!is_so()) {
      if (Clock::now() > deadline) throw std::runtime_error("a wait has lasted longer than a minute");
      run_for(2ms);
    }
  }
  void run_for(Duration duration) {
    const auto timer = loop_.after(duration, [this] { loop_.stop(); });
    loop_.run();
  }

  Arguments arguments_;
  callpark::test::TempDir directory_{"mediad-restart"};
  callpark::test::Subprocess mediad_;
  Ears ears_;
  EventLoop loop_;
  MediaClient client_{loop_,
                      {*callpark::SocketAddress::parse("unix:" + (directory_.path() / "mediad.sock").string()),
                       Duration(200), Duration(1000), "bench"}};
};

}  // namespace

int main(int argc, char** argv) {
  callpark::set_log_level(callpark::LogLevel::kError);
  Bench bench(parse(argc, argv));
  bench.run();
  return 0;
}
