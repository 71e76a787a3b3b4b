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
#include "tests/bench/cycle_loops.h"

namespace callpark::bench {
namespace {

struct Arguments {
  double seconds = 8;
  int loops = 8;
  int parked = 0;
  int extensions = 0;
};

constexpr int kTurns = 3;
constexpr int kOtherTenants = 200;

class CycleBench {
 public:
  explicit CycleBench(int loops) : loops_(site_, loops) {}

  void begin(double seconds) {
    loops_.run(Kind::kOrdinaryCall, loops_.size(), 0.3);
    loops_.run(Kind::kParkCycle, loops_.size(), 0.3);
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
    Results results = loops_.run(kind, loops, seconds);
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
    site_.kamailio().wait_edits_read(site_.database());
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
    site_.kamailio().wait_edits_read(site_.database());
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

  BenchSite site_;
  CycleLoops loops_;
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
