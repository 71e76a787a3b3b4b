// When a schedule switches a call flow on and off. Pure; the time zone is the caller's.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <date/tz.h>

namespace callpark::flow {

/// Of one day by the wall clock, from midnight: [from, until). Equal ends are no hours at all.
struct Hours {
  std::chrono::minutes from{0};
  std::chrono::minutes until{0};  // at most 24 h
};

/// While one of its hours lasts, a call flow is on.
struct Schedule {
  struct Weekly {
    date::weekday weekday;
    Hours hours;
  };
  /// A date with a row has its own hours instead of those of its weekday.
  struct Single {
    date::local_days date;
    Hours hours;
  };
  std::vector<Weekly> weekly;
  std::vector<Single> single;
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

/// What `schedule` says in `zone` at `now`. A wall clock time that a change of clocks skips is the moment of the
/// change; of one that there is twice, the first counts.
ScheduledStatus scheduled_status(const Schedule& schedule, const date::time_zone& zone, date::sys_seconds now);

}  // namespace callpark::flow
