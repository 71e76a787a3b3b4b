// What parking costs: full cycles (a call from the trunk, REFER to *68, music, retrieved from another phone by *88,
// hung up) through Kamailio, parkd, mediad and MariaDB, and beside them, in the same run, the same call without the
// park. The servers share core 0, all telephones are on core 1.
//
//   park_cycle_bench [--seconds S] [--loops N] [--parked P] [--extensions E]
//
// Each of N loops begins its next cycle when the one before has ended. CPU is the kernel's account of each server, all
// its processes together. With --parked or --extensions the cycles are measured in turns without and beside P calls
// that are parked in the same tenant (rows of another node) and E extensions in 200 other tenants.
#include <cstdlib>
#include <cstring>

#include "tests/bench/bench_site.h"
#include "tests/bench/load_phone.h"

namespace callpark::bench {
namespace {

constexpr int kFirstParker = 2000;
constexpr int kFirstRetriever = 3000;
constexpr auto kPatience = std::chrono::seconds(5);

struct Arguments {
  double seconds = 8;
  int loops = 8;
  int parked = 0;
  int extensions = 0;
};

constexpr int kTurns = 3;
constexpr int kOtherTenants = 200;

enum class Kind { kOrdinaryCall, kParkCycle };

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

class Latencies {
 public:
  void add(double ms) { ms_.push_back(ms); }
  void print(const char* what) {
    std::sort(ms_.begin(), ms_.end());
    if (ms_.empty()) return;
    std::printf("  %-44s p50 %6.1f  p99 %6.1f  max %6.1f ms\n", what, at(0.5), at(0.99), ms_.back());
  }

 private:
  [[nodiscard]] double at(double share) const {
    return ms_[static_cast<std::size_t>(share * static_cast<double>(ms_.size() - 1))];
  }
  std::vector<double> ms_;
};

struct Results {
  int completed = 0;
  Latencies refer_to_music;
  Latencies refer_to_parked;
  Latencies invite_to_answer;
  Latencies invite_to_both_ways;
};

/// One parker and one retriever that do the same again and again with callers from the trunk.
class CycleLoop {
 public:
  CycleLoop(const BenchSite& site, LoadPhone& trunk, int index)
      : trunk_(trunk),
        index_(index),
        parker_number_(std::to_string(kFirstParker + index)),
        retriever_number_(std::to_string(kFirstRetriever + index)),
        orbit_(parker_number_),
        next_orbit_(retriever_number_),
        caller_sound_({site.trunk_address(), 0}),
        talker_sound_({site.phone_address(), 0}),
        parker_(phone(site, parker_number_), [this](auto&, auto& call, const auto& message) { parker(call, message); }),
        retriever_(phone(site, retriever_number_),
                   [this](auto&, auto& call, const auto& message) { retriever(call, message); }) {
    parker_.set_audio(talker_sound_.own());
    parker_.register_phone();
    retriever_.register_phone();
  }

  void start(Kind kind, Results& results) {
    kind_ = kind;
    results_ = &results;
    progress_ = {};
    history_.clear();
    begun_ = Clock::now();
    // Two orbits in turns: the one before is freed in the database only after the retriever has the answer.
    orbit_ = std::exchange(next_orbit_, orbit_);
    caller_id_ = trunk_.invite("+44203" + parker_number_, index_, caller_sound_.own()).id;
  }
  /// Forgets the calls of a cycle that is over; true when there was one.
  bool clean_up() {
    if (!std::exchange(over_, false)) return false;
    trunk_.forget(caller_id_);
    parker_.forget(parker_id_);
    retriever_.forget(retriever_id_);
    return true;
  }
  [[nodiscard]] bool is_idle() const { return results_ == nullptr; }
  [[nodiscard]] bool is_stuck() const { return !is_idle() && Clock::now() - begun_ > kPatience; }
  /// What has come in this cycle, in order.
  [[nodiscard]] std::string history() const { return "loop " + std::to_string(index_) + ", " + caller_id_ + history_; }

