// What schedules do to call flows, on a clock that the test moves and a store that decides as the SQL statement does.
#include "parkd/service/flow_schedules.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "tests/support/virtual_time.h"

namespace callpark {
namespace {

using date::sys_seconds;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// One flow and one schedule. Answers on the loop, as the store does.
class FakeSchedules final : public ScheduleStore {
 public:
  explicit FakeSchedules(EventLoop& loop) : loop_(loop) {}

  Schedules now{1, {{"demo.callpark", "office", "UTC", {}}}, {{"demo.callpark", "day-night", "office", "0", {}}}};
  std::optional<WallTime> toggled_at;
  std::string toggled_by;
  WallTime edited_at = wall_now();
  bool is_away = false;
  int readings = 0;
  int statements = 0;
  std::vector<std::string> switched;

  flow::Status& status() { return now.flows.front().status; }
  flow::Schedule& hours() { return now.schedules.front().schedule; }
  void edit() {
    edited_at = wall_now();
    now.flows.front().edited_at = std::to_string(++now.revision);
  }
  void toggle_by_hand() {
    status() = status() == flow::Status::kOn ? flow::Status::kOff : flow::Status::kOn;
    toggled_at = wall_now();
    toggled_by = "105";
    ++now.revision;
  }

  void read(std::optional<std::uint64_t> known, Answer<std::optional<Schedules>> answer) override {
    answer_soon([this, known, answer = std::move(answer)] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      if (known == now.revision) return answer(std::nullopt);
      ++readings;
      answer(now);
    });
  }
  void switch_flow(ScheduledFlow flow, flow::Status wanted, std::optional<WallTime> edge,
                   Answer<bool> answer) override {
    answer_soon([this, flow = std::move(flow), wanted, edge, answer = std::move(answer)] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      ++statements;
      const WallTime since = edge.value_or(edited_at);
      const bool is_due = !toggled_at || *toggled_at < since || (toggled_by == "schedule" && *toggled_at < edited_at);
      if (status() == wanted || flow.edited_at != now.flows.front().edited_at || !is_due) return answer(false);
      status() = wanted;
      toggled_at = std::max(since, edited_at);
      toggled_by = "schedule";
      ++now.revision;
      switched.emplace_back(wanted == flow::Status::kOn ? "on" : "off");
      answer(true);
    });
  }

 private:
  void answer_soon(std::function<void()> answer) { answers_.push_back(loop_.after(Duration(3), std::move(answer))); }

  EventLoop& loop_;
  std::vector<LoopHandle> answers_;
};

class FlowSchedulesTest : public testing::Test {
 protected:
  test::VirtualTime time;
  EventLoop loop;
  FakeSchedules store{loop};
  int told = 0;
  std::unique_ptr<FlowSchedules> schedules;

  void start() {
    schedules = std::make_unique<FlowSchedules>(loop, store, FlowSchedules::Settings{});
    schedules->set_on_switched([this] { ++told; });
    schedules->start();
  }
  void pass(Duration duration) { test::pass(loop, duration); }
  /// A moment `ahead` of the next full second.
  static sys_seconds in(seconds ahead) { return std::chrono::ceil<seconds>(wall_now()) + ahead; }
  /// Hours from one moment to another, by UTC, each date with what it has of them.
  void add_hours(sys_seconds from, sys_seconds until) {
    using date::days;
    for (auto day = date::floor<days>(from); day < until; day += days(1)) {
      const auto begins = std::max<seconds>(from - day, seconds(0));
      const auto ends = std::min<seconds>(until - day, hours(24));
      store.hours().single.push_back({date::local_days(day.time_since_epoch()), {begins, ends}});
    }
  }
  bool is_on() { return store.status() == flow::Status::kOn; }
};

TEST_F(FlowSchedulesTest, F8_EachEdgeSwitchesAndSaysSinceWhen) {
  store.status() = flow::Status::kOff;
  const sys_seconds opens = in(minutes(10));
  add_hours(opens, opens + hours(2));
  start();
  pass(minutes(10) - seconds(1));
  EXPECT_FALSE(is_on());
  pass(seconds(3));
  EXPECT_TRUE(is_on());
  EXPECT_EQ(store.toggled_at, WallTime(opens));
  EXPECT_EQ(store.toggled_by, "schedule");
  EXPECT_EQ(told, 1);
  pass(hours(2));
  EXPECT_FALSE(is_on());
  EXPECT_EQ(store.toggled_at, WallTime(opens + hours(2)));
  EXPECT_EQ(store.statements, 2) << "one statement an edge";
}

TEST_F(FlowSchedulesTest, F8_AToggleByHandHoldsUntilTheNextEdge) {
  add_hours(in(minutes(10)), in(hours(2)));
  start();
  pass(minutes(20));
  EXPECT_TRUE(is_on());
  store.toggle_by_hand();
  pass(hours(1) + minutes(30));
  EXPECT_FALSE(is_on());
  EXPECT_EQ(store.toggled_by, "105");
  store.toggle_by_hand();
  EXPECT_TRUE(is_on());
  pass(minutes(30));
  EXPECT_FALSE(is_on()) << "the edge";
  EXPECT_EQ(store.toggled_by, "schedule");
}

