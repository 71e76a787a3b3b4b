#include "parkd/service/park_loop.h"

#include <utility>

#include "base/log.h"
#include "parkd/park/names.h"

namespace callpark {

ParkLoop::ParkLoop(const ServicePorts& ports, CallTable& calls, Announcer& announcer, Refusals& refusals,
                   const ParkSettings& settings)
    : calls_(calls),
      call_backs_(ports),
      history_(ports),
      runner_(ports, calls, announcer, call_backs_, refusals, settings,
              [this](const ParkId& park_id, const park::Event& event) { feed(park_id, event); }) {}

void ParkLoop::begin(LiveCall& call, park::Request request) {
  const ParkTerms& terms = call.stays.now().terms;
  start(call, park::begin(request, terms.recall.policy(), terms.learns_orbit), "New", "ParkAsked");
}

void ParkLoop::resume(LiveCall& call, const ParkedCallRow& row, park::Found found) {
  call.recorded = park::recorded_in(row.state, was_parked(row));
  start(call, park::resume(found, row.recall.policy(), row.recall_progress), "Row", "TakenOver");
}

void ParkLoop::feed(const ParkId& park_id, const park::Event& event) {
  LiveCall* call = calls_.find(park_id);
  if (!call) return;
  call->waiting.push_back(event);
  if (!call->is_deciding) decide_waiting(*call);
}

void ParkLoop::start(LiveCall& call, const park::Decision& decision, std::string_view from, std::string_view event) {
  call.is_deciding = true;
  follow(call, decision, from, event);
  decide_waiting(call);
}

void ParkLoop::decide_waiting(LiveCall& call) {
  call.is_deciding = true;
  while (!call.waiting.empty()) {
    const park::Event event = call.waiting.front();
    call.waiting.pop_front();
    follow(call, park::decide(call.state, event), park::name_of(call.state), park::name_of(event));
  }
  call.is_deciding = false;
  if (call.state.orbit != park::Orbit::kHeld) call_backs_.stop(call.values.park_id);
  if (std::holds_alternative<park::Ended>(call.state.phase)) calls_.remove(ParkId(call.values.park_id));
  if (on_decided_) on_decided_();
}

void ParkLoop::follow(LiveCall& call, const park::Decision& decision, std::string_view from, std::string_view event) {
  if (decision.next == call.state && decision.actions.empty()) return;
  log_info(call.sip_call_id(), "parked call {}: {} -> {} on {}", call.values.park_id.text(), from,
           park::name_of(decision.next), event);
  // A happening is about the stay that the decision leaves to the call. It is published before the row that records
  // the same fact may be gone.
  call.stays.settle(decision.actions);
  const park::History history = park::record(call.recorded, call.state, decision);
  call.recorded = history.recorded;
  const WallTime now = wall_now();
  call.segments.follow(history.recorded, call.state, decision, call.stays.now().stay, now);
  for (const park::Happening& happening : history.happenings) {
    if (happening.kind == park::Happening::Kind::kParked) ++parks_completed_;
    history_.publish(happening, call.values.park_id, call.values.tenant, call.stays.now(), now);
  }
  // The state changes before the actions: their immediate effects meet the state that required them.
  call.state = decision.next;
  for (const park::Action& action : decision.actions) runner_.run(call, action);
}

}  // namespace callpark
