#include "parkd/flow/schedule.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace callpark::flow {
namespace {

using date::sys_seconds;

struct Interval {
  sys_seconds from;
  sys_seconds until;
};

std::vector<Hours> hours_of(const Schedule& schedule, date::local_days day) {
  std::vector<Hours> hours;
  for (const auto& single : schedule.single) {
    if (single.date == day) hours.push_back(single.hours);
  }
  if (!hours.empty()) return hours;
  const date::weekday weekday(day);
  for (const auto& weekly : schedule.weekly) {
    if (weekly.weekday == weekday) hours.push_back(weekly.hours);
  }
  return hours;
}

sys_seconds moment(const date::time_zone& zone, date::local_days day, std::chrono::seconds time) {
  return date::floor<std::chrono::seconds>(zone.to_sys(date::local_seconds(day) + time, date::choose::earliest));
}

/// In the order of time; those that touch are one.
std::vector<Interval> intervals(const Schedule& schedule, const date::time_zone& zone, date::local_days first,
                                date::local_days last) {
  std::vector<Interval> all;
  for (date::local_days day = first; day <= last; day += date::days(1)) {
    for (const Hours& hours : hours_of(schedule, day)) {
      const Interval one{moment(zone, day, hours.from), moment(zone, day, hours.until)};
      if (one.from < one.until) all.push_back(one);
    }
  }
  std::ranges::sort(all, {}, &Interval::from);
  std::vector<Interval> merged;
  for (const Interval& one : all) {
    if (!merged.empty() && one.from <= merged.back().until) {
      merged.back().until = std::max(merged.back().until, one.until);
    } else {
      merged.push_back(one);
    }
  }
  return merged;
}

}  // namespace

const date::time_zone* find_time_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

ScheduledStatus scheduled_status(const Schedule& schedule, const date::time_zone& zone, sys_seconds now) {
  const auto today = date::floor<date::days>(zone.to_local(now));
  const auto first = today - kScheduleHorizon;
  const auto last = today + kScheduleHorizon;
  ScheduledStatus status;
  for (const Interval& one : intervals(schedule, zone, first, last)) {
    // Ends of what is looked at are no edges.
    const std::pair<sys_seconds, bool> edges[] = {{one.from, one.from > moment(zone, first, {})},
                                                  {one.until, one.until <= moment(zone, last, {})}};
    for (const auto& [edge, is_one] : edges) {
      if (!is_one) continue;
      if (edge <= now) status.since = edge;
      if (edge > now && !status.next) status.next = edge;
    }
    status.is_on = status.is_on || (one.from <= now && now < one.until);
  }
  return status;
}

}  // namespace callpark::flow