  void add_to(std::vector<pollfd>& waiting) const {
    for (const int fd : {parker_.fd(), retriever_.fd(), caller_sound_.fd(), talker_sound_.fd()}) {
      waiting.push_back({fd, POLLIN, 0});
    }
  }
  void receive_all() {
    parker_.receive_all();
    retriever_.receive_all();
    while (const auto packet = caller_sound_.receive(std::chrono::milliseconds(0))) hear(packet->from);
    while (talker_sound_.receive(std::chrono::milliseconds(0))) {
    }
  }

  /// What comes to the trunk for this loop's caller.
  void caller(LoadPhone::Call& call, const sip::SipMessage& message) {
    if (failed("caller", message)) return;
    caller_ = &call;
    const auto method = message.method();
    if (message.is_request() && method == "ACK" && call.audio == talker_sound_.own()) {
      progress_.caller_has_moved = true;
      look_whether_they_talk();
    }
    if (message.is_response() && method == "BYE") {
      progress_.caller_has_gone = true;
      look_whether_all_is_over();
    }
  }

 private:
  struct Progress {
    bool has_refered = false;
    bool has_music = false;
    bool parker_has_gone = false;
    bool retriever_has_moved = false;
    bool caller_has_moved = false;
    bool they_talk = false;
    bool caller_has_gone = false;
    bool other_has_gone = false;
  };

  static LoadPhone::Options phone(const BenchSite& site, const std::string& number) {
    return {.user = number, .password = number, .own = {site.phone_address(), 0}, .proxy = site.proxy()};
  }

  bool failed(const char* who, const sip::SipMessage& message) {
    history_ += std::string("; ") + who + ' ' + std::string(message.method());
    if (message.is_response()) history_ += ' ' + std::to_string(message.status());
    if (message.method() == "NOTIFY")
      history_ += ' ' + std::string(message.body().substr(0, message.body().find('\r')));
    return message.status() >= 300;
  }

  void parker(LoadPhone::Call& call, const sip::SipMessage& message) {
    if (failed("parker", message)) return;
    parker_id_ = call.id;
    const auto method = message.method();
    if (method == "ACK" && kind_ == Kind::kOrdinaryCall) return trunk_.request(*caller_, "BYE");
    if (method == "ACK" && !std::exchange(progress_.has_refered, true)) {
      refered_ = Clock::now();
      return parker_.request(call, "REFER", parker_.refer_to("*68" + orbit_));
    }
    if (method == "NOTIFY" && message.body().starts_with("SIP/2.0 200")) {
      results_->refer_to_parked.add(ms_since(refered_));
      return parker_.request(call, "BYE");
    }
    if (method == "BYE" && kind_ == Kind::kOrdinaryCall) {
      progress_.other_has_gone = true;
      look_whether_all_is_over();
    } else if (method == "BYE") {
      progress_.parker_has_gone = true;
      look_whether_parked();
    }
  }

  void hear(const test::Endpoint& from) {
    if (is_idle() || !progress_.has_refered || progress_.has_music || from != caller_->audio) return;
    progress_.has_music = true;
    history_ += "; music";
    results_->refer_to_music.add(ms_since(refered_));
    look_whether_parked();
  }

  void look_whether_parked() {
    if (!progress_.has_music || !progress_.parker_has_gone) return;
    invited_ = Clock::now();
    retriever_.invite("*88" + orbit_, index_, talker_sound_.own());
  }

  void retriever(LoadPhone::Call& call, const sip::SipMessage& message) {
    if (failed("retriever", message)) return;
    retriever_id_ = call.id;
    if (message.is_response() && message.method() == "INVITE") {
      results_->invite_to_answer.add(ms_since(invited_));
    }
    if (message.is_request() && message.method() == "BYE") {
      progress_.other_has_gone = true;
      return look_whether_all_is_over();
    }
    progress_.retriever_has_moved = call.audio == caller_sound_.own();
    look_whether_they_talk();
  }

  void look_whether_they_talk() {
    if (!progress_.caller_has_moved || !progress_.retriever_has_moved || progress_.they_talk) return;
    progress_.they_talk = true;
    results_->invite_to_both_ways.add(ms_since(invited_));
    trunk_.request(*caller_, "BYE");
  }

  void look_whether_all_is_over() {
    if (!progress_.caller_has_gone || !progress_.other_has_gone) return;
    ++results_->completed;
    results_ = nullptr;
    over_ = true;
  }

