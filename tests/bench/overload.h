// More parks than one core can do: calls from the trunk that are there before, and REFERs at a given rate. The servers
// share core 0, all telephones are on core 1.
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/bench/bench_site.h"
#include "tests/bench/load_phone.h"

namespace callpark::bench {

inline constexpr int kFirstParker = 2000;
inline constexpr int kParkers = 40;
inline constexpr int kAtOnce = 8;
inline constexpr auto kPatience = std::chrono::seconds(10);
// RFC 3261 17.1.2.2.
inline constexpr std::chrono::milliseconds kT1{500};
inline constexpr std::chrono::milliseconds kT2{4000};

inline double ms_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - begin).count();
}

/// One call from the trunk, which is parked or not.
struct Park {
  LoadPhone* parker = nullptr;
  LoadPhone::Call* at_parker = nullptr;
  LoadPhone::Call* at_trunk = nullptr;
  bool is_established = false;
  bool parker_has_gone = false;
  Clock::time_point requested{};
  Clock::time_point repeat_at{};
  std::chrono::milliseconds repeat_after{};
  Clock::time_point answered{};
  Clock::time_point parked{};
  int status = 0;  // the final answer to the REFER
  bool has_retry_after = false;
  std::string outcome;  // of the last NOTIFY

  [[nodiscard]] bool is_over() const { return status >= 300 || !outcome.empty(); }
  [[nodiscard]] bool is_parked() const { return outcome.starts_with("SIP/2.0 200"); }
};

/// What became of the parks of one phase.
struct Outcome {
  int requested = 0;
  int parked = 0;
  int refused = 0;       // by 503
  int refused_well = 0;  // of these, with Retry-After, and the call as before
  int failed = 0;        // by anything else
  int silent = 0;        // without an answer
  std::vector<double> parked_ms;
  std::vector<double> refused_ms;

  std::map<std::string, int> failures;  // of those that failed, by the answer or the NOTIFY

  void print(const char* what) const {
    for (const auto& [how, count] : failures) std::printf("  failed by %s: %d\n", how.c_str(), count);
    std::printf(
        "%s: %d requested, %d parked, %d refused by 503 (%d with Retry-After and the call as before), %d failed, "
        "%d without an answer\n",
        what, requested, parked, refused, refused_well, failed, silent);
    print_times("REFER to NOTIFY 200", parked_ms);
    print_times("REFER to 503", refused_ms);
    std::fflush(stdout);
  }

 private:
  static void print_times(const char* what, std::vector<double> ms) {
    if (ms.empty()) return;
    std::sort(ms.begin(), ms.end());
    const auto at = [&](double share) {
      return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
    };
    std::printf("  %-30s p50 %7.1f  p99 %7.1f  max %7.1f ms\n", what, at(0.5), at(0.99), ms.back());
  }
};

class OverloadBench {
 public:
  OverloadBench() {
    site_.add_extensions(kFirstParker, kParkers);
    for (int i = 0; i < kParkers; ++i) {
      const std::string number = std::to_string(kFirstParker + i);
      phones_.push_back(std::make_unique<LoadPhone>(
          LoadPhone::Options{
              .user = number, .password = number, .own = {site_.phone_address(), 0}, .proxy = site_.proxy()},
          [this](LoadPhone& phone, LoadPhone::Call& call, const sip::SipMessage& message) {
            at_parker(phone, call, message);
          }));
      phones_.back()->set_audio(sound_.own());
      phones_.back()->register_phone();
    }
  }

  /// Parks a second when a new one begins whenever one has ended.
  double most(double seconds) {
    prepare(static_cast<int>(60 * seconds));
    const auto began = Clock::now();
    std::size_t next = 0;
    int done = 0;
    while (ms_between(began, Clock::now()) < seconds * 1000 && next < parks_.size()) {
      done =
          static_cast<int>(std::count_if(parks_.begin(), parks_.end(), [](const Park& one) { return one.is_over(); }));
      while (static_cast<int>(next) < done + kAtOnce && next < parks_.size()) request(parks_[next++]);
      receive(1);
    }
    const double rate = done / (ms_between(began, Clock::now()) / 1000);
    wait_for_all(next);
    outcome(next).print("as many as can be, eight at a time");
    clean_up();
    return rate;
  }

  Outcome offer(const char* what, double per_second, double seconds) {
    const auto count = static_cast<std::size_t>(per_second * seconds);
    prepare(static_cast<int>(count));
    const auto began = Clock::now();
    for (std::size_t next = 0; next < count;) {
      const double due = ms_between(began, Clock::now()) / 1000 * per_second;
      while (next < count && static_cast<double>(next) <= due) request(parks_[next++]);
      receive(1);
    }
    const double took = ms_between(began, Clock::now()) / 1000;
    const auto in_time = std::count_if(parks_.begin(), parks_.end(), [](const Park& one) { return one.is_parked(); });
    std::printf("%s: %.1f a second for %.1f s, %.1f a second parked meanwhile\n", what, per_second, took,
                static_cast<double>(in_time) / took);
    wait_for_all(count);
    Outcome result = outcome(count);
    result.print(what);
    std::printf("  REFERs that were repeated: %d\n", std::exchange(repeated_, 0));
    clean_up();
    return result;
  }

