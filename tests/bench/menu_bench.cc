// What callers in a menu use of each server, beside as many parked ones that hear music: both in one run, each kind on
// servers of its own, so that neither finds memory that the other has touched. The servers are on core 0; the callers,
// on core 1, count the RTP that comes.
//
//   menu_bench [CALLERS [SECONDS]]      by default 500 10
//
// Each is measured twice: with callers that send no RTP, and with callers that send as a phone does, since mediad looks
// for keys in what comes.
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "tests/bench/bench_site.h"
#include "tests/bench/load_phone.h"
#include "tests/support/tone.h"

namespace callpark::bench {
namespace {

constexpr const char* kMenu = "900";
constexpr const char* kParker = "2000";
constexpr int kFirstOrbit = 10000;
constexpr int kAtATime = 4;
constexpr int kGreetingSeconds = 60;
constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kPacketTime = std::chrono::milliseconds(20);

// What Kamailio and MariaDB do some seconds after a call has begun.
constexpr auto kSettled = std::chrono::seconds(10);

enum class Kind { kInMenu, kParked };

/// Streams by the port of mediad's that they come from.
class Streams {
 public:
  void receive_all(const test::UdpSocket& socket) {
    sockaddr_in from{};
    char bytes[2048];
    const auto next = [&] {
      socklen_t size = sizeof from;
      return recvfrom(socket.fd(), bytes, sizeof bytes, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
    };
    while (next() > 0) {
      Stream& stream = streams_[ntohs(from.sin_port)];
      const auto now = Clock::now();
      if (stream.packets == 0) stream.first = now;
      if (stream.packets > 0) {
        gaps_ms_.push_back(std::chrono::duration<float, std::milli>(now - stream.last).count());
      }
      stream.last = now;
      ++stream.packets;
    }
  }
  /// Packets that came, and those that should have come between the first and the last of each stream.
  void print(int callers) {
    std::int64_t came = 0;
    double expected = 0;
    int heard = 0;
    for (const Stream& stream : streams_) {
      if (stream.packets == 0) continue;
      ++heard;
      came += stream.packets;
      expected += std::chrono::duration<double>(stream.last - stream.first) / kPacketTime + 1;
    }
    std::ranges::sort(gaps_ms_);
    const float p99 = gaps_ms_.empty() ? 0 : gaps_ms_[gaps_ms_.size() * 99 / 100];
    const float max = gaps_ms_.empty() ? 0 : gaps_ms_.back();
    std::printf("  RTP: %d of %d callers, %lld packets of %.0f, gap p99 %.1f ms, max %.1f ms\n", heard, callers,
                static_cast<long long>(came), expected, static_cast<double>(p99), static_cast<double>(max));
  }

 private:
  struct Stream {
    std::int64_t packets = 0;
    Clock::time_point first;
    Clock::time_point last;
  };
  std::vector<Stream> streams_ = std::vector<Stream>(65536);
  std::vector<float> gaps_ms_;
};

struct Figures {
  ByServer cpu_silent;   // ms a second
  ByServer cpu_sending;  // the same
  ByServer cpu_of_call;  // ms for each call, from its INVITE until it hears the greeting or the music
  ByServer pss_kb;       // of each call
};

class CallersBench {
 public:
  CallersBench(Kind kind, int callers) : kind_(kind), callers_(callers) {
    test::write_tone_wav(test::program_directory() / "prompts" / "en" / "bench_greeting.wav", 465, 16000,
                         kGreetingSeconds);
    site_.add_extensions(std::stoi(kParker), 1);
    site_.add_extensions(kFirstOrbit, callers);
    site_.database().execute(
        std::string("INSERT INTO ivr_menus (tenant, name, number, greeting_sound, first_key_seconds, tries) VALUES "
                    "('demo.callpark', 'bench', '") +
        kMenu + "', 'bench_greeting', 60, 9); INSERT INTO dids (did, tenant, destination) VALUES ('+44203" + kMenu +
        "', 'demo.callpark', '" + kMenu + "')");
    site_.kamailio().wait_edits_read(site_.database());
    const int bytes = 8 << 20;
    setsockopt(sound_.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    parker_.set_audio({site_.phone_address(), 40000});
    parker_.register_phone();
  }

  Figures measure(double seconds) {
    // What is needed once, such as the encoded sound, is there with the first call.
    grow_to(1);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const ByServer pss_before = site_.pss_kb();
    const ByServer cpu_before = site_.cpu_ms();
    grow_to(callers_);
    Figures figures;
    figures.cpu_of_call = (site_.cpu_ms() - cpu_before) / (callers_ - 1);
    figures.pss_kb = (site_.pss_kb() - pss_before) / (callers_ - 1);
    std::printf("%d callers, in the database %s in menus and %s parked\n", callers_, rows("menu_calls").c_str(),
                rows("parked_calls").c_str());
    std::this_thread::sleep_for(kSettled);
    figures.cpu_silent = listen("silent callers", seconds, false);
    figures.cpu_sending = listen("callers that send", seconds, true);
    return figures;
  }

 private:
  [[nodiscard]] std::string rows(const std::string& table) {
    return site_.database().value("SELECT COUNT(*) FROM " + table);
  }

  void grow_to(int calls) {
    wanted_ = calls;
    while (begun_ < wanted_ && begun_ - there_ < kAtATime) begin_next();
    std::vector<pollfd> waiting = {{trunk_.fd(), POLLIN, 0}, {parker_.fd(), POLLIN, 0}};
    last_came_ = Clock::now();
    while (there_ < wanted_) {
      poll(waiting.data(), waiting.size(), 100);
      trunk_.receive_all();
      parker_.receive_all();
      if (Clock::now() - last_came_ > kPatience || !trouble_.empty()) {
        throw std::runtime_error("no further than " + std::to_string(there_) + " calls: " + trouble_ + "\nlogs in " +
                                 site_.keep_logs());
      }
    }
  }
  void begin_next() {
    const int index = begun_++;
    trunk_.invite(std::string("+44203") + (kind_ == Kind::kInMenu ? kMenu : kParker), index, sound_.own());
  }
  void one_more() {
    ++there_;
    last_came_ = Clock::now();
    if (begun_ < wanted_) begin_next();
  }

  void trunk(LoadPhone::Call& call, const sip::SipMessage& message) {
    if (message.status() >= 300) trouble_ += "INVITE " + std::to_string(message.status()) + " ";
    // A park's re-INVITE moves the call to mediad.
    if (message.method() != "INVITE" || (message.status() != 0 && message.status() != 200)) return;
    audio_[call.id] = call.audio;
    if (kind_ == Kind::kInMenu && message.status() == 200) one_more();
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
      one_more();
    }
  }

