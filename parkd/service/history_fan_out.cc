#include "parkd/service/history_fan_out.h"

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

void HistoryFanOut::publish(const park::Happening& happening, const ParkId& park_id, const std::string& tenant,
                            const GrantedStay& granted, WallTime now) {
  const ParkEvent event = park_event_of(happening, park_id, tenant, granted.stay, now);
  ports_.metrics
      .counter("callpark_park_events_total", "What happened to parked calls",
               {{"event", std::string(name_of(event.kind))}})
      .increment();
  ports_.events.append(event);
  const auto& code = granted.terms.retrieve_code;
  messenger_.send(event, code ? *code + event.orbit : "");
}

}  // namespace callpark
