// What a billing hook that hangs costs the calls of other tenants: park cycles of the demo tenant, which has no hook.
// They are measured in turns while the hook of a second tenant denies at once, and while it hangs. The second tenant
// asks to park as often in both: each of its calls once in 2 s, the longest that a question may last.
//
//   hanging_hook_bench [--turns N] [--seconds S] [--loops L] [--calls C]
//
// L loops of cycles; C calls of the second tenant, one question in flight for each while the hook hangs. The circuit
// breaker is off, since it would leave the hook alone. The servers share core 0; telephones and hook are on core 1.
#include <cstdlib>
#include <cstring>

#include "tests/bench/cycle_loops.h"
#include "tests/support/billing_hook_server.h"

namespace callpark::bench {
namespace {

constexpr const char* kTenant = "other.callpark";
constexpr auto kBetweenParks = std::chrono::seconds(2);

struct Arguments {
  int turns = 5;
  double seconds = 10;
  int loops = 2;
  int calls = 24;
};

/// Calls between the two extensions of the second tenant; one end asks to park each again and again, and is refused.
class RefusedParks {
 public:
  RefusedParks(const BenchSite& site, int calls)
      : sound_({site.phone_address(), 0}),
        parker_({.user = "101",
                 .domain = kTenant,
                 .password = "other-101",
                 .own = {site.phone_address(), 0},
                 .proxy = site.proxy()},
                [this](auto&, auto& call, const auto& message) { on_parker(call, message); }),
        callee_({.user = "102",
                 .domain = kTenant,
                 .password = "other-102",
                 .own = {site.phone_address(), 0},
                 .proxy = site.proxy()},
                [](auto&, auto&, const auto&) {}),
        calls_(static_cast<std::size_t>(calls)) {
    callee_.set_audio(sound_.own());
    parker_.register_phone();
    callee_.register_phone();
    for (int i = 0; i < calls; ++i) {
      parker_.invite("102", i, sound_.own());
      test::require_until(
          std::chrono::seconds(5),
          [&] {
            receive_all();
            return calls_[static_cast<std::size_t>(i)].call != nullptr;
          },
          "a call of the second tenant");
      // Evenly over time: all at once would be a burst of work in both kinds of turns.
      calls_[static_cast<std::size_t>(i)].next = Clock::now() + kBetweenParks * i / calls;
    }
  }

  /// Answers what has come, and sends what is due.
  void work() {
    receive_all();
    for (Asked& asked : calls_) {
      if (asked.is_waiting || Clock::now() < asked.next) continue;
      asked.is_waiting = true;
      asked.next = Clock::now() + kBetweenParks;
      parker_.request(*asked.call, "REFER", parker_.refer_to("*68"));
    }
  }
  /// How many have been refused since the last time, after how many ms at most; throws if one was permitted.
  [[nodiscard]] std::pair<int, Latencies> take_refused() {
    if (!failure_.empty()) throw std::runtime_error(failure_);
    return {std::exchange(refused_, 0), std::exchange(refused_after_, {})};
  }

 private:
  struct Asked {
    LoadPhone::Call* call = nullptr;
    bool is_waiting = false;
    Clock::time_point next;
  };

  void on_parker(LoadPhone::Call& call, const sip::SipMessage& message) {
    if (call.round < 0 || !message.is_response()) return;
    Asked& asked = calls_[static_cast<std::size_t>(call.round)];
    if (message.method() == "INVITE") {
      if (message.status() != 200) failure_ = "a call of the second tenant got " + std::to_string(message.status());
      asked.call = &call;
    } else if (message.method() == "REFER") {
      if (message.status() < 300) failure_ = "a park of the second tenant got " + std::to_string(message.status());
      asked.is_waiting = false;
      ++refused_;
      refused_after_.add(ms_since(asked.next - kBetweenParks));
    }
  }
  void receive_all() {
    parker_.receive_all();
    callee_.receive_all();
  }

