// Floods against one tenant's extension, an address, or the machine, while an office of another tenant works: its
// phones register, call, park and retrieve, each nearly as fast as beside nothing, and the memory ends where it began.
//
// The servers share core 0, the flood and all phones are on core 1.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "tests/bench/bench_site.h"
#include "tests/bench/floods.h"
#include "tests/bench/load_phone.h"

namespace callpark::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Of the office: at most 5 a second, so that its three phones register less often than 120 times a minute each.
constexpr milliseconds kBetweenCycles{200};
// RFC 3261 17.1.1.2: 64 times T1.
constexpr seconds kGivesUpAfter{32};
// NOTIFYs are given up after 32 s, and Kamailio forgets a transaction 5 s later, an unproven connection after 20 s, a
// subscription of 30 s some 30 s after its end, and counts of a minute after 60 s and a round of its timer.
constexpr seconds kLifetimes{120};
// Beside a flood the kernel gives each of the servers' busy processes its turn, some 3 ms each: 4 workers of Kamailio's
// and MariaDB's thread are 15 ms, and an operation of parkd's waits for such a round more than once. A lost datagram
// costs 500 ms.
constexpr double kTurnsMs = 60;
// What the allocators keep: a flood that left ten bytes of each of its messages would need more.
constexpr double kMoreKb = 1024;
// Kamailio keeps a transaction for 5 s after its end.
constexpr seconds kWhileItFalls{6};

/// CALLPARK_FLOOD_CYCLES, or 120.
int cycles_wanted() {
  const char* text = std::getenv("CALLPARK_FLOOD_CYCLES");
  return text == nullptr ? 120 : std::max(10, std::atoi(text));
}

// ----- the office of the other tenant

/// How long each operation lasted, in ms.
using Times = std::map<std::string, std::vector<double>>;

double percentile(std::vector<double> ms, double share) {
  if (ms.empty()) return -1;
  std::sort(ms.begin(), ms.end());
  return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
}

/// A phone of it, and what has come to the phone since its last request.
class Party {
 public:
  Party(const LoadPhone::Options& options, const test::Endpoint& sound)
      : phone(options, [this](auto&, auto& its_call, const auto& message) { hear(its_call, message); }) {
    phone.set_audio(sound);
    phone.register_phone();
  }

  void send(const std::string& method, const std::string& headers = "") {
    expect(method);
    phone.request(*call, method, headers);
  }
  void invite(const std::string& number, const test::Endpoint& sound) {
    expect("INVITE");
    call = &phone.invite(number, 0, sound);
  }
  void expect(const std::string& method) {
    awaited_ = method;
    status = 0;
  }
  void forget() {
    if (call != nullptr) phone.forget(call->id);
    call = nullptr;
    is_established = is_over = false;
    report.clear();
  }

  LoadPhone phone;
  LoadPhone::Call* call = nullptr;
  int status = 0;
  bool is_established = false;
  bool is_over = false;
  /// Of the last NOTIFY with a final result.
  std::string report;

 private:
  void hear(LoadPhone::Call& its_call, const sip::SipMessage& message) {
    const auto method = message.method();
    if (message.is_response()) {
      if (method == awaited_) status = message.status();
      return;
    }
    call = &its_call;
    if (method == "ACK") is_established = true;
    if (method == "BYE") is_over = true;
    if (method == "NOTIFY" && !message.body().starts_with("SIP/2.0 1")) report = message.body();
  }

  std::string awaited_;
};

class Office {
 public:
  explicit Office(BenchSite& site) : site_(site) {}

  /// Cycles, one at a time. A failed operation is a failure of the test.
  Times work(int cycles) {
    Times times;
    for (int i = 0, failed = 0; i < cycles && failed < 5; ++i) {
      const auto next = Clock::now() + kBetweenCycles;
      try {
        cycle(i, times);
      } catch (const std::exception& error) {
        ADD_FAILURE() << "cycle " << i << ": " << error.what();
        ++failed;
      }
      for (Party* party : all_) party->forget();
      while (Clock::now() < next) receive();
    }
    return times;
  }
  [[nodiscard]] int repeated() const { return repeated_; }

 private:
  LoadPhone::Options options(const std::string& number) {
    return {.user = number,
            .domain = "other.callpark",
            .password = "other-" + number,
            .own = {address_.text(), 0},
            .proxy = site_.proxy()};
  }

