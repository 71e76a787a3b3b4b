// Walks through every state that one question to a billing hook and the attempts around it can reach: each attempt ends
// in each way, at any time, and reports late ones too. What must always hold is checked against facts of the walk
// itself.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/match.h"
#include "parkd/authz/hook_exchange.h"

namespace callpark::authz::exchange {

struct Machine {
  std::function<Decision(const Settings&, std::string, std::size_t, std::optional<breaker::Span>, MonotonicTime)> begin;
  std::function<Decision(const Settings&, const State&, const Event&, MonotonicTime)> decide;
};

inline Machine real_machine() {
  return {[](const Settings& settings, std::string id, std::size_t in_flight, std::optional<breaker::Span> admitted,
             MonotonicTime now) { return begin(settings, std::move(id), in_flight, admitted, now); },
          [](const Settings& settings, const State& state, const Event& event, MonotonicTime now) {
            return decide(settings, state, event, now);
          }};
}

constexpr MonotonicTime kBegan{std::chrono::hours(1)};
constexpr breaker::Span kSpan = 7;
inline const std::string kWebhookId = "q_abcdefghijklmnopqrstuvwxyz";
inline const std::string kAllowBody = R"({"decision":"allow","max_park_seconds":60})";
inline const std::string kDenyBody = R"({"decision":"deny","reason":"blocked","text":"Call us."})";

struct World {
  State machine;
  MonotonicTime now = kBegan;
  int sends = 0;
  Attempt running = 0;   // 0: none
  bool reached = false;  // whether an attempt that has ended may have reached the hook
  bool is_over = false;
};

class ExchangeExplorer {
 public:
  ExchangeExplorer(Settings settings, Machine machine) : settings_(settings), machine_(std::move(machine)) {}

  /// Returns the first violation.
  std::optional<std::string> explore() {
    World world;
    const Decision decision = machine_.begin(settings_, kWebhookId, 0, kSpan, world.now);
    world.machine = decision.next;
    perform(world, decision, nullptr);
    require(world.sends == 1, "the question is not sent");
    visit(world);
    while (!open_.empty() && !violation_) {
      const World next = open_.front();
      open_.pop_front();
      expand(next);
    }
    return violation_;
  }
  std::size_t worlds() const { return seen_.size(); }

 private:
  static constexpr Duration kTick{100};

  void require(bool holds, const char* sentence) {
    if (!holds && !violation_) violation_ = sentence;
  }

  MonotonicTime budget_end() const { return kBegan + settings_.budget; }

  void expand(const World& world) {
    if (world.now < budget_end() + 3 * kTick) {
      World later = world;
      later.now += kTick;
      visit(later);
    }
    feed(world, TimePassed{});
    feed(world, Withdrawn{});
    for (const Attempt attempt : {1, 2}) {
      if (attempt > world.sends) continue;  // nothing reports an attempt that was never made
      for (const int status : {200, 204, 302, 404, 500, 503}) {
        feed(world, Answered{attempt, status, kAllowBody});
        feed(world, Answered{attempt, status, kDenyBody});
        feed(world, Answered{attempt, status, "garbage"});
      }
      feed(world, AttemptFailed{attempt, Failed::Why::kConnect, false});
      feed(world, AttemptFailed{attempt, Failed::Why::kTls, false});
      for (const bool reached : {false, true}) {
        feed(world, AttemptFailed{attempt, Failed::Why::kTimeout, reached});
        feed(world, AttemptFailed{attempt, Failed::Why::kBroken, reached});
      }
      feed(world, AttemptFailed{attempt, Failed::Why::kTooLong, true});
    }
  }

  /// The attempt that an event ends; 0 if it ends none.
  static Attempt attempt_of(const Event& event) {
    return std::visit(overloaded{[](const Answered& e) { return e.attempt; },
                                 [](const AttemptFailed& e) { return e.attempt; }, [](const auto&) { return 0; }},
                      event);
  }

  void feed(World world, const Event& event) {
    const Decision decision = machine_.decide(settings_, world.machine, event, world.now);
    const Attempt reported = attempt_of(event);
    const bool is_late = world.is_over || (reported != 0 && reported != world.running);
    if (is_late) {
      require(decision.next == world.machine && decision.actions.empty(), "a late event changes something");
      return;
    }
    const int sends_before = world.sends;
    if (reported != 0) {
      world.running = 0;
      if (const auto* failed = std::get_if<AttemptFailed>(&event)) world.reached |= failed->may_have_reached;
      if (std::holds_alternative<Answered>(event)) world.reached = true;
    }
    world.machine = decision.next;
    perform(world, decision, &event);
    require(std::holds_alternative<Over>(world.machine.phase) == world.is_over, "the phase and the outcome differ");
    if (std::holds_alternative<Withdrawn>(event)) require(world.is_over, "a withdrawn question goes on");
    if (reported != 0) {
      const bool is_due = sends_before == 1 && world.now + settings_.retry_least <= budget_end() &&
                          world.now < budget_end() && is_worth_a_retry(event);
      require((world.sends == 2 && sends_before == 1) == is_due,
              is_due ? "a retry is missing" : "a retry is sent that must not be");
    }
    if (std::holds_alternative<TimePassed>(event) && world.now >= budget_end()) {
      require(world.is_over, "the question outlives its budget");
    }
    if (std::holds_alternative<TimePassed>(event) && sends_before == 1 &&
        world.now >= kBegan + settings_.first_attempt) {
      require(world.sends == 2 || world.is_over, "the first attempt outlives its time");
    }
    visit(world);
  }

