#include "parkd/service/flow_schedules.h"

#include <algorithm>

#include "base/log.h"

namespace callpark {
namespace {

date::sys_seconds now_in_seconds() {
  return std::chrono::floor<std::chrono::seconds>(wall_now());
}

flow::Status status_of(const flow::ScheduledStatus& scheduled) {
  return scheduled.is_on ? flow::Status::kOn : flow::Status::kOff;
}

}  // namespace

void FlowSchedules::start() {
  poll();
  polling_ = loop_.every(settings_.poll, [this] { poll(); });
}

void FlowSchedules::poll() {
  if (is_reading_) return;
  is_reading_ = true;
  store_.read(revision_, [this](const Result<std::optional<Schedules>, StoreUnavailable>& read) {
    is_reading_ = false;
    if (!read || !*read) return;
    take(**read);
    look();
  });
}

void FlowSchedules::take(const Schedules& schedules) {
  revision_ = schedules.revision;
  flows_ = schedules.flows;
  const auto before = std::exchange(schedules_, {});
  const auto reported = std::exchange(unknown_zones_, {});
  for (const TenantSchedule& schedule : schedules.schedules) {
    const Name name{schedule.tenant, schedule.name};
    const auto found = before.find(name);
    const bool is_same = found != before.end() && found->second.schedule == schedule && found->second.zone;
    Known& known = schedules_[name] =
        is_same ? found->second : Known{schedule, flow::find_time_zone(schedule.time_zone)};
    if (known.zone) continue;
    const Name zone{schedule.tenant, schedule.time_zone};
    if (unknown_zones_.insert(zone).second && !reported.contains(zone)) {
      log_error("", "tzdata has no time zone {}: the call flows of {} keep their status, and no schedule switches them",
                schedule.time_zone, schedule.tenant);
    }
  }
}

void FlowSchedules::look() {
  const WallTime now = wall_now();
  Duration wait = settings_.look_again;
  for (auto& [name, known] : schedules_) {
    if (!known.zone) continue;
    const auto& next = ask(known, now_in_seconds()).next;
    if (next) wait = std::min(wait, std::max(Duration(1), std::chrono::duration_cast<Duration>(*next - now)));
  }
  for (const ScheduledFlow& flow : flows_) {
    const auto known = schedules_.find({flow.tenant, flow.schedule});
    if (known == schedules_.end() || !known->second.status) continue;
    if (flow.status != status_of(*known->second.status)) switch_flow(flow, *known->second.status);
  }
  next_look_ = loop_.after(wait, [this] { look(); });
}

const flow::ScheduledStatus& FlowSchedules::ask(Known& known, date::sys_seconds now) {
  const bool is_still_so = known.status && known.looked_at <= now && now < known.looked_at + std::chrono::hours(24) &&
                           (!known.status->next || now < *known.status->next);
  if (!is_still_so) {
    known.status = flow::scheduled_status(known.schedule.schedule, *known.zone, now);
    known.looked_at = now;
  }
  return *known.status;
}

void FlowSchedules::switch_flow(const ScheduledFlow& flow, const flow::ScheduledStatus& scheduled) {
  std::optional<WallTime> edge;
  if (scheduled.since) edge = *scheduled.since;
  store_.switch_flow(flow, status_of(scheduled), edge,
                     [this, flow, is_on = scheduled.is_on](const Result<bool, StoreUnavailable>& switched) {
                       // All is read anew, and what is still to be done is done then.
                       if (!switched) revision_.reset();
                       if (!switched || !*switched) return;
                       log_info("", "the schedule {} switched the call flow {} of {} {}", flow.schedule, flow.name,
                                flow.tenant, is_on ? "on" : "off");
                       on_switched_();
                     });
}

}  // namespace callpark
