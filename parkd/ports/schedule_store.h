// The tables of schedules, as the service sees them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "parkd/flow/schedule.h"
#include "parkd/flow/types.h"
#include "parkd/ports/store.h"

namespace callpark {

/// A schedule that switches call flows.
struct TenantSchedule {
  std::string tenant;
  std::string name;
  std::string time_zone;
  flow::Schedule schedule;
  friend bool operator==(const TenantSchedule&, const TenantSchedule&) = default;
};

/// A call flow with a schedule.
struct ScheduledFlow {
  std::string tenant;
  std::string name;
  std::string schedule;   // its name
  std::string edited_at;  // when the schedule was edited last
  flow::Status status = flow::Status::kOn;
};

struct Schedules {
  std::uint64_t revision = 0;
  std::vector<TenantSchedule> schedules;
  std::vector<ScheduledFlow> flows;
};

/// Nothing here blocks; each answer comes once, on the loop, within the store's budget (2 s).
class ScheduleStore {
 public:
  template <class T>
  using Answer = std::function<void(Result<T, StoreUnavailable>)>;

  virtual ~ScheduleStore() = default;

  /// All of them, with their call flows; nothing if no tenant was edited since the revision that is known.
  virtual void read(std::optional<std::uint64_t> known, Answer<std::optional<Schedules>> answer) = 0;
  /// Gives the flow this status, which the schedule sets since `edge`, or since it was edited if there is no edge; not
  /// if it was toggled by hand since then, or has been edited since it was read. Whether the status was changed. One
  /// statement: several nodes may do it at once, and it may be repeated.
  virtual void switch_flow(ScheduledFlow flow, flow::Status status, std::optional<WallTime> edge,
                           Answer<bool> answer) = 0;
};

}  // namespace callpark
