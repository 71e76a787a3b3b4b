// SIP without sockets and without waiting: a clock that jumps to whatever comes next, and a network between transaction
// layers that loses, repeats and delays messages by a seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "parkd/transaction/alarm_clock.h"
#include "parkd/transport/message_transport.h"
#include "parkd/transport/response_routing.h"

namespace callpark::sip {

class SimulatedTime {
 public:
  MonotonicTime now() const noexcept { return now_; }

  /// Does `work` when the time comes. The number cancels it.
  std::uint64_t at(MonotonicTime when, std::function<void()> work) {
    const std::uint64_t number = ++last_number_;
    work_.emplace(std::pair(std::max(when, now_), number), std::move(work));
    return number;
  }
  void take_back(MonotonicTime when, std::uint64_t number) { work_.erase({when, number}); }

  /// Lets time pass, doing what comes up.
  void pass(Duration duration) {
    const MonotonicTime end = now_ + duration;
    while (!work_.empty() && work_.begin()->first.first <= end) {
      auto next = work_.extract(work_.begin());
      now_ = next.key().first;
      next.mapped()();
    }
    now_ = end;
  }

 private:
  MonotonicTime now_{std::chrono::hours(1)};
  std::uint64_t last_number_ = 0;
  std::map<std::pair<MonotonicTime, std::uint64_t>, std::function<void()>> work_;
};

class SimulatedClock final : public AlarmClock {
 public:
  explicit SimulatedClock(SimulatedTime& time) : time_(time) {}
  ~SimulatedClock() override { SimulatedClock::stop_alarm(); }

  MonotonicTime now() const override { return time_.now(); }
  void set_alarm(MonotonicTime when, std::function<void()> ring) override {
    stop_alarm();
    when = std::max(when, time_.now());
    alarm_ = {when, time_.at(when, std::move(ring))};
  }
  void stop_alarm() override {
    if (alarm_) time_.take_back(alarm_->first, alarm_->second);
    alarm_.reset();
  }

 private:
  SimulatedTime& time_;
  std::optional<std::pair<MonotonicTime, std::uint64_t>> alarm_;
};

struct NetworkFaults {
  double loss = 0;
  double duplication = 0;
  Duration delay_min{1};
  /// More than delay_min: messages overtake each other.
  Duration delay_max{1};
};

/// What went over the network, lost or not.
struct SentMessage {
  MonotonicTime when;
  Endpoint from;
  Endpoint to;
  SipMessage message;
};

class SimulatedNetwork {
 public:
  explicit SimulatedNetwork(SimulatedTime& time, std::uint64_t seed = 1) : time_(time), random_(seed) {}

  NetworkFaults faults;
  /// Returns which messages get through; what it refuses is lost. Empty: all.
  std::function<bool(const SipMessage&)> filter;
  std::vector<SentMessage> sent;
  bool keeps_sent = true;

  void attach(const Endpoint& at, TransportUser& user) { users_[at] = &user; }

  /// How many of the messages sent so far `matches`.
  std::size_t count(const std::function<bool(const SipMessage&)>& matches) const {
    std::size_t found = 0;
    for (const SentMessage& one : sent) found += matches(one.message) ? 1 : 0;
    return found;
  }

  void carry(const SipMessage& message, const Endpoint& from, const Endpoint& to) {
    if (keeps_sent) sent.push_back({time_.now(), from, to, message});
    if (filter && !filter(message)) return;
    if (chance(faults.loss)) return;
    deliver(message, from, to);
    if (chance(faults.duplication)) deliver(message, from, to);
  }

 private:
  bool chance(double probability) { return std::uniform_real_distribution<>(0, 1)(random_) < probability; }

  void deliver(const SipMessage& message, const Endpoint& from, const Endpoint& to) {
    std::uniform_int_distribution<Duration::rep> delay(faults.delay_min.count(), faults.delay_max.count());
    // As text, so that what arrives is what a parser makes of what a writer wrote.
    time_.at(time_.now() + Duration(delay(random_)), [this, text = write(message), from, to] {
      const auto user = users_.find(to);
      auto parsed = parse(text);
      if (user == users_.end() || !parsed) return;
      if (parsed->is_request()) note_source(*parsed, from);
      user->second->on_message(std::move(*parsed), from);
    });
  }

  SimulatedTime& time_;
  std::mt19937_64 random_;
  std::unordered_map<Endpoint, TransportUser*> users_;
};

class SimulatedTransport final : public MessageTransport {
 public:
  SimulatedTransport(SimulatedNetwork& network, const Endpoint& local) : network_(network), local_(local) {}

  /// While set, nothing can be sent.
  bool is_broken = false;

  bool send(const SipMessage& message, const Endpoint& destination) override {
    if (is_broken) return false;
    network_.carry(message, local_, destination);
    return true;
  }
  std::optional<Endpoint> local_endpoint(const Endpoint&) const override { return local_; }

 private:
  SimulatedNetwork& network_;
  Endpoint local_;
};

}  // namespace callpark::sip
