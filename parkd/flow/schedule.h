// When a schedule switches a call flow on and off. Pure; the time zone is the caller's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <date/tz.h>

namespace callpark::flow {

/// Of one day by the wall clock, from midnight: [from, until). Equal ends are no hours at all.
struct Hours {
  std::chrono::seconds from{0};
  std::chrono::seconds until{0};  // at most 24 h
  friend bool operator==(const Hours&, const Hours&) = default;
};

/// While one of its hours lasts, a call flow is on.
struct Schedule {
  struct Weekly {
    date::weekday weekday;
    Hours hours;
    friend bool operator==(const Weekly&, const Weekly&) = default;
  };
  /// A date with a row has its own hours instead of those of its weekday.
  struct Single {
    date::local_days date;
    Hours hours;
    friend bool operator==(const Single&, const Single&) = default;
  };
  std::vector<Weekly> weekly;
  std::vector<Single> single;
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// The next edge is looked for so far ahead, and the last one so far back: a week, the longest holidays, and a day that
/// a change of clocks may cost.
inline constexpr date::days kScheduleHorizon{64};

struct ScheduledStatus {
  bool is_on = false;
  /// The last edge; nothing if there is none within kScheduleHorizon.
  std::optional<date::sys_seconds> since;
  /// The next edge; nothing if there is none within kScheduleHorizon.
  std::optional<date::sys_seconds> next;
};

/// The time zone that tzdata has under this name; nullptr if it has none. Reads a file when it is asked for one the
/// first time.
const date::time_zone* find_time_zone(const std::string& name);

/// The status that `schedule` sets in `zone` at `now`. A wall clock time that a change of clocks skips is the moment of
/// the change; of one that there is twice, the first counts.
ScheduledStatus scheduled_status(const Schedule& schedule, const date::time_zone& zone, date::sys_seconds now);

}  // namespace callpark::flow
