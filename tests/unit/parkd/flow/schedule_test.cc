#include "parkd/flow/schedule.h"

#include <random>

#include <gtest/gtest.h>

namespace callpark::flow {
namespace {

using namespace std::chrono_literals;
using date::days;
using date::local_days;
using date::sys_days;
using date::sys_seconds;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Schedule office_hours() {
  Schedule schedule;
  for (unsigned day = 1; day <= 5; ++day) {
    schedule.weekly.push_back({date::weekday(day), {9h, 12h}});
    schedule.weekly.push_back({date::weekday(day), {13h, 17h + 30min}});
  }
  return schedule;
}

const date::time_zone& berlin() {
  return *date::locate_zone("Europe/Berlin");
}

sys_seconds in_berlin(date::year_month_day day, seconds time) {
  return date::floor<seconds>(berlin().to_sys(date::local_seconds(local_days(day)) + time, date::choose::earliest));
}

void expect(const Schedule& schedule, sys_seconds now, bool is_on, std::optional<sys_seconds> since,
            std::optional<sys_seconds> next) {
  using date::operator<<;
  std::ostringstream at;
  at << now;
  SCOPED_TRACE(at.str());
  const ScheduledStatus status = scheduled_status(schedule, berlin(), now);
  EXPECT_EQ(status.is_on, is_on);
  EXPECT_TRUE(status.since == since);
  EXPECT_TRUE(status.next == next);
}

constexpr date::year_month_day kFriday{date::year(2026), date::month(11), date::day(27)};
constexpr date::year_month_day kMonday{date::year(2026), date::month(11), date::day(30)};
constexpr date::year_month_day kTuesday{date::year(2026), date::month(12), date::day(1)};

TEST(CallFlowSchedule, F8_WeeklyHoursSwitchAtTheirEnds) {
  const Schedule schedule = office_hours();
  const auto monday = [](seconds time) { return in_berlin(kMonday, time); };
  expect(schedule, monday(9h) - 1s, false, in_berlin(kFriday, 17h + 30min), monday(9h));
  expect(schedule, monday(9h), true, monday(9h), monday(12h));
  expect(schedule, monday(12h) - 1s, true, monday(9h), monday(12h));
  expect(schedule, monday(12h), false, monday(12h), monday(13h));
  expect(schedule, monday(17h + 30min), false, monday(17h + 30min), in_berlin(kTuesday, 9h));
}

TEST(CallFlowSchedule, F8_AHolidayHasNoHours) {
  Schedule schedule = office_hours();
  schedule.single.push_back({local_days(kMonday), {0min, 0min}});
  expect(schedule, in_berlin(kMonday, 10h), false, in_berlin(kFriday, 17h + 30min), in_berlin(kTuesday, 9h));
}

TEST(CallFlowSchedule, F8_ADateHasItsOwnHours) {
  Schedule schedule = office_hours();
  schedule.single.push_back({local_days(kMonday), {10h, 11h}});
  expect(schedule, in_berlin(kMonday, 10h + 30min), true, in_berlin(kMonday, 10h), in_berlin(kMonday, 11h));
  expect(schedule, in_berlin(kMonday, 14h), false, in_berlin(kMonday, 11h), in_berlin(kTuesday, 9h));
}

TEST(CallFlowSchedule, F8_HoursThatTouchOverMidnightHaveNoEdgeBetween) {
  Schedule schedule;
  schedule.weekly.push_back({date::Monday, {22h, 24h}});
  schedule.weekly.push_back({date::Tuesday, {0h, 6h}});
  expect(schedule, in_berlin(kTuesday, 0h), true, in_berlin(kMonday, 22h), in_berlin(kTuesday, 6h));
}

TEST(CallFlowSchedule, F8_WithoutHoursThereIsNoEdge) {
  expect({}, in_berlin(kMonday, 12h), false, std::nullopt, std::nullopt);
  Schedule always;
  for (unsigned day = 0; day <= 6; ++day) always.weekly.push_back({date::weekday(day), {0h, 24h}});
  expect(always, in_berlin(kMonday, 12h), true, std::nullopt, std::nullopt);
}

// Clocks go from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
TEST(CallFlowSchedule, F8_ChangesOfClocksMoveTheEdges) {
  const date::year_month_day spring{date::year(2026), date::month(3), date::day(29)};
  const date::year_month_day autumn{date::year(2026), date::month(10), date::day(25)};
  Schedule schedule;
  schedule.weekly.push_back({date::Sunday, {2h + 30min, 4h}});
  const sys_seconds skipped = sys_days(spring) + hours(1);  // 02:30 is not there: 03:00 in summer time
  expect(schedule, skipped, true, skipped, sys_days(spring) + hours(2));
  const sys_seconds first = sys_days(autumn) + minutes(30);  // 02:30 in summer time
  expect(schedule, sys_days(autumn) + minutes(90), true, first, sys_days(autumn) + hours(3));
}

// Against the plain meaning, minute by minute, in a zone without changes of clocks.
TEST(CallFlowSchedule, F8_RandomSchedulesAreOnWhileTheirHoursLast) {
  const date::time_zone& zone = *date::locate_zone("Asia/Kolkata");
  std::mt19937 random(1);
  const auto any = [&random](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  const auto some_hours = [&any] {
    const int from = any(0, 1440);
    return Hours{minutes(from), minutes(any(from, 1440))};
  };
  const local_days monday(kMonday);
  for (int round = 0; round < 40; ++round) {
    Schedule schedule;
    for (int i = any(0, 12); i > 0; --i) schedule.weekly.push_back({date::weekday(unsigned(any(0, 6))), some_hours()});
    for (int i = any(0, 3); i > 0; --i) schedule.single.push_back({monday + days(any(0, 4)), some_hours()});
    for (int minute = 0; minute < 3 * 1440; minute += any(1, 19)) {
      const local_days day = monday + days(minute / 1440);
      const minutes time(minute % 1440);
      const auto lasts = [&time](const Hours& its) { return its.from <= time && time < its.until; };
      bool has_own = false;
      bool wanted = false;
      for (const auto& single : schedule.single) {
        has_own = has_own || single.date == day;
        wanted = wanted || (single.date == day && lasts(single.hours));
      }
      for (const auto& weekly : schedule.weekly) {
        wanted = wanted || (!has_own && weekly.weekday == date::weekday(day) && lasts(weekly.hours));
      }
      const sys_seconds now = date::floor<seconds>(zone.to_sys(date::local_seconds(day) + time));
      const ScheduledStatus status = scheduled_status(schedule, zone, now);
      ASSERT_EQ(status.is_on, wanted) << round << " " << minute;
      if (status.next) {
        ASSERT_EQ(scheduled_status(schedule, zone, *status.next).is_on, !wanted) << round << " " << minute;
        ASSERT_EQ(scheduled_status(schedule, zone, *status.next - seconds(1)).is_on, wanted) << round << " " << minute;
      }
      if (status.since) {
        ASSERT_TRUE(*status.since <= now);
        ASSERT_EQ(scheduled_status(schedule, zone, *status.since).is_on, wanted) << round << " " << minute;
        ASSERT_EQ(scheduled_status(schedule, zone, *status.since - seconds(1)).is_on, !wanted);
      }
    }
  }
}

}  // namespace
}  // namespace callpark::flow
