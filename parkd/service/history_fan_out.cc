#include "parkd/service/history_fan_out.h"

#include <chrono>

namespace callpark {
namespace {

ParkEventKind kind_of(park::Happening::Kind kind) {
  switch (kind) {
    case park::Happening::Kind::kParked:
      return ParkEventKind::kParked;
    case park::Happening::Kind::kRetrieved:
      return ParkEventKind::kRetrieved;
    case park::Happening::Kind::kRecalled:
      return ParkEventKind::kRecalled;
    case park::Happening::Kind::kGaveUp:
      return ParkEventKind::kGaveUp;
    case park::Happening::Kind::kEnded:
      break;
  }
  return ParkEventKind::kEnded;
}

std::string name_of_target(park::RecallTarget target) {
  switch (target) {
    case park::RecallTarget::kParker:
      return "parker";
    case park::RecallTarget::kRingGroup:
      return "ring_group";
    case park::RecallTarget::kFallback:
      return "fallback";
    case park::RecallTarget::kNone:
      break;
  }
  return "";
}

std::string how_of(const park::Happening& happening) {
  if (happening.kind == park::Happening::Kind::kRecalled) return name_of_target(happening.target);
  if (happening.kind != park::Happening::Kind::kEnded) return "";
  return happening.reason == park::EndReason::kTimedOut ? "timed_out" : "hung_up";
}

bool joins_another_party(park::Happening::Kind kind) {
  return kind == park::Happening::Kind::kRetrieved || kind == park::Happening::Kind::kRecalled;
}

Counter counter(Metrics& metrics, ParkEventKind kind) {
  return metrics.counter("callpark_park_events_total", "What happened to parked calls",
                         {{"event", std::string(name_of(kind))}});
}

}  // namespace

ParkEvent park_event_of(const park::Happening& happening, const ParkId& park_id, const std::string& tenant,
                        const Stay& stay, WallTime at) {
  ParkEvent event;
  event.kind = kind_of(happening.kind);
  event.park_id = park_id;
  event.parked_at = stay.parked_at;
  event.at = at;
  event.tenant = tenant;
  event.orbit = stay.orbit;
  event.park_group = stay.park_group;
  event.parker = stay.parker;
  event.caller = stay.caller;
  event.sip_call_id = stay.sip_call_id;
  if (joins_another_party(happening.kind) && stay.retriever) event.by = text_of(*stay.retriever);
  event.how = how_of(happening);
  return event;
}

// Counters begin at 0: Prometheus sees no increase in a counter that begins at 1.
HistoryFanOut::HistoryFanOut(const ServicePorts& ports)
    : ports_(ports),
      messenger_(ports),
      park_seconds_(ports.metrics.histogram("callpark_park_seconds",
                                            "Time from a permitted request until the call is parked",
                                            {0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5})) {
  for (const ParkEventKind kind : {ParkEventKind::kParked, ParkEventKind::kRetrieved, ParkEventKind::kGaveUp,
                                   ParkEventKind::kRecalled, ParkEventKind::kEnded}) {
    counter(ports_.metrics, kind);
  }
}

void HistoryFanOut::publish(const park::Happening& happening, const ParkId& park_id, const std::string& tenant,
                            const GrantedStay& granted, WallTime now) {
  const ParkEvent event = park_event_of(happening, park_id, tenant, granted.stay, now);
  counter(ports_.metrics, event.kind).increment();
  if (event.kind == ParkEventKind::kParked) {
    park_seconds_.observe(std::chrono::duration<double>(now - event.parked_at).count());
  }
  ports_.events.append(event);
  const auto& code = granted.terms.retrieve_code;
  messenger_.send(event, code ? *code + event.orbit : "");
}

}  // namespace callpark
