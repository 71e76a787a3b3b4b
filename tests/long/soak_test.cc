// Tens of thousands of calls, and what is left of them: nothing. First without a fault, then while every server dies in
// turn.
#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/e2e/park_site.h"
#include "tests/support/load.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kCallsForEachCycle = 5;
constexpr int kFaultsShown = 20;
// Transactions that never end: Kamailio asks parkd by OPTIONS each second, and each answer is kept for 32 s.
constexpr long kProbesMax = 40;

/// CALLPARK_SOAK_CYCLES, or 20,000.
int cycles_wanted() {
  const char* text = std::getenv("CALLPARK_SOAK_CYCLES");
  return text == nullptr ? 20000 : std::max(100, std::atoi(text));
}

/// What a call must not leave behind.
struct Left {
  std::map<std::string, long> of;
};

std::ostream& operator<<(std::ostream& out, const Left& left) {
  for (const auto& [what, amount] : left.of) out << "  " << what << ' ' << amount << '\n';
  return out;
}

long open_files(pid_t pid) {
  return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd"), {});
}

long resident_kb(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Rss:")) return std::atol(line.c_str() + 4);
  }
  return 0;
}

/// The whole number behind `name` in a text of metrics or of an RPC's answer; -1 without it.
long number_after(const std::string& text, const std::string& name) {
  const auto at = text.find(name);
  if (at == std::string::npos) return -1;
  const auto digit = text.find_first_of("0123456789", at + name.size());
  return digit == std::string::npos ? -1 : std::atol(text.c_str() + digit);
}

class Soak : public ParkTest {
 protected:
  static Left left() {
    Left result;
    auto& of = result.of;
    of["parkd files"] = open_files(site().parkd().pid());
    of["mediad files"] = open_files(site().mediad().pid());
    of["parkd memory, kB"] = resident_kb(site().parkd().pid());
    of["mediad memory, kB"] = resident_kb(site().mediad().pid());
    const std::string metrics = site().parkd_http("/metrics").body;
    of["parkd calls"] = number_after(metrics, "\ncallpark_calls");
    of["kamailio shared memory, B"] = number_after(site().kamailio().rpc("core.shmmem"), "\"real_used\"");
    of["kamailio dialogs"] = number_after(site().kamailio().rpc("dlg.stats_active"), "\"all\"");
    for (const char* table : {"parked_calls", "dialog", "dialog_vars"}) {
      of[std::string("rows of ") + table] =
          std::stol(site().database().value(std::string("SELECT COUNT(*) FROM ") + table));
    }
    for (const char* table : {"adopt", "adopt_other", "held", "holding", "recalls", "talks", "lit"}) {
      const std::string dump = site().kamailio().rpc("htable.dump", "[\"" + std::string(table) + "\"]");
      long entries = 0;
      for (auto at = dump.find("\"name\""); at != std::string::npos; at = dump.find("\"name\"", at + 1)) ++entries;
      of[std::string("entries of ") + table] = entries;
    }
    return result;
  }

  /// Kamailio keeps transactions and dialogs for some seconds, and markers for longer.
  static void wait_nothing_left() {
    EXPECT_TRUE(wait_until(seconds(60), [] {
      return site().database().value("SELECT (SELECT COUNT(*) FROM dialog) + (SELECT COUNT(*) FROM parked_calls)") ==
             "0";
    }));
    EXPECT_TRUE(wait_until(seconds(60), [] {
      return number_after(site().parkd_http("/metrics").body, "\ncallpark_sip_transactions") <= kProbesMax;
    }));
  }

  static void run(int cycles, const std::function<void()>& meanwhile) {
    Load load(site());
    load.start(Load::Work::kParkCycles, 6, milliseconds(0));
    load.start(Load::Work::kOrdinaryCalls, 6, milliseconds(0));
    const LoadCounts& counts = load.counts();
    while (counts.cycles < cycles || counts.calls < kCallsForEachCycle * cycles) {
      pass(seconds(1));
      meanwhile();
    }
    load.stop();
    std::cout << counts.calls << " calls, " << counts.cycles << " parks and retrieves, " << counts.refused_calls
              << " calls and " << counts.refused_parks << " parks refused\n";
    const auto faults = load.faults();
    for (std::size_t i = 0; i < faults.size() && i < kFaultsShown; ++i) ADD_FAILURE() << faults[i];
    EXPECT_EQ(faults.size(), 0U);
    wait_nothing_left();
    for (const auto& number : load.parkers()) {
      for (const int office : {0, LoadOffice::kFirstRetriever - LoadOffice::kFirstParker}) {
        site().database().execute("DELETE FROM dids WHERE destination = '" + number +
                                  "'; DELETE FROM extensions WHERE extension = '" +
                                  std::to_string(std::stoi(number) + office) + "'");
      }
    }
  }
};

// Amounts that may be larger afterwards: the allocators' own, by a twentieth.
TEST_F(Soak, NothingGrowsOverTensOfThousandsOfCalls) {
  const auto nothing = [] {};
  run(std::max(50, cycles_wanted() / 20), nothing);
  const Left before = left();
  std::cout << "before\n" << before;
  run(cycles_wanted(), nothing);
  const Left after = left();
  std::cout << "after\n" << after;
  for (const auto& [what, amount] : before.of) {
    const bool is_memory = what.find("memory") != std::string::npos;
    EXPECT_LE(after.of.at(what), is_memory ? amount + amount / 20 : amount) << what;
  }
}

TEST_F(Soak, NothingIsLeftWhenEveryServerDiesInTurn) {
  run(50, [] {});
  const Left before = left();
  int second = 0;
  int deaths = 0;
  run(std::max(100, cycles_wanted() / 4), [&] {
    if (++second % 15 != 0) return;
    switch (deaths++ % 4) {
      case 0:
        site().parkd().kill9();
        site().parkd().start();
        return site().wait_parkd_ready();
      case 1:
        site().mediad().kill9();
        site().mediad().start();
        return site().wait_mediad_ready();
      case 2:
        site().kamailio().kill9();
        return site().kamailio().start();
      default:
        site().database().kill9();
        return site().database().start();
    }
  });
  std::cout << deaths << " deaths\n";
  const Left after = left();
  std::cout << "before\n" << before << "after\n" << after;
  for (const auto& [what, amount] : before.of) {
    if (what.starts_with("rows") || what.starts_with("parkd calls") || what.ends_with("files")) {
      EXPECT_LE(after.of.at(what), amount) << what;
    }
  }
}

}  // namespace
}  // namespace callpark::test
