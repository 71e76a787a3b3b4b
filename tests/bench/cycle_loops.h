// Full park cycles as benchmarks drive them: a call from the trunk, REFER to *68, music, retrieved from another phone
// by *88, hung up; and how long each part lasted.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/bench_site.h"
#include "tests/bench/load_phone.h"

namespace callpark::bench {

inline constexpr int kFirstParker = 2000;
inline constexpr int kFirstRetriever = 3000;
// Extensions without a phone: more orbits.
inline constexpr int kFirstSpare = 4000;
inline constexpr int kFirstSecondSpare = 5000;
inline constexpr auto kPatience = std::chrono::seconds(5);

enum class Kind { kOrdinaryCall, kParkCycle };

inline double ms_since(Clock::time_point begin) {
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

  /// The latency that `share` of them do not exceed; 0 without any.
  [[nodiscard]] double percentile(double share) {
    std::sort(ms_.begin(), ms_.end());
    return ms_.empty() ? 0 : at(share);
  }
  void add_all(const Latencies& others) { ms_.insert(ms_.end(), others.ms_.begin(), others.ms_.end()); }

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
  /// REFER to NOTIFY 200, and the retriever's INVITE to its 200, of one cycle together.
  Latencies park_and_retrieve;
};

// Of an ordinary call, so that it has reached the database before it ends.
inline constexpr std::chrono::milliseconds kTalk{250};

/// One parker and one retriever that do the same again and again with callers from the trunk.
class CycleLoop {
 public:
  CycleLoop(const BenchSite& site, LoadPhone& trunk, int index)
      : trunk_(trunk),
        index_(index),
        parker_number_(std::to_string(kFirstParker + index)),
        retriever_number_(std::to_string(kFirstRetriever + index)),
        orbits_{parker_number_, retriever_number_, std::to_string(kFirstSpare + index),
                std::to_string(kFirstSecondSpare + index)},
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
    // In turns: an orbit is freed in the database only after the retriever has the answer, and on a busy machine later.
    std::rotate(orbits_.begin(), orbits_.begin() + 1, orbits_.end());
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
    if (hang_up_at_ && Clock::now() >= *hang_up_at_) {
      hang_up_at_.reset();
      trunk_.request(*caller_, "BYE");
    }
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
    if (method == "ACK" && kind_ == Kind::kOrdinaryCall) {
      hang_up_at_ = Clock::now() + kTalk;
      return;
    }
    if (method == "ACK" && !std::exchange(progress_.has_refered, true)) {
      refered_ = Clock::now();
      return parker_.request(call, "REFER", parker_.refer_to("*68" + orbits_[0]));
    }
    if (method == "NOTIFY" && message.body().starts_with("SIP/2.0 200")) {
      park_ms_ = ms_since(refered_);
      results_->refer_to_parked.add(park_ms_);
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
    retriever_.invite("*88" + orbits_[0], index_, talker_sound_.own());
  }

  void retriever(LoadPhone::Call& call, const sip::SipMessage& message) {
    if (failed("retriever", message)) return;
    retriever_id_ = call.id;
    if (message.is_response() && message.method() == "INVITE") {
      results_->invite_to_answer.add(ms_since(invited_));
      results_->park_and_retrieve.add(park_ms_ + ms_since(invited_));
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
  std::array<std::string, 4> orbits_;  // the first one is that of the cycle
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
  std::optional<Clock::time_point> hang_up_at_;  // of an ordinary call
  Clock::time_point begun_;
  Clock::time_point refered_;
  Clock::time_point invited_;
  double park_ms_ = 0;
};

/// Loops of cycles in the demo tenant, all in one thread.
class CycleLoops {
 public:
  CycleLoops(BenchSite& site, int loops) : site_(site) {
    for (const int first : {kFirstParker, kFirstRetriever, kFirstSpare, kFirstSecondSpare}) {
      site_.add_extensions(first, loops);
    }
    for (int i = 0; i < loops; ++i) loops_.push_back(std::make_unique<CycleLoop>(site_, trunk_, i));
  }

  [[nodiscard]] std::size_t size() const { return loops_.size(); }

  /// Each of the first `loops` begins its next cycle when the one before has ended, for so many seconds. `meanwhile` is
  /// called every few milliseconds. Throws std::runtime_error when a cycle does not end.
  Results run(
      Kind kind, std::size_t loops, double seconds, const std::function<void()>& meanwhile = [] {}) {
    Results results;
    const auto began = Clock::now();
    for (std::size_t i = 0; i < loops; ++i) loops_[i]->start(kind, results);
    std::vector<pollfd> waiting = {{trunk_.fd(), POLLIN, 0}};
    for (const auto& loop : loops_) loop->add_to(waiting);
    for (std::size_t busy = loops; busy > 0;) {
      poll(waiting.data(), waiting.size(), 10);
      trunk_.receive_all();
      meanwhile();
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

 private:
  BenchSite& site_;
  LoadPhone trunk_{{.user = "+442079460000",
                    .domain = site_.trunk_address(),
                    .password = "",
                    .own = {site_.trunk_address(), 0},
                    .proxy = site_.proxy()},
                   [this](auto&, auto& call, const auto& message) {
                     if (call.round >= 0) loops_[static_cast<std::size_t>(call.round)]->caller(call, message);
                   }};
  std::vector<std::unique_ptr<CycleLoop>> loops_;
};

}  // namespace callpark::bench
