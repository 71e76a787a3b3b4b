#include "parkd/authz/circuit_breaker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "tests/unit/parkd/authz/breaker_explorer.h"

namespace callpark::authz::breaker {
namespace {

using std::chrono::milliseconds;

constexpr MonotonicTime kStart{std::chrono::hours(1)};

/// A breaker on a clock that the test moves.
class Breaker {
 public:
  explicit Breaker(const Settings& with = {}) : settings(with) {}

  std::optional<Span> ask() { return feed(Asked{}).admitted; }
  /// Asks, and reports that the hook failed.
  bool fail() {
    return after_asking([](Span span) { return Failed{span}; });
  }
  bool work() {
    return after_asking([](Span span) { return Worked{span}; });
  }
  Decision feed(const Event& event) {
    Decision decision = decide(settings, state, event, now);
    state = decision.next;
    return decision;
  }
  std::string phase() const { return std::string(name_of(state.phase)); }

  Settings settings;
  State state;
  MonotonicTime now = kStart;

 private:
  template <class F>
  bool after_asking(F report) {
    const auto admitted = ask();
    if (admitted) feed(report(*admitted));
    return admitted.has_value();
  }
};

TEST(CircuitBreaker, B2_FiveFailuresInARowOpenIt) {
  Breaker breaker;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(breaker.fail());
  EXPECT_EQ(breaker.phase(), "closed");
  EXPECT_TRUE(breaker.fail());
  EXPECT_EQ(breaker.phase(), "open");
  EXPECT_EQ(breaker.ask(), std::nullopt);
}

TEST(CircuitBreaker, B2_ASuccessBetweenFailuresKeepsItClosed) {
  Breaker breaker;
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 4; ++j) EXPECT_TRUE(breaker.fail());
    EXPECT_TRUE(breaker.work());
  }
  EXPECT_EQ(breaker.phase(), "closed");
}