  /// What the servers use of a core meanwhile, in ms a second.
  ByServer listen(const char* what, double seconds, bool sends) {
    Streams warm_up;
    run_for(1, sends, warm_up);
    Streams streams;
    const ByServer before = site_.cpu_ms();
    const auto began = Clock::now();
    run_for(seconds, sends, streams);
    const double took_s = std::chrono::duration<double>(Clock::now() - began).count();
    const ByServer cpu = (site_.cpu_ms() - before) / took_s;
    std::printf("  %s\n", what);
    streams.print(callers_);
    print_row("  CPU a second", cpu, "ms");
    return cpu;
  }
  void run_for(double seconds, bool sends, Streams& streams) {
    std::string packet(12 + 160, '\xff');
    const std::string header("\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x10\x01", 12);
    packet.replace(0, header.size(), header);
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    auto due = Clock::now();
    pollfd waiting{sound_.fd(), POLLIN, 0};
    while (Clock::now() < end) {
      poll(&waiting, 1, 2);
      streams.receive_all(sound_);
      trunk_.receive_all();
      parker_.receive_all();
      if (!sends || Clock::now() < due) continue;
      due += kPacketTime;
      packet[2] = static_cast<char>(++sent_ >> 8);
      packet[3] = static_cast<char>(sent_);
      const std::uint32_t timestamp = htonl(sent_ * 160);
      std::copy_n(reinterpret_cast<const char*>(&timestamp), sizeof timestamp, packet.begin() + 4);
      for (const auto& [id, audio] : audio_) sound_.send(packet, audio);
    }
  }

  const Kind kind_;
  const int callers_;
  BenchSite site_;
  test::UdpSocket sound_ = test::UdpSocket({site_.trunk_address(), 0});
  LoadPhone trunk_{{.user = "+442079460000",
                    .domain = site_.trunk_address(),
                    .password = "",
                    .own = {site_.trunk_address(), 0},
                    .proxy = site_.proxy()},
                   [this](auto&, auto& call, const auto& message) { trunk(call, message); }};
  LoadPhone parker_{{.user = kParker, .password = kParker, .own = {site_.phone_address(), 0}, .proxy = site_.proxy()},
                    [this](auto&, auto& call, const auto& message) { parker(call, message); }};
  std::unordered_map<std::string, test::Endpoint> audio_;
  std::uint32_t sent_ = 0;
  int wanted_ = 0;
  int begun_ = 0;
  int orbits_ = 0;
  int there_ = 0;
  std::string trouble_;
  Clock::time_point last_came_;
};

/// A row of the table of docs/benchmarks.md.
void print_line(const std::string& what, const ByServer& menu, const ByServer& parked, int digits) {
  std::printf("| %s |", what.c_str());
  for (const ByServer* one : {&menu, &parked}) {
    // Kamailio, parkd and mediad; MariaDB's part is in the sum.
    for (std::size_t i = 0; i < 3; ++i) std::printf(" %.*f |", digits, one->of[i]);
    std::printf(" %.*f |", digits, one->sum());
  }
  std::printf("\n");
}

void run(int callers, double seconds) {
  const auto of = [&](Kind kind) {
    CallersBench bench(kind, callers);
    return bench.measure(seconds);
  };
  const Figures menu = of(Kind::kInMenu);
  const Figures parked = of(Kind::kParked);
  std::printf(
      "\n| %d callers | menu: Kamailio | parkd | mediad | all | parked: Kamailio | parkd | mediad | all |\n"
      "|---|---|---|---|---|---|---|---|---|\n",
      callers);
  print_line("CPU in ms a second, silent callers", menu.cpu_silent, parked.cpu_silent, 1);
  print_line("CPU in ms a second, callers that send", menu.cpu_sending, parked.cpu_sending, 1);
  print_line("CPU in ms for each call until it hears something", menu.cpu_of_call, parked.cpu_of_call, 2);
  print_line("kB for each call", menu.pss_kb, parked.pss_kb, 1);
}

}  // namespace
}  // namespace callpark::bench

int main(int argc, char** argv) {
  const int callers = argc > 1 ? std::atoi(argv[1]) : 500;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 10;
  try {
    callpark::bench::run(std::max(2, callers), std::max(1.0, seconds));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
