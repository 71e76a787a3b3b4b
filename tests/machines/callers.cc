// Parked callers of a callpark that runs on another machine, and other calls beside them, for trials of that machine.
// Obeys the lines of its standard input, one after the other; the answer to each ends with a line that begins with
// "yes" or "NO":
//   park N          so many callers are parked, each at an orbit that no other has had, and hear music
//   load C P        from now on C calls and P parks with their retrieves begin every second
//   step NAME MS    what is measured begins anew; no caller may hear nothing for longer than MS
//   report          what was measured since, as a row of a table
//   music           the parked callers hear music
//   retrieve        each parked caller is retrieved, talks, and hangs up
//   unload          the calls and parks of `load` end; none may have been lost
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/load.h"
#include "tests/support/subprocess.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kFirstOrbit = 4000;
constexpr const char* kParker = "1000";
constexpr const char* kRetriever = "1001";
// Their tones; the callers have the others.
constexpr int kParkerParty = 14;
constexpr int kRetrieverParty = 15;
// Of the other calls: how often an office begins one.
constexpr seconds kOrdinaryPause{2};
constexpr seconds kParkPause{4};
constexpr seconds kRefusedMax{3};
// A machine under test may be as slow as it likes for so long.
constexpr milliseconds kMusicMax{10000};
constexpr int kNextRetrieves = 8;
constexpr milliseconds kRetrievesMax{30000};

struct Place {
  std::string server;
  std::string trunk;
  std::string phones;
  /// Of MariaDB's root.
  std::string database;
};

/// Its extensions and numbers are entered before.
class MachineSite : public LoadSite {
 public:
  explicit MachineSite(Place place) : place_(std::move(place)) {}

  void add_extension(const std::string&, bool) override {}
  std::unique_ptr<PacketPhone> trunk_caller(int index) override {
    PacketPhone::Options options = at(place_.trunk, "+4420794600" + std::to_string(index), index % kParkerParty);
    options.domain = place_.trunk;
    return std::make_unique<PacketPhone>(options);
  }
  std::unique_ptr<PacketPhone> phone(const std::string& number, int party) override {
    PacketPhone::Options options = at(place_.phones, number, party);
    options.password = "demo-" + number;
    options.auto_answer = true;
    options.register_seconds = 3600;
    auto phone = std::make_unique<PacketPhone>(options);
    phone->register_phone();
    return phone;
  }
  bool is_parked(const std::string& orbit) override {
    const auto [code, output] = run_command({"mariadb", "--no-defaults", "--protocol=socket",
                                             "--socket=" + place_.database, "--batch", "--skip-column-names",
                                             "--execute=SELECT COUNT(*) FROM parked_calls WHERE state = 'parked' AND "
                                             "orbit = '" +
                                                 orbit + "'",
                                             "callpark"});
    return code == 0 && output == "1\n";
  }

 private:
  PacketPhone::Options at(const std::string& address, const std::string& user, int party) {
    PacketPhone::Options options;
    options.user = user;
    options.address = address;
    options.port = next_port_++;
    options.proxy = {place_.server, 5060};
    options.tone = tone_hz(party);
    return options;
  }

  const Place place_;
  uint16_t next_port_ = 6000;
};

struct ParkedCaller {
  std::unique_ptr<PacketPhone> phone;
  CallName call;
  std::string orbit;
};

class Callers {
 public:
  explicit Callers(const Place& place)
      : site_(std::make_shared<MachineSite>(place)),
        parker_(site_->phone(kParker, kParkerParty)),
        retriever_(site_->phone(kRetriever, kRetrieverParty)) {}

