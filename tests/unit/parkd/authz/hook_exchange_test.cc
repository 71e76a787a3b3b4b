#include "parkd/authz/hook_exchange.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/parkd/authz/exchange_explorer.h"

namespace callpark::authz::exchange {
namespace {

using Why = Failed::Why;

template <class T>
const T* action_in(const Decision& decision) {
  for (const Action& action : decision.actions) {
    if (const auto* found = std::get_if<T>(&action)) return found;
  }
  return nullptr;
}

/// One question on a clock that the test moves.
class Question {
 public:
  explicit Question(Settings settings = {}) : settings_(settings) {
    last_ = begin(settings_, kWebhookId, 0, kSpan, now_);
  }
  const Decision& feed(const Event& event, Duration later = Duration(0)) {
    now_ += later;
    last_ = decide(settings_, last_.next, event, now_);
    return last_;
  }
  const Decision& last() const { return last_; }

 private:
  Settings settings_;
  MonotonicTime now_ = kBegan;
  Decision last_;
};

std::string outcome_of(const Decision& decision) {
  const auto* conclude = action_in<Conclude>(decision);
  return conclude ? std::string(name_of(conclude->outcome)) : "none";
}

TEST(HookExchange, B2_AnAllowIsTheOutcomeWithItsTerms) {
  Question question;
  const Decision& decision = question.feed(Answered{1, 200, kAllowBody}, Duration(20));
  ASSERT_TRUE(action_in<Conclude>(decision));
  EXPECT_EQ(action_in<Conclude>(decision)->outcome, Outcome(Allowed{HookTerms{60, "", ""}}));
}

TEST(HookExchange, B2_ARefusedConnectionIsTriedOnceMoreAtOnce) {
  Question question;
  const Decision& retry = question.feed(AttemptFailed{1, Why::kConnect, false}, Duration(3));
  ASSERT_TRUE(action_in<Send>(retry));
  EXPECT_EQ(action_in<Send>(retry)->attempt, 2);
  EXPECT_EQ(action_in<Send>(retry)->webhook_id, kWebhookId);
  EXPECT_EQ(action_in<Send>(retry)->answer_within, Duration(797));
  EXPECT_EQ(outcome_of(question.feed(AttemptFailed{2, Why::kConnect, false}, Duration(3))), "connect");
}

TEST(HookExchange, B2_AHookThatHangsIsAskedAgainWithTheRestOfTheBudget) {
  Question question;
  EXPECT_EQ(action_in<Send>(question.last())->answer_within, Duration(500));
  EXPECT_TRUE(question.feed(TimePassed{}, Duration(499)).actions.empty());
  const Decision& retry = question.feed(TimePassed{}, Duration(1));
  ASSERT_TRUE(action_in<Abort>(retry));
  ASSERT_TRUE(action_in<Send>(retry));
  EXPECT_EQ(action_in<Send>(retry)->answer_within, Duration(300));
  EXPECT_TRUE(question.feed(TimePassed{}, Duration(299)).actions.empty());
  EXPECT_EQ(outcome_of(question.feed(TimePassed{}, Duration(1))), "timeout");
}

TEST(HookExchange, B2_TheAnswerToTheFirstAttemptIsLateOnceTheRetryIsSent) {
  Question question;
  question.feed(TimePassed{}, Duration(500));
  EXPECT_TRUE(question.feed(Answered{1, 200, kDenyBody}).actions.empty());
  EXPECT_EQ(outcome_of(question.feed(Answered{2, 200, kAllowBody})), "allowed");
}

TEST(HookExchange, B2_NoRetryBeginsWithTooLittleTime) {
  Question question;
  EXPECT_EQ(outcome_of(question.feed(Answered{1, 503, ""}, Duration(751))), "server_error");
  Question in_time;
  EXPECT_EQ(outcome_of(in_time.feed(Answered{1, 503, ""}, Duration(750))), "none");
}

TEST(HookExchange, B2_EachUselessAnswerIsAFailureOfItsOwnName) {
  const auto failure_of = [](const Event& event) { return outcome_of(Question().feed(event)); };
  EXPECT_EQ(failure_of(Answered{1, 200, "garbage"}), "bad_answer");
  EXPECT_EQ(failure_of(Answered{1, 200, ""}), "bad_answer");
  EXPECT_EQ(failure_of(Answered{1, 302, kAllowBody}), "redirect");
  EXPECT_EQ(failure_of(Answered{1, 204, ""}), "unexpected_status");
  EXPECT_EQ(failure_of(Answered{1, 403, kDenyBody}), "unexpected_status");
  EXPECT_EQ(failure_of(Answered{1, 0, kAllowBody}), "unexpected_status");
  EXPECT_EQ(failure_of(AttemptFailed{1, Why::kTls, false}), "tls");
  EXPECT_EQ(failure_of(AttemptFailed{1, Why::kTooLong, true}), "too_long");
  EXPECT_EQ(failure_of(AttemptFailed{1, Why::kBroken, true}), "broken");
}

TEST(HookExchange, B2_WithTooManyInFlightNothingIsSentAndTheBreakerForgetsTheProbe) {
  Settings settings;
  settings.in_flight_max = 2;
  const Decision full = begin(settings, kWebhookId, 2, kSpan, kBegan);
  EXPECT_FALSE(action_in<Send>(full));
  EXPECT_EQ(outcome_of(full), "too_many_in_flight");
  ASSERT_TRUE(action_in<ReportToBreaker>(full));
  EXPECT_TRUE(std::holds_alternative<breaker::Abandoned>(action_in<ReportToBreaker>(full)->report));
  EXPECT_TRUE(action_in<Send>(begin(settings, kWebhookId, 1, kSpan, kBegan)));
}

TEST(HookExchange, B2_WithAnOpenBreakerNothingIsSentOrReported) {
  const Decision refused = begin(Settings{}, kWebhookId, 0, std::nullopt, kBegan);
  ASSERT_EQ(refused.actions.size(), 1U);
  EXPECT_EQ(outcome_of(refused), "breaker_open");
  EXPECT_TRUE(decide(Settings{}, refused.next, Answered{1, 200, kAllowBody}, kBegan).actions.empty());
}

TEST(HookExchange, B2_OnErrorAParkIsDeniedAndARetrieveAndAnIncomingCallAreNot) {
  const Settings settings;
  const auto on_error = [&](HookEvent event) { return permits(Failed{}, policy_of(settings, event)); };
  EXPECT_FALSE(on_error(HookEvent::kPark));
  EXPECT_TRUE(on_error(HookEvent::kRetrieve));
  EXPECT_TRUE(on_error(HookEvent::kIncomingCall));
}

TEST(HookExchange, B2_ThePolicyOfErrorsNeverChangesAnAnswer) {
  for (const OnError policy : {OnError::kAllow, OnError::kDeny}) {
    EXPECT_TRUE(permits(Allowed{}, policy));
    EXPECT_FALSE(permits(Denied{}, policy));
  }
}

TEST(HookExchange, B2_EachFailureHasAWordOfItsOwnForTheMetric) {
  std::set<std::string_view> words;
  for (int why = 0; why <= static_cast<int>(Why::kBadAnswer); ++why) words.insert(name_of(static_cast<Why>(why)));
  EXPECT_EQ(words.size(), 11U);
  EXPECT_FALSE(words.count(""));
}

// ---- every reachable state, and machines with one fault each ----

struct Mutant {
  std::string name;
  Machine machine;
};

using Mistake = std::function<void(const State& before, const Event& event, MonotonicTime now, Decision& decision)>;

Mutant decides(std::string name, Mistake mistake) {
  Machine machine = real_machine();
  machine.decide = [mistake = std::move(mistake)](const Settings& settings, const State& state, const Event& event,
                                                  MonotonicTime now) {
    Decision decision = decide(settings, state, event, now);
    mistake(state, event, now, decision);
    return decision;
  };
  return {std::move(name), std::move(machine)};
}

Mutant reads(std::string name, std::function<void(Settings&, State&, Event&, MonotonicTime&)> misread) {
  Machine machine = real_machine();
  machine.decide = [misread = std::move(misread)](Settings settings, State state, Event event, MonotonicTime now) {
    misread(settings, state, event, now);
    return decide(settings, state, event, now);
  };
  return {std::move(name), std::move(machine)};
}

Mutant begins(std::string name, std::function<void(Settings&)> misread) {
  Machine machine = real_machine();
  machine.begin = [misread = std::move(misread)](Settings settings, std::string id, std::size_t in_flight,
                                                 std::optional<breaker::Span> admitted, MonotonicTime now) {
    misread(settings);
    return begin(settings, std::move(id), in_flight, admitted, now);
  };
  return {std::move(name), std::move(machine)};
}

template <class A>
void remove(Decision& decision) {
  auto& actions = decision.actions;
  actions.erase(std::remove_if(actions.begin(), actions.end(),
                               [](const Action& action) { return std::holds_alternative<A>(action); }),
                actions.end());
}

template <class A>
Mutant forgets(const std::string& what) {
  return decides("forgets " + what,
                 [](const State&, const Event&, MonotonicTime, Decision& decision) { remove<A>(decision); });
}

template <class A, class F>
Mutant changes(std::string name, F change) {
  return decides(std::move(name), [change](const State&, const Event&, MonotonicTime now, Decision& decision) {
    for (Action& action : decision.actions) {
      if (auto* found = std::get_if<A>(&action)) change(*found, now);
    }
  });
}

// Of the failure `from`, what follows is what follows of `to`.
Mutant confuses(std::string name, Why from, Why to) {
  return reads(std::move(name), [from, to](Settings&, State&, Event& event, MonotonicTime&) {
    auto* failed = std::get_if<AttemptFailed>(&event);
    if (failed && failed->why == from) failed->why = to;
  });
}

std::vector<Mutant> mutants() {
  return {
      forgets<Send>("the retry"),
      forgets<Abort>("to abort"),
      forgets<ReportToBreaker>("the breaker"),
      forgets<Conclude>("the outcome"),
      begins("gives the first attempt the whole budget", [](Settings& s) { s.first_attempt = s.budget; }),
      begins("begins with too large a budget", [](Settings& s) { s.budget += Duration(100); }),
      begins("begins without a connect budget", [](Settings& s) { s.connect = s.budget; }),
      begins("sends nothing", [](Settings& s) { s.in_flight_max = 0; }),
      confuses("retries after a wrong certificate", Why::kTls, Why::kConnect),
      confuses("retries after a broken connection", Why::kBroken, Why::kTimeout),
      confuses("retries after too long an answer", Why::kTooLong, Why::kTimeout),
      confuses("does not retry after a refused connection", Why::kConnect, Why::kBroken),
      reads("retries after a redirect",
            [](Settings&, State&, Event& event, MonotonicTime&) {
              if (auto* answered = std::get_if<Answered>(&event); answered && answered->status == 302) {
                answered->status = 500;
              }
            }),
      reads("reads the body of any status",
            [](Settings&, State&, Event& event, MonotonicTime&) {
              if (auto* answered = std::get_if<Answered>(&event)) answered->status = 200;
            }),
      reads("allows what it cannot read",
            [](Settings&, State&, Event& event, MonotonicTime&) {
              if (auto* answered = std::get_if<Answered>(&event); answered && answered->body == "garbage") {
                answered->body = R"({"decision":"allow"})";
              }
            }),
      reads("believes reports of the attempt before",
            [](Settings&, State& state, Event& event, MonotonicTime&) {
              const auto* sending = std::get_if<Sending>(&state.phase);
              if (!sending) return;
              if (auto* answered = std::get_if<Answered>(&event)) answered->attempt = sending->attempt;
              if (auto* failed = std::get_if<AttemptFailed>(&event)) failed->attempt = sending->attempt;
            }),
      reads("retries for ever",
            [](Settings&, State& state, Event& event, MonotonicTime&) {
              auto* sending = std::get_if<Sending>(&state.phase);
              const auto* failed = std::get_if<AttemptFailed>(&event);
              if (!sending || !failed || failed->attempt != sending->attempt) return;
              sending->attempt = 1;
              event = AttemptFailed{1, failed->why, failed->may_have_reached};
            }),
      reads("accepts answers after the budget",
            [](Settings&, State&, Event& event, MonotonicTime& now) {
              if (std::holds_alternative<Answered>(event)) now = kBegan;
            }),
      reads("never ends by itself",
            [](Settings&, State&, Event& event, MonotonicTime& now) {
              if (std::holds_alternative<TimePassed>(event)) now = kBegan;
            }),
      reads("begins a retry with no time left",
            [](Settings& settings, State& state, Event&, MonotonicTime&) {
              settings.retry_least = Duration(0);
              if (auto* sending = std::get_if<Sending>(&state.phase)) sending->budget_ends += Duration(100);
            }),
      reads("begins a retry with too little time left",
            [](Settings& settings, State&, Event&, MonotonicTime&) { settings.retry_least = Duration(0); }),
      reads("forgets that the first attempt may have reached the hook",
            [](Settings&, State& state, Event&, MonotonicTime&) {
              if (auto* sending = std::get_if<Sending>(&state.phase)) sending->may_have_reached = false;
            }),
      reads("is sure that a broken connection has reached nothing",
            [](Settings&, State&, Event& event, MonotonicTime&) {
              if (auto* failed = std::get_if<AttemptFailed>(&event)) failed->may_have_reached = false;
            }),
      decides("gives the retry a budget of its own",
              [](const State&, const Event&, MonotonicTime now, Decision& decision) {
                auto* sending = std::get_if<Sending>(&decision.next.phase);
                if (sending && action_in<Send>(decision))
                  sending->budget_ends = sending->attempt_ends = now + Duration(800);
              }),
      decides("goes on after it was withdrawn",
              [](const State& before, const Event& event, MonotonicTime, Decision& decision) {
                if (std::holds_alternative<Withdrawn>(event)) decision = {before, {}};
              }),
      decides("concludes after it was withdrawn",
              [](const State&, const Event& event, MonotonicTime, Decision& decision) {
                if (std::holds_alternative<Withdrawn>(event)) decision.actions.emplace_back(Conclude{Failed{}});
              }),
      decides("concludes twice",
              [](const State&, const Event&, MonotonicTime, Decision& decision) {
                if (const auto* conclude = action_in<Conclude>(decision))
                  decision.actions.emplace_back(Conclude{*conclude});
              }),
      decides("concludes at each late answer",
              [](const State& before, const Event& event, MonotonicTime, Decision& decision) {
                if (std::holds_alternative<Over>(before.phase) && std::holds_alternative<Answered>(event)) {
                  decision.actions.emplace_back(Conclude{Allowed{}});
                }
              }),
      changes<Send>("has another webhook-id in the retry", [](Send& send, MonotonicTime) { send.webhook_id += "2"; }),
      changes<Send>("numbers the retry as the first attempt", [](Send& send, MonotonicTime) { send.attempt = 1; }),
      changes<Send>("gives the retry too much time",
                    [](Send& send, MonotonicTime) { send.answer_within += Duration(1); }),
      changes<Send>("gives the retry too much time to connect",
                    [](Send& send, MonotonicTime) { send.connect_within = Duration(10'000); }),
      changes<Conclude>("forgets the terms",
                        [](Conclude& conclude, MonotonicTime) {
                          if (std::holds_alternative<Allowed>(conclude.outcome)) conclude.outcome = Allowed{};
                        }),
      changes<Conclude>("allows what has failed",
                        [](Conclude& conclude, MonotonicTime) {
                          if (std::holds_alternative<Failed>(conclude.outcome)) conclude.outcome = Allowed{};
                        }),
      changes<ReportToBreaker>("reports a deny as a failure",
                               [](ReportToBreaker& action, MonotonicTime) {
                                 if (const auto* worked = std::get_if<breaker::Worked>(&action.report)) {
                                   action.report = breaker::Failed{worked->span};
                                 }
                               }),
      changes<ReportToBreaker>("reports a withdrawn question as a failure",
                               [](ReportToBreaker& action, MonotonicTime) {
                                 if (const auto* left = std::get_if<breaker::Abandoned>(&action.report)) {
                                   action.report = breaker::Failed{left->span};
                                 }
                               }),
  };
}

TEST(HookExchangeExplorer, B2_EveryReachableStateKeepsTheInvariants) {
  Settings patient;
  patient.retry_least = Duration(150);
  Settings without_first_limit;
  without_first_limit.first_attempt = without_first_limit.budget;
  Settings short_budget;
  short_budget.budget = Duration(100);
  Settings zero_least;
  zero_least.retry_least = Duration(0);
  for (const Settings& settings : {Settings{}, patient, without_first_limit, short_budget, zero_least}) {
    ExchangeExplorer explorer(settings, real_machine());
    const auto violation = explorer.explore();
    EXPECT_FALSE(violation) << *violation;
    std::cout << "a question to the hook: " << explorer.worlds() << " reachable states\n";
    EXPECT_GT(explorer.worlds(), 10U);
  }
}

TEST(HookExchangeExplorer, B2_EveryMutantIsFound) {
  Settings settings;
  settings.retry_least = Duration(150);
  const auto all = mutants();
  for (const Mutant& mutant : all) {
    EXPECT_TRUE(ExchangeExplorer(settings, mutant.machine).explore()) << "survived: " << mutant.name;
  }
  std::cout << all.size() << " mutants of the exchange\n";
}

}  // namespace
}  // namespace callpark::authz::exchange