  void cycle(int number, Times& times) {
    const auto begins = Clock::now();
    all_[static_cast<std::size_t>(number) % all_.size()]->phone.register_phone();
    times["REGISTER to 200"].push_back(ms_since(begins));

    caller_.invite("101", caller_sound_.own());
    times["INVITE to 200"].push_back(wait(caller_, "the call", [&] { return caller_.status == 200; }));
    caller_.expect("ACK");
    wait(caller_, "the call's ACK", [&] { return parker_.is_established; });

    // Orbits alternate: the one before is free a little later than its caller is retrieved.
    const std::string orbit = number % 2 == 0 ? "101" : "103";
    parker_.send("REFER", parker_.phone.refer_to("*68" + orbit));
    times["REFER to NOTIFY 200"].push_back(wait(parker_, "the park", [&] { return !parker_.report.empty(); }));
    if (!parker_.report.starts_with("SIP/2.0 200")) throw std::runtime_error("the park: " + parker_.report);
    parker_.send("BYE");
    wait(parker_, "the parker's BYE", [&] { return parker_.status != 0; });

    retriever_.invite("*88" + orbit, retriever_sound_.own());
    times["retrieve to 200"].push_back(wait(retriever_, "the retrieve", [&] { return retriever_.status == 200; }));
    caller_.expect("");
    wait(caller_, "the re-INVITE", [&] { return caller_.call->audio == retriever_sound_.own(); });
    caller_.send("BYE");
    wait(caller_, "the caller's BYE", [&] { return caller_.status != 0; });
    retriever_.expect("");
    wait(retriever_, "the BYE", [&] { return retriever_.is_over; });
  }

  /// Repeats the last request of `party` as RFC 3261 17.1.2.2 has it. In ms.
  double wait(Party& party, const std::string& what, const std::function<bool()>& fact) {
    const auto begins = Clock::now();
    milliseconds repeat_after{500};
    auto repeat_at = begins + repeat_after;
    while (!fact()) {
      if (party.status >= 300) throw std::runtime_error(what + ": " + std::to_string(party.status));
      if (Clock::now() - begins > kGivesUpAfter) throw std::runtime_error(what + " does not come");
      if (Clock::now() > repeat_at && party.status == 0) {
        party.phone.repeat(*party.call);
        repeat_after *= 2;
        repeat_at += repeat_after;
        ++repeated_;
      }
      receive();
    }
    return ms_since(begins);
  }

  void receive() {
    std::vector<pollfd> waiting;
    for (const Party* party : all_) waiting.push_back({party->phone.fd(), POLLIN, 0});
    poll(waiting.data(), waiting.size(), 5);
    for (Party* party : all_) party->phone.receive_all();
  }

  BenchSite& site_;
  test::LoopbackAddress address_;
  test::UdpSocket caller_sound_{{address_.text(), 0}};
  test::UdpSocket parker_sound_{{address_.text(), 0}};
  test::UdpSocket retriever_sound_{{address_.text(), 0}};
  Party parker_{options("101"), parker_sound_.own()};
  Party caller_{options("102"), caller_sound_.own()};
  Party retriever_{options("103"), retriever_sound_.own()};
  const std::array<Party*, 3> all_{&parker_, &caller_, &retriever_};
  int repeated_ = 0;
};

// ----- the proof