  LoadPhone& trunk_;
  const int index_;
  const std::string parker_number_;
  const std::string retriever_number_;
  std::string orbit_;
  std::string next_orbit_;
  test::UdpSocket caller_sound_;
  test::UdpSocket talker_sound_;
  LoadPhone parker_;
  LoadPhone retriever_;
  Kind kind_ = Kind::kOrdinaryCall;
  Results* results_ = nullptr;
  Progress progress_;
  bool over_ = false;
  LoadPhone::Call* caller_ = nullptr;
  std::string caller_id_;
  std::string parker_id_;
  std::string retriever_id_;
  std::string history_;
  Clock::time_point begun_;
  Clock::time_point refered_;
  Clock::time_point invited_;
};

class CycleBench {
 public:
  explicit CycleBench(int loops) {
    site_.add_extensions(kFirstParker, loops);
    site_.add_extensions(kFirstRetriever, loops);
    for (int i = 0; i < loops; ++i) loops_.push_back(std::make_unique<CycleLoop>(site_, trunk_, i));
  }

  void begin(double seconds) {
    run(Kind::kOrdinaryCall, loops_.size(), 0.3);
    run(Kind::kParkCycle, loops_.size(), 0.3);
    wait_nothing_left();
    const ByServer before = site_.cpu_ms();
    usleep(static_cast<useconds_t>(seconds * 1e6));
    idle_ms_ = (site_.cpu_ms() - before) / seconds;
    print_row("nothing to do, CPU a second", idle_ms_, "ms");
  }

  void measure(const char* what, Kind kind, std::size_t loops, double seconds) {
    const auto statements_before = site_.statements();
    const double requests_before = site_.requests();
    const ByServer before = site_.cpu_ms();
    const auto began = Clock::now();
    Results results = run(kind, loops, seconds);
    const double took_s = ms_since(began) / 1000;
    // What Kamailio and parkd put off belongs to the calls too.
    wait_nothing_left();
    const ByServer cpu_ms = (site_.cpu_ms() - before - idle_ms_ * (ms_since(began) / 1000)) / results.completed;
    std::printf("%s, %zu at a time: %d in %.1f s, %.0f a second; by CPU time one core could do %.0f\n", what, loops,
                results.completed, took_s, results.completed / took_s, 1000 / cpu_ms.sum());
    print_row("  CPU for one", cpu_ms, "ms");
    std::printf("  SQL statements for one:");
    for (const auto& [kind_of_statement, count] : site_.statements()) {
      std::printf("  %s %.1f", kind_of_statement.c_str(),
                  (count - statements_before.at(kind_of_statement)) / results.completed);
    }
    std::printf("\n  requests to Kamailio for one: %.1f\n", (site_.requests() - requests_before) / results.completed);
    results.refer_to_music.print("REFER to first music packet");
    results.refer_to_parked.print("REFER to NOTIFY 200");
    results.invite_to_answer.print("retriever's INVITE to 200");
    results.invite_to_both_ways.print("retriever's INVITE to both sent to each other");
  }

  void fill(int parked, int extensions) {
    const std::string tenants = "seq_1_to_" + std::to_string(kOtherTenants);
    site_.database().execute("INSERT INTO tenants (tenant) SELECT CONCAT('t', seq, '.bench') FROM " + tenants);
    if (extensions > 0) {
      site_.database().execute(
          "INSERT INTO extensions (tenant, extension, password) SELECT CONCAT('t', t.seq, '.bench'), 1000 + e.seq, 'x' "
          "FROM " +
          tenants + " t, seq_1_to_" + std::to_string(std::max(1, extensions / kOtherTenants)) + " e");
    }
    if (parked == 0) return;
    site_.database().execute(
        "INSERT INTO parked_calls (park_id, tenant, orbit, slot, state, parker, park_group, music_class, "
        "caller_dialog, "
        "parked_at, deadline, owner, epoch, operation_id) SELECT CONCAT('bench', seq), 'demo.callpark', "
        "CONCAT('*', 100000 + seq), 1, 'parked', '101', IF(seq % 2, 'support', NULL), 'default', "
        "CONCAT('{\"call_id\":\"x', seq, '\",\"remote_uri\":\"sip:+4420', seq, '@127.0.0.50\"}'), "
        "UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 HOUR, 'no node', 1, 'x' FROM seq_1_to_" +
        std::to_string(parked));
  }
  void empty() {
    site_.database().execute(
        "DELETE FROM parked_calls WHERE owner = 'no node'; DELETE FROM released_orbits; "
        "DELETE FROM extensions WHERE tenant LIKE '%.bench'; DELETE FROM tenants WHERE tenant LIKE '%.bench'");
  }