  /// Prints the answer.
  void obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "park") return park(number(words));
    if (verb == "load") return start_load(words);
    if (verb == "step") return begin_step(words);
    if (verb == "report") return report();
    if (verb == "music") return music();
    if (verb == "retrieve") return retrieve();
    if (verb == "unload") return unload();
    throw std::runtime_error("unknown command: " + line);
  }

 private:
  static int number(std::istringstream& words) {
    int value = 0;
    if (!(words >> value) || value < 1) throw std::runtime_error("a number is missing");
    return value;
  }
  static void answer(bool is_true, const std::string& sentence) {
    std::printf("%s  %s\n", is_true ? "yes" : "NO ", sentence.c_str());
    std::fflush(stdout);
  }
  static void detail(const std::string& sentence) { std::printf("     %s\n", sentence.c_str()); }
  [[nodiscard]] std::string of_parked(std::size_t some) const {
    return std::to_string(some) + " of " + std::to_string(parked_.size()) + " parked callers ";
  }

  void park(int count) {
    std::size_t refused = 0;
    for (int i = 0; i < count; ++i) {
      if (free_.empty()) free_.push_back(site_->trunk_caller(next_caller_++));
      ParkedCaller caller{std::move(free_.back()), "", std::to_string(next_orbit_++)};
      free_.pop_back();
      try {
        park(caller);
        parked_.push_back(std::move(caller));
      } catch (const std::exception& error) {
        ++refused;
        detail(caller.orbit + ": " + error.what());
        end(caller);
      }
      parker_->forget();
    }
    answer(refused == 0, std::to_string(count - static_cast<int>(refused)) + " of " + std::to_string(count) +
                             " callers are parked, and hear music");
  }
  void park(ParkedCaller& caller) {
    caller.call = caller.phone->call(std::string("+44203") + kParker);
    const CallName at_parker = parker_->wait_incoming();
    const int status = parker_->refer(at_parker, "*68" + caller.orbit);
    const auto has_ended = [&] {
      const auto reports = parker_->transfer_reports(at_parker);
      return !reports.empty() && !reports.back().starts_with("SIP/2.0 1");
    };
    if (status == 202) wait_until(kSoon, has_ended);
    const auto reports = parker_->transfer_reports(at_parker);
    const bool is_parked = !reports.empty() && reports.back().starts_with("SIP/2.0 2");
    if (!parker_->is_closed(at_parker)) parker_->hang_up(at_parker);
    if (!is_parked) {
      throw std::runtime_error("REFER got " + std::to_string(status) + (reports.empty() ? "" : ", " + reports.back()));
    }
    const auto hears = hears_music(caller.phone->sound());
    if (!hears) throw std::runtime_error(hears.message());
  }

  void start_load(std::istringstream& words) {
    const int calls = number(words);
    const int parks = number(words);
    load_ = std::make_unique<Load>(site_);
    load_->start(Load::Work::kOrdinaryCalls, calls * static_cast<int>(kOrdinaryPause.count()), kOrdinaryPause);
    load_->start(Load::Work::kParkCycles, parks * static_cast<int>(kParkPause.count()), kParkPause);
    begin_step("", 0);
    const bool begins = wait_until(kSoon, [&] { return load_->counts().calls > 0 && load_->counts().cycles > 0; });
    answer(begins, std::to_string(calls) + " calls and " + std::to_string(parks) + " parks a second beside them");
  }

  void begin_step(std::istringstream& words) {
    std::string name;
    words >> name;
    begin_step(name, number(words));
    answer(true, name);
  }
  void begin_step(const std::string& name, int gap_ms_max) {
    step_ = {name, gap_ms_max, RtpParty::Clock::now(), steady_clock::now(), done()};
    for (const auto& caller : parked_) caller.phone->sound().forget_before(step_.began);
  }

  struct Done {
    int calls = 0;
    int refused_calls = 0;
    int cycles = 0;
    int refused_parks = 0;
    int faults = 0;
  };
  [[nodiscard]] Done done() const {
    if (!load_) return {};
    const LoadCounts& counts = load_->counts();
    return {counts.calls, counts.refused_calls, counts.cycles, counts.refused_parks, counts.faults};
  }

  /// Those that began before are then over, and some have seen what is now.
  void wait_for_the_next_retrieves() const {
    if (!load_) return;
    const int before = load_->counts().cycles;
    wait_until(kRetrievesMax, [&] { return load_->counts().cycles >= before + kNextRetrieves; });
  }

  void report() {
    wait_for_the_next_retrieves();
    std::vector<double> gaps_ms;
    std::size_t closed = 0;
    for (const auto& caller : parked_) {
      gaps_ms.push_back(caller.phone->sound().report(step_.began).gap_ms_max);
      if (caller.phone->is_closed(caller.call)) ++closed;
    }
    std::ranges::sort(gaps_ms);
    milliseconds waited{0};
    milliseconds refused{0};
    if (load_) {
      for (const auto& one : load_->counts().retrieves(step_.began_steady)) {
        waited = std::max(waited, one.waited);
        refused = std::max(refused, one.refused);
      }
    }
    const double gap_ms = gaps_ms.empty() ? 0 : gaps_ms.back();
    const double median_ms = gaps_ms.empty() ? 0 : gaps_ms[gaps_ms.size() / 2];
    const Done now = done();
    const std::size_t lost = static_cast<std::size_t>(now.faults - step_.done.faults) + closed;
    char row[300];
    std::snprintf(
        row, sizeof row,
        "%-10s music: gap %6.0f ms longest, %5.0f ms median (aim %d) | %3d calls, %d refused | %2d retrieves, %d "
        "parks refused; longest wait %4.1f s, refused for %4.1f s | %zu calls lost",
        step_.name.c_str(), gap_ms, median_ms, step_.gap_ms_max, now.calls - step_.done.calls,
        now.refused_calls - step_.done.refused_calls, now.cycles - step_.done.cycles,
        now.refused_parks - step_.done.refused_parks, std::chrono::duration<double>(waited).count(),
        std::chrono::duration<double>(refused).count(), lost);
    answer(gap_ms <= step_.gap_ms_max && refused <= kRefusedMax && lost == 0, row);
  }

  void music() {
    std::size_t hear = 0;
    const auto began = steady_clock::now();
    for (const auto& caller : parked_) {
      const auto left = std::chrono::duration_cast<milliseconds>(began + kMusicMax - steady_clock::now());
      const auto hears = hears_music(caller.phone->sound(), std::max(left, milliseconds(0)));
      if (hears) ++hear;
      if (!hears) detail(caller.orbit + ": " + hears.message());
    }
    answer(hear == parked_.size(), of_parked(hear) + "hear music");
  }

  void retrieve() {
    std::size_t retrieved = 0;
    for (auto& caller : parked_) {
      try {
        retrieve(caller);
        ++retrieved;
      } catch (const std::exception& error) {
        detail(caller.orbit + ": " + error.what());
      }
      end(caller);
      retriever_->forget();
    }
    answer(retrieved == parked_.size(), of_parked(retrieved) + "are retrieved, and talk");
    parked_.clear();
  }
  void retrieve(ParkedCaller& caller) {
    if (caller.phone->is_closed(caller.call)) throw std::runtime_error("was hung up on");
    const CallName call = retriever_->call("*88" + caller.orbit);
    const auto talk = hear_each_other(caller.phone->sound(), retriever_->sound());
    if (!retriever_->is_closed(call)) retriever_->hang_up(call);
    if (!talk) throw std::runtime_error(talk.message());
    if (!wait_until(kSoon, [&] { return caller.phone->is_closed(caller.call); })) {
      throw std::runtime_error("the retriever has hung up, and the caller has not");
    }
  }
  /// The phone is there for the next one.
  void end(ParkedCaller& caller) {
    if (!caller.call.empty() && !caller.phone->is_closed(caller.call)) caller.phone->hang_up(caller.call);
    caller.phone->forget();
    free_.push_back(std::move(caller.phone));
  }

  void unload() {
    load_->stop();
    for (const auto& fault : load_->faults()) detail(fault);
    const Done all = done();
    answer(all.faults == 0, std::to_string(all.calls) + " calls and " + std::to_string(all.cycles) +
                                " parks and retrieves, " + std::to_string(all.faults) + " calls lost");
    load_.reset();
  }

  struct Step {
    std::string name;
    int gap_ms_max = 0;
    RtpParty::Clock::time_point began;
    steady_clock::time_point began_steady;
    Done done;
  };

  std::shared_ptr<MachineSite> site_;
  std::unique_ptr<PacketPhone> parker_;
  std::unique_ptr<PacketPhone> retriever_;
  std::vector<std::unique_ptr<PacketPhone>> free_;
  std::vector<ParkedCaller> parked_;
  std::unique_ptr<Load> load_;
  Step step_;
  int next_caller_ = 100;
  int next_orbit_ = kFirstOrbit;
};

void obey_all(const Place& place) {
  Callers callers(place);
  for (std::string line; std::getline(std::cin, line);) {
    try {
      callers.obey(line);
    } catch (const std::exception& error) {
      std::printf("NO   %s: %s\n", line.c_str(), error.what());
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace callpark::test

int main(int argc, char** argv) {
  CLI::App cli("Parks callers at a callpark that runs elsewhere, as the lines of its standard input request");
  callpark::test::Place place;
  cli.add_option("--server", place.server, "Kamailio's address")->required();
  cli.add_option("--trunk", place.trunk, "own address of the trunk")->required();
  cli.add_option("--phones", place.phones, "own address of the phones")->required();
  cli.add_option("--database", place.database, "MariaDB's socket")->required();
  CLI11_PARSE(cli, argc, argv);
  try {
    callpark::test::obey_all(place);
    return 0;
  } catch (const std::exception& error) {
    std::printf("NO   %s\n", error.what());
    return 1;
  }
}
