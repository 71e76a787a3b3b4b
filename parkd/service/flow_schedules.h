// Switches call flows at the edges of their schedules: reads them anew after each edit, and asks the store at an edge,
// at the start and after an edit to switch what has another status. The store decides whether a toggle by hand holds.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "parkd/ports/schedule_store.h"

namespace callpark {

class FlowSchedules {
 public:
  struct Settings {
    /// Interval at which the store is asked whether something was edited.
    Duration poll{1000};
    /// At the latest after this time the clock is looked at again, since it may have been set.
    Duration look_again{60'000};
  };

  /// Loop's thread only; the arguments must outlive this.
  FlowSchedules(EventLoop& loop, ScheduleStore& store, Settings settings)
      : loop_(loop), store_(store), settings_(settings) {}

  /// `switched` is called after a schedule has changed the status of a flow.
  void set_on_switched(std::function<void()> switched) { on_switched_ = std::move(switched); }
  void start();

 private:
  using Name = std::pair<std::string, std::string>;  // a tenant, and a name in it

  /// A schedule, and the status that it sets since `looked_at`, until the next edge.
  struct Known {
    TenantSchedule schedule;
    const date::time_zone* zone = nullptr;  // nullptr: tzdata has none of this name
    std::optional<flow::ScheduledStatus> status{};
    date::sys_seconds looked_at{};
  };

  void poll();
  void take(const Schedules& schedules);
  void look();
  const flow::ScheduledStatus& ask(Known& known, date::sys_seconds now);
  void switch_flow(const ScheduledFlow& flow, const flow::ScheduledStatus& scheduled);

  EventLoop& loop_;
  ScheduleStore& store_;
  const Settings settings_;
  std::function<void()> on_switched_ = [] {};
  std::optional<std::uint64_t> revision_;  // of what is known; nothing: it is to be read
  bool is_reading_ = false;
  std::map<Name, Known> schedules_;
  std::vector<ScheduledFlow> flows_;
  std::set<Name> unknown_zones_;  // of tenants, which the log has already
  LoopHandle polling_;
  LoopHandle next_look_;
};

}  // namespace callpark