class Floods : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    site_ = std::make_unique<BenchSite>(BenchSite::Options{.has_flood_control = true, .shared_memory_mb = 256});
    site_->database().execute(
        "INSERT INTO extensions (tenant, extension, password) VALUES ('other.callpark', '103', 'other-103')");
    site_->kamailio().wait_edits_read(site_->database());
    office_ = std::make_unique<Office>(*site_);
    office_->work(cycles_wanted());
  }
  static void TearDownTestSuite() {
    office_.reset();
    site_.reset();
  }
  void TearDown() override {
    if (HasFailure()) std::cout << "logs in " << site_->keep_logs() << "\n";
  }

  using Amounts = std::map<std::string, double>;
  static nlohmann::json rpc(const std::string& method, const std::string& params = "[]") {
    return nlohmann::json::parse(site_->kamailio().rpc(method, params)).at("result");
  }
  /// In kB.
  static Amounts memory() {
    const ByServer kb = site_->pss_kb();
    return {{"kamailio shared", rpc("core.shmmem").at("real_used").get<double>() / 1024},
            {"parkd", kb.of[1]},
            {"mediad", kb.of[2]}};
  }
  /// What Kamailio has refused and dropped so far, and what the kernel has dropped before it.
  static Amounts refused() {
    Amounts result;
    for (const auto& line : rpc("stats.get_statistics", R"(["script:"])")) {
      const auto text = line.get<std::string>();
      result[text.substr(7, text.find(" =") - 7)] = std::stod(text.substr(text.find('=') + 1));
    }
    char socket[32];
    std::snprintf(socket, sizeof socket, ":%04X 00000000:0000 ", site_->proxy().port);
    std::ifstream sockets("/proc/net/udp");
    for (std::string line; std::getline(sockets, line);) {
      if (line.find(socket) == std::string::npos) continue;
      line.erase(line.find_last_not_of(' ') + 1);
      result["datagrams that found the socket's buffer full"] += std::stod(line.substr(line.rfind(' ')));
    }
    return result;
  }
  /// When nothing of the calls is left.
  static Amounts settled_memory() {
    test::require_until(
        seconds(60),
        [] {
          return site_->database().value(
                     "SELECT (SELECT COUNT(*) FROM dialog) + (SELECT COUNT(*) FROM parked_calls)") == "0";
        },
        "all rows of calls to go");
    Amounts now = memory();
    for (bool falls = true; falls;) {
      test::pass(kWhileItFalls);
      const Amounts before = std::exchange(now, memory());
      falls = now["kamailio shared"] < before.at("kamailio shared") - kMoreKb / 10;
    }
    return now;
  }
  static bool is_back(const Amounts& before) {
    const Amounts now = memory();
    return std::ranges::all_of(now, [&](const auto& one) { return one.second <= before.at(one.first) + kMoreKb; });
  }

  static void prove(const char* what, const std::function<std::unique_ptr<Flood>()>& begin) {
    const Amounts memory_before = settled_memory();
    const int repeated_before = office_->repeated();
    Times quiet = office_->work(cycles_wanted());
    const int repeated_when_quiet = office_->repeated();
    const Amounts refused_before = refused();
    const ByServer cpu_before = site_->cpu_ms();
    const auto began = Clock::now();
    auto flood = begin();
    Times flooded = office_->work(cycles_wanted());
    const ByServer cpu_percent = (site_->cpu_ms() - cpu_before) / (ms_since(began) / 100);
    std::cout << what << ": " << flood->account() << "\n";
    const Amounts memory_at_its_end = memory();
    flood.reset();

    for (const auto& [operation, quiet_ms] : quiet) {
      const double p99 = percentile(quiet_ms, 0.99);
      const double flooded_p99 = percentile(flooded[operation], 0.99);
      std::printf("  %-20s quiet p50 %6.1f p99 %6.1f   flood p50 %6.1f p99 %6.1f ms (%zu, %zu)\n", operation.c_str(),
                  percentile(quiet_ms, 0.5), p99, percentile(flooded[operation], 0.5), flooded_p99, quiet_ms.size(),
                  flooded[operation].size());
      EXPECT_LE(flooded_p99, std::max(2 * p99, p99 + kTurnsMs)) << operation;
      EXPECT_EQ(flooded[operation].size(), static_cast<std::size_t>(cycles_wanted())) << operation;
    }
    std::printf("  requests repeated: quiet %d, flood %d\n", repeated_when_quiet - repeated_before,
                office_->repeated() - repeated_when_quiet);
    print_row("  % of a core", cpu_percent, "%");
    for (const auto& [name, count] : refused()) {
      const auto before = refused_before.find(name);
      const double more = count - (before == refused_before.end() ? 0 : before->second);
      if (more > 0) std::printf("  %s: %.0f\n", name.c_str(), more);
    }
    std::fflush(stdout);
    EXPECT_TRUE(test::wait_until(kLifetimes, [&] { return is_back(memory_before); }));
    for (const auto& [name, after] : memory()) {
      std::printf("  %-16s before %8.0f, at its end %8.0f, afterwards %8.0f kB\n", name.c_str(), memory_before.at(name),
                  memory_at_its_end.at(name), after);
    }
    std::fflush(stdout);
  }

  static std::string registration(const std::string& from, long number) {
    const std::string id = std::to_string(number);
    return "REGISTER sip:demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + from + ":5060;branch=z9hG4bKflood" + id +
           "\r\nMax-Forwards: 70\r\nFrom: <sip:104@demo.callpark>;tag=" + id +
           "\r\nTo: <sip:104@demo.callpark>\r\nCall-ID: flood" + id + "@" + from +
           "\r\nCSeq: 1 REGISTER\r\nContact: <sip:104@" + from + ">\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n";
  }
  static std::unique_ptr<Flood> registrations_from(const std::string& address) {
    return std::make_unique<DatagramFlood>(address, site_->proxy(), 5000,
                                           [address](long number) { return registration(address, number); });
  }

  static std::unique_ptr<BenchSite> site_;
  static std::unique_ptr<Office> office_;
};

std::unique_ptr<BenchSite> Floods::site_;
std::unique_ptr<Office> Floods::office_;

TEST_F(Floods, X30_SubscriptionsWithOnePasswordLeaveOtherTenantsServed) {
  prove("subscriptions", [] { return std::make_unique<SubscriptionFlood>(*site_); });
}

TEST_F(Floods, X32_IdleConnectionsLeaveOtherTenantsServed) {
  prove("idle connections", [] { return std::make_unique<ConnectionFlood>(site_->proxy()); });
}

TEST_F(Floods, X40_RegistersOfAnUnknownAddressLeaveOtherTenantsServed) {
  const test::LoopbackAddress stranger;
  prove("REGISTERs of an unknown address", [&] { return registrations_from(stranger.text()); });
}

TEST_F(Floods, X40_RegistersOfAPhonesAddressLeaveOtherTenantsServed) {
  LoadPhone phone({.user = "104", .password = "demo-104", .own = {site_->phone_address(), 0}, .proxy = site_->proxy()},
                  [](auto&, auto&, const auto&) {});
  phone.register_phone();
  prove("REGISTERs of a phone's address", [&] { return registrations_from(site_->phone_address()); });
}

TEST_F(Floods, X38_UnparsableDatagramsLeaveOtherTenantsServed) {
  const test::LoopbackAddress stranger;
  prove("unparsable datagrams", [&] {
    return std::make_unique<DatagramFlood>(stranger.text(), site_->proxy(), 10000, [](long number) {
      return "\x1b[31mno request at all " + std::to_string(number) + "\nFORGED line\n" + std::string(900, 'x');
    });
  });
}

}  // namespace
}  // namespace callpark::bench
