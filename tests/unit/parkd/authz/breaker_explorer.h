// Walks through every state that the circuit breaker and the requests around it can reach, beside a model of them that
// knows each request by itself and not by a number.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "parkd/authz/circuit_breaker.h"

namespace callpark::authz::breaker {

using Machine = std::function<Decision(const Settings&, const State&, const Event&, MonotonicTime)>;

/// Delays of 2, 4, 5, 5, ... ticks.
inline Settings explored_settings() {
  return {2, Duration(2), Duration(5), Duration(3)};
}

enum class Known { kClosed, kOpen, kHalfOpen };

struct Request {
  Span span = 0;
  bool counts = true;  // false once the breaker has changed its phase since
};

struct World {
  State machine;
  MonotonicTime now{};
  std::vector<Request> requests;  // not reported yet
  Known phase = Known::kClosed;
  std::uint32_t failures = 0;
  MonotonicTime until{};  // open: the end; half open: when the probe is lost
  Duration open_for{0};
};

class BreakerExplorer {
 public:
  static constexpr std::size_t kRequestsMax = 3;

  explicit BreakerExplorer(Machine machine) : decide_(std::move(machine)) {}

  /// Returns the first violation.
  std::optional<std::string> explore() {
    visit(World{});
    while (!open_.empty() && !violation_) {
      const World world = open_.front();
      open_.pop_front();
      must_recover(world);
      World later = world;
      later.now += Duration(1);
      visit(later);
      ask(world);
      for (std::size_t i = 0; i < world.requests.size(); ++i) report(world, i);
    }
    return violation_;
  }
  std::size_t worlds() const { return seen_.size(); }

 private:
  void require(bool holds, const char* sentence) {
    if (!holds && !violation_) violation_ = sentence;
  }

  Decision step(const World& world, const Event& event) { return decide_(settings_, world.machine, event, world.now); }

  static void enter(World& world, Known phase) {
    world.phase = phase;
    world.failures = 0;
    for (Request& request : world.requests) request.counts = false;
  }
  static void open(World& world, Duration open_for) {
    enter(world, Known::kOpen);
    world.open_for = open_for;
    world.until = world.now + open_for;
  }

  void ask(World world) {
    if (world.requests.size() == kRequestsMax) return;
    const Decision decision = step(world, Asked{});
    world.machine = decision.next;
    const bool is_due = world.phase == Known::kClosed || world.now >= world.until;
    require(decision.admitted.has_value() == is_due,
            is_due ? "a request is refused without a reason" : "a request is admitted before its time");
    if (is_due && world.phase != Known::kClosed) {
      enter(world, Known::kHalfOpen);
      world.until = world.now + settings_.probe_lost_after;
    }
    if (decision.admitted) world.requests.push_back({*decision.admitted, true});
    visit(world);
  }

  void report(const World& before, std::size_t index) {
    const Request request = before.requests[index];
    const auto after = [&](const Event& event, auto expected) {
      World world = before;
      world.requests.erase(world.requests.begin() + static_cast<std::ptrdiff_t>(index));
      const Decision decision = step(world, event);
      require(!decision.admitted, "a report admits a request");
      require(request.counts || decision.next == world.machine, "a late report changes something");
      world.machine = decision.next;
      if (request.counts) expected(world);
      visit(world);
    };
    after(Worked{request.span}, [](World& world) {
      world.failures = 0;
      if (world.phase == Known::kHalfOpen) enter(world, Known::kClosed);
    });
    after(Failed{request.span}, [this](World& world) {
      if (world.phase == Known::kHalfOpen) {
        open(world, std::min(world.open_for * 2, settings_.open_max));
      } else if (++world.failures == settings_.failures_max) {
        open(world, settings_.open_first);
      }
    });
    after(Abandoned{request.span}, [](World& world) {
      if (world.phase != Known::kHalfOpen) return;
      enter(world, Known::kOpen);
      world.until = world.now;
    });
  }

  // Whatever has happened: a hook that works again is asked again, however many requests were never reported.
  void must_recover(World world) {
    world.now += Duration(1'000);
    const Decision probe = step(world, Asked{});
    require(probe.admitted.has_value(), "the breaker never closes again");
    if (!probe.admitted) return;
    const Decision closed = decide_(settings_, probe.next, Worked{*probe.admitted}, world.now);
    require(std::holds_alternative<Closed>(closed.next.phase), "a probe that worked does not close the breaker");
  }

  void visit(const World& world) {
    static const char* const kNames[] = {"closed", "open", "half_open"};
    require(name_of(world.machine.phase) == kNames[static_cast<int>(world.phase)], "the phase is not the expected one");
    std::size_t probes = 0;
    for (const Request& request : world.requests) {
      require(request.counts == (request.span == world.machine.span), "a late request passes for a present one");
      if (request.counts) ++probes;
    }
    require(world.phase != Known::kHalfOpen || probes <= 1, "there are two probes at once");
    require(world.phase != Known::kOpen || probes == 0, "a request is under way in an open breaker");
    if (!violation_ && seen_.insert(key_of(world)).second) open_.push_back(world);
  }

  // Times count from now on, and spans back from the present one.
  static std::string key_of(const World& world) {
    const auto left = [&](MonotonicTime time) {
      return std::to_string(std::max<std::int64_t>(-1, std::chrono::duration_cast<Duration>(time - world.now).count()));
    };
    std::string key = std::string(name_of(world.machine.phase));
    if (const auto* closed = std::get_if<Closed>(&world.machine.phase)) key += std::to_string(closed->failures);
    if (const auto* open = std::get_if<Open>(&world.machine.phase)) {
      key += left(open->until) + "/" + std::to_string(open->open_for.count());
    }
    if (const auto* half = std::get_if<HalfOpen>(&world.machine.phase)) {
      key += left(half->lost_at) + "/" + std::to_string(half->open_for.count());
    }
    key += " " + std::to_string(static_cast<int>(world.phase)) + std::to_string(world.failures);
    if (world.phase != Known::kClosed) key += left(world.until) + "/" + std::to_string(world.open_for.count());
    for (const Request& request : world.requests) {
      key += (request.counts ? " +" : " -") + std::to_string(std::min<Span>(3, world.machine.span - request.span));
    }
    return key;
  }

  const Settings settings_ = explored_settings();
  Machine decide_;
  std::deque<World> open_;
  std::set<std::string> seen_;
  std::optional<std::string> violation_;
};

}  // namespace callpark::authz::breaker