TEST(CircuitBreaker, B2_StaysOpenTwiceAsLongWithEachFailedProbeUpToTheMaximum) {
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.fail();
  for (const int milliseconds_open : {1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000, 60'000}) {
    breaker.now += milliseconds(milliseconds_open - 1);
    EXPECT_FALSE(breaker.ask()) << milliseconds_open;
    breaker.now += milliseconds(1);
    EXPECT_TRUE(breaker.fail()) << milliseconds_open;
    EXPECT_EQ(breaker.phase(), "open");
  }
}

TEST(CircuitBreaker, B2_AProbeThatWorksClosesItAndForgetsTheDelay) {
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.fail();
  for (int i = 0; i < 3; ++i) {
    breaker.now += milliseconds(60'000);
    breaker.fail();
  }
  breaker.now += milliseconds(60'000);
  EXPECT_TRUE(breaker.work());
  EXPECT_EQ(breaker.phase(), "closed");
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(breaker.fail());
  breaker.now += milliseconds(1'000);
  EXPECT_TRUE(breaker.work());
}

TEST(CircuitBreaker, B2_OneProbeIsAdmittedAtATime) {
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.fail();
  breaker.now += milliseconds(1'000);
  EXPECT_TRUE(breaker.ask());
  EXPECT_EQ(breaker.phase(), "half_open");
  EXPECT_FALSE(breaker.ask());
}

TEST(CircuitBreaker, B2_ReportOfBeforeTheOpeningChangesNothing) {
  Breaker breaker;
  const auto late = breaker.ask();
  ASSERT_TRUE(late);
  for (int i = 0; i < 5; ++i) breaker.fail();
  const State open = breaker.state;
  breaker.feed(Worked{*late});
  EXPECT_EQ(breaker.state, open);
  breaker.now += milliseconds(1'000);
  breaker.ask();
  const State half_open = breaker.state;
  for (const Event& event : {Event(Worked{*late}), Event(Failed{*late}), Event(Abandoned{*late})}) {
    breaker.feed(event);
    EXPECT_EQ(breaker.state, half_open);
  }
}

TEST(CircuitBreaker, B2_AWithdrawnProbeIsFollowedByAnother) {
  Breaker breaker;
  for (int i = 0; i < 5; ++i) breaker.fail();
  breaker.now += milliseconds(1'000);
  const auto probe = breaker.ask();
  ASSERT_TRUE(probe);
  breaker.feed(Abandoned{*probe});
  EXPECT_EQ(breaker.phase(), "open");
  EXPECT_TRUE(breaker.work());
  EXPECT_EQ(breaker.phase(), "closed");
}

TEST(CircuitBreaker, B2_SettingsAreLiveForTheNextRequest) {
  Breaker breaker;
  for (int i = 0; i < 3; ++i) breaker.fail();
  breaker.settings.failures_max = 2;
  EXPECT_TRUE(breaker.fail());
  EXPECT_EQ(breaker.phase(), "open");
  breaker.settings.open_max = milliseconds(500);
  breaker.now += milliseconds(1'000);
  EXPECT_TRUE(breaker.fail());
  breaker.now += milliseconds(500);
  EXPECT_TRUE(breaker.ask());
}

TEST(CircuitBreaker, B2_ThresholdOfZeroNeverOpensIt) {
  Breaker breaker({0});
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(breaker.fail());
  EXPECT_EQ(breaker.phase(), "closed");
}

// ---- every reachable state, and machines with one fault each ----

Machine real_machine() {
  return [](const Settings& settings, const State& state, const Event& event, MonotonicTime now) {
    return decide(settings, state, event, now);
  };
}

struct Mutant {
  std::string name;
  Machine machine;
};

/// Works with other arguments than it was given.
Mutant reads(std::string name, std::function<void(Settings&, const State&, Event&, MonotonicTime&)> misread) {
  return {std::move(name),
          [misread = std::move(misread)](Settings settings, const State& state, Event event, MonotonicTime now) {
            misread(settings, state, event, now);
            return decide(settings, state, event, now);
          }};
}
/// Decides something else.
Mutant decides(std::string name, std::function<void(const State&, const Event&, Decision&)> mistake) {
  return {std::move(name), [mistake = std::move(mistake)](const Settings& settings, const State& state,
                                                          const Event& event, MonotonicTime now) {
            Decision decision = decide(settings, state, event, now);
            mistake(state, event, decision);
            return decision;
          }};
}

template <class P>
bool is_in(const State& state) {
  return std::holds_alternative<P>(state.phase);
}

std::vector<Mutant> mutants() {
  return {
      reads("believes late reports",
            [](Settings&, const State& state, Event& event, MonotonicTime&) {
              std::visit(
                  [&](auto& report) {
                    if constexpr (!std::is_same_v<std::decay_t<decltype(report)>, Asked>) report.span = state.span;
                  },
                  event);
            }),
      decides("counts failures that are not in a row",
              [](const State& state, const Event& event, Decision& decision) {
                if (is_in<Closed>(state) && std::holds_alternative<Worked>(event)) decision.next = state;
              }),
      reads("never opens", [](Settings& settings, const State&, Event&, MonotonicTime&) { settings.failures_max = 0; }),
      reads("opens a failure too late",
            [](Settings& settings, const State&, Event&, MonotonicTime&) { ++settings.failures_max; }),
      reads("opens a failure too early",
            [](Settings& settings, const State&, Event&, MonotonicTime&) { --settings.failures_max; }),
      reads("probes a tick too early",
            [](Settings&, const State& state, Event& event, MonotonicTime& now) {
              if (is_in<Open>(state) && std::holds_alternative<Asked>(event)) now += Duration(1);
            }),
      reads("probes a tick too late",
            [](Settings&, const State& state, Event& event, MonotonicTime& now) {
              if (is_in<Open>(state) && std::holds_alternative<Asked>(event)) now -= Duration(1);
            }),
      reads("probes twice at once",
            [](Settings& settings, const State&, Event&, MonotonicTime&) { settings.probe_lost_after = Duration(0); }),
      reads("waits for a lost probe for ever",
            [](Settings& settings, const State&, Event&, MonotonicTime&) {
              settings.probe_lost_after = std::chrono::hours(1);
            }),
      reads("closes after a failed probe",
            [](Settings&, const State& state, Event& event, MonotonicTime&) {
              if (const auto* failed = std::get_if<Failed>(&event); failed && is_in<HalfOpen>(state)) {
                event = Worked{failed->span};
              }
            }),
      reads("does not wait longer after a failed probe",
            [](Settings& settings, const State&, Event&, MonotonicTime&) { settings.open_max = settings.open_first; }),
      reads("waits without a maximum", [](Settings& settings, const State&, Event&,
                                          MonotonicTime&) { settings.open_max = std::chrono::hours(1); }),
      reads("treats a withdrawn request as a failure",
            [](Settings&, const State&, Event& event, MonotonicTime&) {
              if (const auto* abandoned = std::get_if<Abandoned>(&event)) event = Failed{abandoned->span};
            }),
      reads("treats a withdrawn request as a success",
            [](Settings&, const State&, Event& event, MonotonicTime&) {
              if (const auto* abandoned = std::get_if<Abandoned>(&event)) event = Worked{abandoned->span};
            }),
      decides("ignores a withdrawn probe",
              [](const State& state, const Event& event, Decision& decision) {
                if (std::holds_alternative<Abandoned>(event)) decision.next = state;
              }),
      decides("ignores a probe that worked",
              [](const State& state, const Event& event, Decision& decision) {
                if (is_in<HalfOpen>(state) && std::holds_alternative<Worked>(event)) decision.next = state;
              }),
      decides("begins no span when it opens",
              [](const State& state, const Event&, Decision& decision) {
                if (is_in<Closed>(state) && is_in<Open>(decision.next)) decision.next.span = state.span;
              }),
      decides("begins no span with a probe after a lost one",
              [](const State& state, const Event&, Decision& decision) {
                if (!is_in<HalfOpen>(state) || !is_in<HalfOpen>(decision.next) || !decision.admitted) return;
                decision.next.span = state.span;
                decision.admitted = state.span;
              }),
      decides("opens again at the first failure after it has closed",
              [](const State& state, const Event&, Decision& decision) {
                if (is_in<HalfOpen>(state) && is_in<Closed>(decision.next)) decision.next.phase = Closed{1};
              }),
      decides("admits in the span before",
              [](const State&, const Event&, Decision& decision) {
                if (decision.admitted) --*decision.admitted;
              }),
  };
}

TEST(CircuitBreakerExplorer, B2_EveryReachableStateIsTheOneOfTheModelAndRecovers) {
  BreakerExplorer explorer(real_machine());
  const auto violation = explorer.explore();
  EXPECT_FALSE(violation) << *violation;
  std::cout << "the circuit breaker and its requests: " << explorer.worlds() << " reachable states\n";
  EXPECT_GT(explorer.worlds(), 200U);
}

TEST(CircuitBreakerExplorer, B2_EveryMutantIsFound) {
  const auto all = mutants();
  for (const Mutant& mutant : all) {
    EXPECT_TRUE(BreakerExplorer(mutant.machine).explore()) << "survived: " << mutant.name;
  }
  std::cout << all.size() << " mutants of the circuit breaker\n";
}

}  // namespace
}  // namespace callpark::authz::breaker