  void switch_texts_off() {
    site_.database().execute("UPDATE tenants SET message_parked = FALSE, message_retrieved = FALSE");
  }

 private:
  // Kamailio deletes a call's rows some seconds after its end.
  void wait_nothing_left() {
    test::require_until(
        std::chrono::seconds(60),
        [this] {
          usleep(500'000);
          return site_.database().value(
                     "SELECT (SELECT COUNT(*) FROM dialog) + "
                     "(SELECT COUNT(*) FROM parked_calls WHERE owner <> 'no node')") == "0";
        },
        "all rows of calls to go");
  }

  Results run(Kind kind, std::size_t loops, double seconds) {
    Results results;
    const auto began = Clock::now();
    for (std::size_t i = 0; i < loops; ++i) loops_[i]->start(kind, results);
    std::vector<pollfd> waiting = {{trunk_.fd(), POLLIN, 0}};
    for (const auto& loop : loops_) loop->add_to(waiting);
    for (std::size_t busy = loops; busy > 0;) {
      poll(waiting.data(), waiting.size(), 100);
      trunk_.receive_all();
      for (const auto& loop : loops_) {
        loop->receive_all();
        if (loop->is_stuck()) throw std::runtime_error(loop->history() + "\nlogs in " + site_.keep_logs());
        if (!loop->clean_up()) continue;
        if (ms_since(began) < seconds * 1000) {
          loop->start(kind, results);
        } else {
          --busy;
        }
      }
    }
    return results;
  }

  BenchSite site_;
  LoadPhone trunk_{{.user = "+442079460000",
                    .domain = site_.trunk_address(),
                    .password = "",
                    .own = {site_.trunk_address(), 0},
                    .proxy = site_.proxy()},
                   [this](auto&, auto& call, const auto& message) {
                     if (call.round >= 0) loops_[static_cast<std::size_t>(call.round)]->caller(call, message);
                   }};
  std::vector<std::unique_ptr<CycleLoop>> loops_;
  ByServer idle_ms_;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) arguments.seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--loops") == 0) arguments.loops = std::max(1, std::atoi(argv[i + 1]));
    if (std::strcmp(argv[i], "--parked") == 0) arguments.parked = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--extensions") == 0) arguments.extensions = std::atoi(argv[i + 1]);
  }
  return arguments;
}

void run(const Arguments& arguments) {
  const auto loops = static_cast<std::size_t>(arguments.loops);
  CycleBench bench(arguments.loops);
  bench.begin(2);
  if (arguments.parked > 0 || arguments.extensions > 0) {
    for (int turn = 0; turn < kTurns; ++turn) {
      bench.measure("park cycles, nothing else parked", Kind::kParkCycle, 1, arguments.seconds);
      bench.fill(arguments.parked, arguments.extensions);
      bench.measure("park cycles beside the others", Kind::kParkCycle, 1, arguments.seconds);
      bench.empty();
    }
    return;
  }
  bench.measure("ordinary calls", Kind::kOrdinaryCall, 1, arguments.seconds / 2);
  bench.measure("park cycles", Kind::kParkCycle, 1, arguments.seconds);
  bench.measure("ordinary calls", Kind::kOrdinaryCall, loops, arguments.seconds / 2);
  bench.measure("park cycles", Kind::kParkCycle, loops, arguments.seconds);
  bench.switch_texts_off();
  bench.measure("park cycles without texts to phones", Kind::kParkCycle, loops, arguments.seconds);
}

}  // namespace
}  // namespace callpark::bench

int main(int argc, char** argv) {
  try {
    callpark::bench::run(callpark::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
