#include "base/metrics.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <thread>
#include <vector>

namespace callpark {
namespace {

using testing::HasSubstr;

TEST(Metrics, AreServedAsText) {
  Metrics metrics;
  metrics.counter("parks_total", "Calls parked.", {{"tenant", "demo"}}).increment(3);
  metrics.gauge("parked_calls", "Calls that are parked now.").set(7);
  metrics.histogram("park_seconds", "From REFER to music.", {0.01, 0.1}).observe(0.05);
  const std::string text = metrics.serialise();
  EXPECT_THAT(text, HasSubstr("# HELP parks_total Calls parked.\n# TYPE parks_total counter\n"));
  EXPECT_THAT(text, HasSubstr("parks_total{tenant=\"demo\"} 3"));
  EXPECT_THAT(text, HasSubstr("parked_calls 7"));
  EXPECT_THAT(text, HasSubstr("park_seconds_bucket{le=\"0.01\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("park_seconds_bucket{le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("park_seconds_count 1\n"));
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  metrics.counter("parks_total", "Calls parked.").increment();
  metrics.counter("parks_total", "Calls parked.").increment();
  EXPECT_EQ(metrics.counter("parks_total", "Calls parked.").value(), 2);
  EXPECT_EQ(metrics.counter("parks_total", "Calls parked.", {{"tenant", "demo"}}).value(), 0);
}

TEST(Metrics, AGaugeGoesUpAndDown) {
  Metrics metrics;
  Gauge gauge = metrics.gauge("parked_calls", "Calls that are parked now.");
  gauge.add(2);
  gauge.add(-1);
  EXPECT_EQ(gauge.value(), 1);
}

TEST(Metrics, CountFromAnyThread) {
  Metrics metrics;
  Counter counter = metrics.counter("parks_total", "Calls parked.");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([counter]() mutable {
      for (int n = 0; n < 1000; ++n) counter.increment();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 4000);
}

TEST(Metrics, ABadNameIsOurOwnMistake) {
  Metrics metrics;
  EXPECT_THROW(metrics.counter("parks total", "A space."), std::invalid_argument);
}

TEST(Metrics, ALabelsBytesCannotBreakTheText) {
  Metrics metrics;
  metrics.counter("parks_total", "Calls parked.", {{"tenant", "a\"b\nc"}}).increment();
  EXPECT_THAT(metrics.serialise(), HasSubstr("tenant=\"a\\\"b\\nc\""));
}

}  // namespace
}  // namespace callpark