TEST_F(FlowSchedulesTest, F8_AToggleJustBeforeAnEdgeDoesNotHold) {
  const sys_seconds opens = in(minutes(10));
  add_hours(opens, opens + hours(2));
  store.status() = flow::Status::kOn;
  start();
  pass(opens - wall_now() - Duration(100));
  EXPECT_FALSE(is_on());
  store.toggle_by_hand();
  pass(Duration(50));
  store.toggle_by_hand();
  pass(seconds(3));
  EXPECT_TRUE(is_on());
}

TEST_F(FlowSchedulesTest, F8_WhatWasMissedIsDoneAtTheStart) {
  store.status() = flow::Status::kOff;
  const sys_seconds opened = in(-minutes(30));
  add_hours(opened, opened + hours(2));
  store.edited_at = wall_now() - hours(24);
  store.toggled_at = wall_now() - hours(10);
  store.toggled_by = "105";
  start();
  pass(seconds(1));
  EXPECT_TRUE(is_on());
  EXPECT_EQ(store.toggled_at, WallTime(opened)) << "since the edge, not since the start";
}

TEST_F(FlowSchedulesTest, F8_WhatWasToggledWhileAwayHoldsAtTheStart) {
  store.status() = flow::Status::kOff;
  add_hours(in(-minutes(30)), in(hours(2)));
  store.toggled_at = wall_now() - minutes(5);
  store.toggled_by = "sql";
  start();
  pass(minutes(5));
  EXPECT_FALSE(is_on());
  EXPECT_EQ(store.toggled_by, "sql");
}

TEST_F(FlowSchedulesTest, F8_AnEdgeThatTheDatabaseMissedIsDoneWhenItIsBack) {
  store.status() = flow::Status::kOff;
  const sys_seconds opens = in(minutes(10));
  add_hours(opens, opens + hours(2));
  start();
  pass(minutes(9));
  store.is_away = true;
  pass(minutes(11));
  EXPECT_FALSE(is_on());
  store.is_away = false;
  pass(seconds(3));
  EXPECT_TRUE(is_on());
  EXPECT_EQ(store.toggled_at, WallTime(opens));
}

TEST_F(FlowSchedulesTest, F8_AnEditOfTheHoursCountsAtOnceForWhatTheScheduleSwitched) {
  add_hours(in(-hours(1)), in(hours(2)));
  store.status() = flow::Status::kOff;
  start();
  pass(minutes(5));
  EXPECT_TRUE(is_on());
  store.hours() = {};
  add_hours(in(-hours(3)), in(-hours(2)));
  add_hours(in(hours(1)), in(hours(2)));
  store.edit();
  pass(seconds(2));
  EXPECT_FALSE(is_on()) << "although no edge was since then";
  pass(hours(1));
  EXPECT_TRUE(is_on());
  EXPECT_THAT(store.switched, ElementsAre("on", "off", "on"));
}

TEST_F(FlowSchedulesTest, F8_AnotherTimeZoneMovesTheEdges) {
  add_hours(in(minutes(65)), in(minutes(90)));
  store.status() = flow::Status::kOff;
  start();
  pass(minutes(10));
  EXPECT_FALSE(is_on());
  store.now.schedules.front().time_zone = "Etc/GMT-1";  // an hour ahead of UTC
  store.edit();
  pass(seconds(2));
  EXPECT_TRUE(is_on());
}

TEST_F(FlowSchedulesTest, F8_AnUnknownTimeZoneIsReportedOnceAndLeavesTheStatus) {
  add_hours(in(-hours(1)), in(hours(1)));
  store.status() = flow::Status::kOff;
  store.now.schedules.front().time_zone = "Mars/Olympus";
  testing::internal::CaptureStderr();
  start();
  pass(minutes(5));
  store.edit();
  pass(minutes(5));
  EXPECT_FALSE(is_on());
  EXPECT_EQ(store.statements, 0);
  store.now.schedules.front().time_zone = "Europe/Rome";
  store.hours() = {};
  add_hours(in(-hours(5)), in(hours(5)));
  store.edit();
  pass(seconds(2));
  EXPECT_TRUE(is_on()) << "it is put right by an edit";
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string sentence =
      "tzdata has no time zone Mars/Olympus: the call flows of demo.callpark keep their status";
  const auto first = log.find(sentence);
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find(sentence, first + 1), std::string::npos);
}

TEST_F(FlowSchedulesTest, F8_AScheduleWithoutHoursIsOffFromItsEditUntilSomebodyToggles) {
  start();
  pass(seconds(1));
  EXPECT_FALSE(is_on());
  pass(minutes(1));
  store.toggle_by_hand();
  pass(hours(5));
  EXPECT_TRUE(is_on()) << "there is no edge";
}

TEST_F(FlowSchedulesTest, F8_ManyNodesSwitchOnce) {
  store.status() = flow::Status::kOff;
  add_hours(in(minutes(10)), in(hours(2)));
  FlowSchedules other(loop, store, {});
  other.start();
  start();
  pass(hours(3));
  EXPECT_THAT(store.switched, ElementsAre("on", "off"));
}

TEST_F(FlowSchedulesTest, F8_WithoutEditsNothingIsReadAgain) {
  store.status() = flow::Status::kOff;
  start();
  pass(hours(1));
  EXPECT_EQ(store.readings, 1);
  EXPECT_EQ(store.statements, 0);
  EXPECT_THAT(store.switched, IsEmpty());
}

}  // namespace
}  // namespace callpark