  static bool is_worth_a_retry(const Event& event) {
    if (const auto* answered = std::get_if<Answered>(&event)) return answered->status / 100 == 5;
    const auto* failed = std::get_if<AttemptFailed>(&event);
    return failed && (failed->why == Failed::Why::kConnect || failed->why == Failed::Why::kTimeout);
  }

  void perform(World& world, const Decision& decision, const Event* event) {
    int reports = 0;
    std::optional<breaker::Event> report;
    std::optional<Outcome> outcome;
    for (const Action& action : decision.actions) {
      require(!world.is_over, "something follows the end");
      std::visit(overloaded{[&](const Send& send) { on_send(world, send); },
                            [&](const Abort& abort) {
                              require(abort.attempt == world.running, "an attempt is aborted that is not under way");
                              world.running = 0;
                              world.reached = true;
                            },
                            [&](const ReportToBreaker& action_report) {
                              ++reports;
                              report = action_report.report;
                            },
                            [&](const Conclude& conclude) {
                              require(!outcome, "there are two outcomes");
                              outcome = conclude.outcome;
                            }},
                 action);
    }
    const bool is_withdrawn = event && std::holds_alternative<Withdrawn>(*event);
    world.is_over = outcome.has_value() || is_withdrawn;
    require(!is_withdrawn || !outcome, "a withdrawn question has an outcome");
    require(!world.is_over || world.running == 0, "an attempt outlives the question");
    require(reports == (world.is_over ? 1 : 0), "the breaker learns of the question not at all, or too often");
    if (report) check_report(*report, outcome);
    check_outcome(world, outcome, event);
  }

  void on_send(World& world, const Send& send) {
    require(world.running == 0, "two attempts are under way");
    require(send.attempt == world.sends + 1 && send.attempt <= 2, "an attempt has the wrong number");
    require(send.webhook_id == kWebhookId, "the webhook-id has changed");
    require(send.answer_within > Duration(0) && world.now + send.answer_within <= budget_end(),
            "an attempt may outlive the budget");
    require(send.attempt != 1 || send.answer_within <= settings_.first_attempt, "the first attempt has too much time");
    require(send.connect_within <= settings_.connect && send.connect_within <= send.answer_within,
            "an attempt may outlive the connect budget");
    world.running = send.attempt;
    ++world.sends;
  }

  void check_report(const breaker::Event& report, const std::optional<Outcome>& outcome) {
    std::visit(overloaded{[&](const breaker::Asked&) { require(false, "the breaker is asked again"); },
                          [&](const auto& one) { require(one.span == kSpan, "the report is of another span"); }},
               report);
    if (!outcome) {
      require(std::holds_alternative<breaker::Abandoned>(report), "a withdrawn question is reported as more than that");
    } else if (std::holds_alternative<Failed>(*outcome)) {
      require(std::holds_alternative<breaker::Failed>(report), "a failure is not reported to the breaker");
    } else {
      require(std::holds_alternative<breaker::Worked>(report), "an answer is not reported to the breaker");
    }
  }

  void check_outcome(const World& world, const std::optional<Outcome>& outcome, const Event* event) {
    const auto* answered = event ? std::get_if<Answered>(event) : nullptr;
    const bool is_in_time = answered && answered->status == 200 && world.now < budget_end();
    std::optional<Outcome> due;
    if (is_in_time && answered->body == kAllowBody) due = Allowed{HookTerms{60, "", ""}};
    if (is_in_time && answered->body == kDenyBody) due = Denied{DenyReason::kBlocked, "Call us."};
    if (due) return require(outcome == due, "an answer in time is not the outcome");
    if (!outcome) return;
    const auto* failed = std::get_if<Failed>(&*outcome);
    require(failed && event, "what is no answer has become one");
    if (!failed || !event) return;
    require(failed->may_have_reached == world.reached, "the failure is wrong about whether the hook was reached");
    require(failed->why == why_of(*event, world), "the failure has the wrong reason");
  }

  Failed::Why why_of(const Event& event, const World& world) const {
    using Why = Failed::Why;
    if (const auto* failed = std::get_if<AttemptFailed>(&event)) return failed->why;
    const auto* answered = std::get_if<Answered>(&event);
    if (!answered || world.now >= budget_end()) return Why::kTimeout;
    if (answered->status == 200) return Why::kBadAnswer;
    return answered->status / 100 == 5   ? Why::kServerError
           : answered->status / 100 == 3 ? Why::kRedirect
                                         : Why::kUnexpectedStatus;
  }

  void visit(const World& world) {
    const auto since = [](MonotonicTime time) {
      return " " + std::to_string(std::chrono::duration_cast<Duration>(time - kBegan).count());
    };
    std::string key = since(world.now) + " " + std::to_string(world.sends) + std::to_string(world.running) +
                      (world.reached ? "r" : "") + (world.is_over ? "o" : "") + world.machine.webhook_id;
    if (const auto* sending = std::get_if<Sending>(&world.machine.phase)) {
      key += since(sending->attempt_ends) + since(sending->budget_ends) + " " + std::to_string(sending->attempt) +
             (sending->may_have_reached ? "r" : "");
    }
    if (!violation_ && seen_.insert(key).second) open_.push_back(world);
  }

  const Settings settings_;
  const Machine machine_;
  std::deque<World> open_;
  std::set<std::string> seen_;
  std::optional<std::string> violation_;
};

}  // namespace callpark::authz::exchange
