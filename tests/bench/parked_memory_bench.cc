// What a parked call uses of each server's memory, and of a core while its music plays: calls from the trunk are
// parked at orbits of their own and stay there.
//
//   parked_memory_bench [CALLS...]      by default 1000 2000
//
// Steps of one size separate two things. What the first needs at once holds its transactions too, which live up to
// 32 s longer than what they were for (RFC 3261 timer J); the second finds room where those were, and grows by what
// parked calls keep. What is needed once, such as the music, is there with the first call, before the first step.
#include <cstdlib>
#include <set>
#include <thread>

#include "tests/bench/bench_site.h"
#include "tests/bench/load_phone.h"

namespace callpark::bench {
namespace {

constexpr int kFirstOrbit = 10000;
constexpr const char* kParker = "2000";
constexpr int kAtATime = 4;
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kTransactionsAreOver = std::chrono::seconds(40);

class MemoryBench {
 public:
  explicit MemoryBench(int calls_max) {
    site_.add_extensions(std::stoi(kParker), 1);
    site_.add_extensions(kFirstOrbit, calls_max);
    parker_.set_audio({site_.phone_address(), 40000});
    parker_.register_phone();
    report("nothing parked");
    grow_to(1);
    report("one call");
  }

  void step_to(int calls) {
    if (calls <= parked_) return;
    const ByServer pss_before_kb = site_.pss_kb();
    const int parked_before = parked_;
    grow_to(calls);
    report("a step");
    print_row("  PSS for each call of the step", (site_.pss_kb() - pss_before_kb) / (parked_ - parked_before), "kB");
    std::this_thread::sleep_for(kTransactionsAreOver);
    report("40 s later");
  }

 private:
  void grow_to(int calls) {
    wanted_ = calls;
    while (begun_ < wanted_ && begun_ - parked_ < kAtATime) begin_next();
    std::vector<pollfd> waiting = {{trunk_.fd(), POLLIN, 0}, {parker_.fd(), POLLIN, 0}};
    last_parked_ = Clock::now();
    while (parked_ < wanted_) {
      poll(waiting.data(), waiting.size(), 100);
      trunk_.receive_all();
      parker_.receive_all();
      if (Clock::now() - last_parked_ > kPatience || !trouble_.empty()) {
        throw std::runtime_error("no further than " + std::to_string(parked_) + " calls: " + trouble_ + "\nlogs in " +
                                 site_.keep_logs());
      }
    }
  }

  void begin_next() {
    const int index = begun_++;
    trunk_.invite(std::string("+44203") + kParker, index, sound_.own());
  }

  void parker(LoadPhone::Call& call, const sip::SipMessage& message) {
    const auto method = message.method();
    if (message.status() >= 300) trouble_ += std::string(method) + " " + std::to_string(message.status()) + " ";
    if (method == "ACK") {
      parker_.request(call, "REFER", parker_.refer_to("*68" + std::to_string(kFirstOrbit + orbits_++)));
    } else if (method == "NOTIFY" && message.body().starts_with("SIP/2.0 200")) {
      parker_.request(call, "BYE");
    } else if (method == "NOTIFY" && !message.body().starts_with("SIP/2.0 100")) {
      trouble_ += std::string(message.body());
    } else if (method == "BYE") {
      ++parked_;
      last_parked_ = Clock::now();
      if (begun_ < wanted_) begin_next();
    }
  }

  /// How many calls have music: each comes from a port of its own.
  std::size_t with_music() {
    std::set<std::uint16_t> ports;
    const auto began = Clock::now();
    while (Clock::now() - began < std::chrono::seconds(2)) {
      if (const auto packet = sound_.receive(std::chrono::milliseconds(10))) ports.insert(packet->from.port);
    }
    return ports.size();
  }

  void report(const char* what) {
    const ByServer cpu_before = site_.cpu_ms();
    const auto began = Clock::now();
    const std::size_t music = with_music();
    const double took_s = std::chrono::duration<double>(Clock::now() - began).count();
    const ByServer cpu = (site_.cpu_ms() - cpu_before) / took_s;
    std::printf("%s: %d calls parked (%s in the database, %zu with music)\n", what, parked_,
                site_.database().value("SELECT COUNT(*) FROM parked_calls WHERE state = 'parked'").c_str(), music);
    print_row("  CPU a second", cpu, "ms");
    print_row("  PSS", site_.pss_kb(), "kB");
  }

  BenchSite site_;
  test::UdpSocket sound_{{site_.trunk_address(), 0}};
  LoadPhone trunk_{{.user = "+442079460000",
                    .domain = site_.trunk_address(),
                    .password = "",
                    .own = {site_.trunk_address(), 0},
                    .proxy = site_.proxy()},
                   [this](auto&, auto&, const auto& message) {
                     if (message.status() >= 300) trouble_ += "INVITE " + std::to_string(message.status());
                   }};
  LoadPhone parker_{{.user = kParker, .password = kParker, .own = {site_.phone_address(), 0}, .proxy = site_.proxy()},
                    [this](auto&, auto& call, const auto& message) { parker(call, message); }};
  int wanted_ = 0;
  int begun_ = 0;
  int orbits_ = 0;
  int parked_ = 0;
  std::string trouble_;
  Clock::time_point last_parked_;
};

void run(const std::vector<int>& levels) {
  MemoryBench bench(std::max(1, *std::max_element(levels.begin(), levels.end())));
  for (const int level : levels) bench.step_to(level);
}

}  // namespace
}  // namespace callpark::bench

int main(int argc, char** argv) {
  std::vector<int> levels;
  for (int i = 1; i < argc; ++i) levels.push_back(std::atoi(argv[i]));
  try {
    callpark::bench::run(levels.empty() ? std::vector<int>{1000, 2000} : levels);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