 private:
  void at_parker(LoadPhone& phone, LoadPhone::Call& call, const sip::SipMessage& message) {
    const auto found = by_call_id_.find(call.id);
    if (found == by_call_id_.end()) return;
    Park& park = parks_[found->second];
    const auto method = message.method();
    if (method == "ACK" && !park.is_established) {
      park.is_established = true;
      park.parker = &phone;
      park.at_parker = &call;
    } else if (method == "BYE") {
      park.parker_has_gone = true;
    } else if (method == "REFER" && message.is_response()) {
      park.status = message.status();
      park.answered = Clock::now();
      park.has_retry_after = message.header("Retry-After").has_value();
    } else if (method == "NOTIFY" && !message.body().starts_with("SIP/2.0 1")) {
      park.outcome = message.body();
      park.parked = Clock::now();
      if (park.is_parked()) phone.request(call, "BYE");
    }
  }

  static void request(Park& park) {
    park.requested = Clock::now();
    park.repeat_after = kT1;
    park.repeat_at = park.requested + kT1;
    park.parker->request(*park.at_parker, "REFER", park.parker->refer_to("*70"));
  }

  /// RFC 3261 17.1.2.2, as phones do: a server that has too much to do loses datagrams.
  void repeat_what_is_not_answered() {
    const auto now = Clock::now();
    for (Park& park : parks_) {
      const bool waits = park.requested != Clock::time_point{} && park.status == 0 && park.at_parker->method == "REFER";
      if (!waits || now < park.repeat_at) continue;
      park.repeat_after = std::min(2 * park.repeat_after, kT2);
      park.repeat_at = now + park.repeat_after;
      park.parker->repeat(*park.at_parker);
      ++repeated_;
    }
  }

  void receive(int wait_ms) {
    std::vector<pollfd> waiting = {{trunk_.fd(), POLLIN, 0}};
    for (const auto& phone : phones_) waiting.push_back({phone->fd(), POLLIN, 0});
    poll(waiting.data(), waiting.size(), wait_ms);
    trunk_.receive_all();
    for (const auto& phone : phones_) phone->receive_all();
    while (sound_.receive(std::chrono::milliseconds(0))) {
    }
    repeat_what_is_not_answered();
  }

  template <class F>
  bool receive_until(F fact) {
    for (const auto began = Clock::now(); !fact();) {
      if (Clock::now() - began > kPatience) return false;
      receive(5);
    }
    return true;
  }

  void prepare(int count) {
    parks_.assign(static_cast<std::size_t>(count), {});
    for (std::size_t i = 0; i < parks_.size(); ++i) {
      auto& call = trunk_.invite("+44203" + std::to_string(kFirstParker + static_cast<int>(i) % kParkers),
                                 static_cast<int>(i), sound_.own());
      parks_[i].at_trunk = &call;
      by_call_id_[call.id] = i;
      const auto far = i < kAtOnce ? 0 : i - kAtOnce;
      if (!receive_until([&] { return parks_[far].is_established; }))
        throw std::runtime_error("a call is not answered");
    }
    receive_until([&] { return parks_.empty() || parks_.back().is_established; });
  }

  void wait_for_all(std::size_t count) {
    receive_until([&] {
      return std::all_of(parks_.begin(), parks_.begin() + static_cast<std::ptrdiff_t>(count),
                         [](const Park& one) { return one.is_over(); });
    });
  }

  Outcome outcome(std::size_t count) const {
    Outcome result;
    for (std::size_t i = 0; i < count; ++i) {
      const Park& one = parks_[i];
      ++result.requested;
      if (one.is_parked()) {
        ++result.parked;
        result.parked_ms.push_back(ms_between(one.requested, one.parked));
      } else if (one.status == 503) {
        ++result.refused;
        result.refused_well += one.has_retry_after && !one.parker_has_gone ? 1 : 0;
        result.refused_ms.push_back(ms_between(one.requested, one.answered));
      } else if (one.is_over()) {
        ++result.failed;
        ++result.failures[one.outcome.empty() ? "answer " + std::to_string(one.status) : "NOTIFY " + one.outcome];
      } else {
        ++result.silent;
      }
    }
    return result;
  }

  void clean_up() {
    ended_.clear();
    for (Park& park : parks_) trunk_.request(*park.at_trunk, "BYE");
    test::require_until(
        std::chrono::seconds(60),
        [this] {
          receive(200);
          for (Park& park : parks_) {
            if (!ended_.contains(park.at_trunk->id)) trunk_.repeat(*park.at_trunk);
          }
          return site_.database().value("SELECT (SELECT COUNT(*) FROM dialog) + (SELECT COUNT(*) FROM parked_calls)") ==
                 "0";
        },
        "all rows of calls to go");
    for (const auto& [id, index] : by_call_id_) {
      trunk_.forget(id);
      for (const auto& phone : phones_) phone->forget(id);
    }
    by_call_id_.clear();
  }

  BenchSite site_;
  test::UdpSocket sound_{{site_.phone_address(), 0}};
  LoadPhone trunk_{{.user = "+442079460000",
                    .domain = site_.trunk_address(),
                    .password = "",
                    .own = {site_.trunk_address(), 0},
                    .proxy = site_.proxy()},
                   [this](LoadPhone&, LoadPhone::Call& call, const sip::SipMessage& message) {
                     if (message.is_response() && call.method == "BYE") ended_.insert(call.id);
                   }};
  /// Calls of which the trunk's BYE was answered.
  std::set<std::string> ended_;
  std::vector<std::unique_ptr<LoadPhone>> phones_;
  std::vector<Park> parks_;
  int repeated_ = 0;
  std::unordered_map<std::string, std::size_t> by_call_id_;
};

}  // namespace callpark::bench