  test::UdpSocket sound_;
  LoadPhone parker_;
  LoadPhone callee_;
  std::vector<Asked> calls_;
  std::string failure_;
  int refused_ = 0;
  Latencies refused_after_;
};

class HangingHookBench {
 public:
  explicit HangingHookBench(const Arguments& arguments)
      : arguments_(arguments),
        site_({.parkd_values = {{"parkd_billing_permitted_networks", "127.0.0.1"}}}),
        loops_(site_, arguments.loops) {
    site_.database().execute(
        "SET check_constraint_checks = 0; INSERT INTO billing_hook_secrets VALUES ('" + std::string(kTenant) +
        "', 1, '" + test::BillingHookServer::kSecret + "'); INSERT INTO billing_hooks SET tenant = '" + kTenant +
        "', url = '" + hook_.url() +
        "', breaker_failures_max = 0, budget_ms = 2000, first_attempt_ms = 2000, in_flight_max = 256");
    others_ = std::make_unique<RefusedParks>(site_, arguments.calls);
    set_hanging(false);
    run(1);
  }

  void measure() {
    for (int turn = 0; turn < arguments_.turns; ++turn) {
      // Which comes first changes, so that what grows over the run counts for both.
      for (const bool hangs : {turn % 2 != 0, turn % 2 == 0}) {
        set_hanging(hangs);
        // Until each call of the second tenant has a question of this kind.
        run(2.5);
        static_cast<void>(others_->take_refused());
        Results results = run(arguments_.seconds);
        auto [refused, after] = others_->take_refused();
        Kinds& kind = hangs ? hanging_ : denying_;
        kind.refused += refused;
        kind.refused_after.add_all(after);
        kind.completed += results.completed;
        kind.park.add_all(results.refer_to_parked);
        kind.retrieve.add_all(results.invite_to_answer);
        kind.both.add_all(results.park_and_retrieve);
        std::printf("turn %d, %s: %d cycles, park and retrieve p99 %.1f ms\n", turn + 1, hangs ? "hanging" : "denying",
                    results.completed, results.park_and_retrieve.percentile(0.99));
        std::fflush(stdout);
      }
    }
    denying_.print("beside a hook that denies at once");
    hanging_.print("beside a hook that hangs");
    std::printf("ratio, hanging to denying: park and retrieve p50 %.3f, p99 %.3f; park p99 %.3f, retrieve p99 %.3f\n",
                hanging_.both.percentile(0.5) / denying_.both.percentile(0.5),
                hanging_.both.percentile(0.99) / denying_.both.percentile(0.99),
                hanging_.park.percentile(0.99) / denying_.park.percentile(0.99),
                hanging_.retrieve.percentile(0.99) / denying_.retrieve.percentile(0.99));
  }

 private:
  struct Kinds {
    int completed = 0;
    int refused = 0;
    Latencies refused_after;
    Latencies park;
    Latencies retrieve;
    Latencies both;

    void print(const char* what) {
      std::printf("%s: %d cycles, %d parks of the second tenant refused\n", what, completed, refused);
      refused_after.print("the second tenant's REFER to its refusal");
      park.print("REFER to NOTIFY 200");
      retrieve.print("retriever's INVITE to 200");
      both.print("both of one cycle together");
    }
  };

  void set_hanging(bool hangs) { hangs ? hook_.hang() : hook_.answer(R"({"decision": "deny", "reason": "blocked"})"); }
  Results run(double seconds) {
    return loops_.run(Kind::kParkCycle, loops_.size(), seconds, [this] { others_->work(); });
  }

  const Arguments arguments_;
  BenchSite site_;
  test::BillingHookServer hook_;
  CycleLoops loops_;
  std::unique_ptr<RefusedParks> others_;
  Kinds denying_;
  Kinds hanging_;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--turns") == 0) arguments.turns = std::max(1, std::atoi(argv[i + 1]));
    if (std::strcmp(argv[i], "--seconds") == 0) arguments.seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--loops") == 0) arguments.loops = std::max(1, std::atoi(argv[i + 1]));
    if (std::strcmp(argv[i], "--calls") == 0) arguments.calls = std::max(1, std::atoi(argv[i + 1]));
  }
  return arguments;
}

}  // namespace
}  // namespace callpark::bench

int main(int argc, char** argv) {
  try {
    callpark::bench::HangingHookBench(callpark::bench::parse(argc, argv)).measure();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
