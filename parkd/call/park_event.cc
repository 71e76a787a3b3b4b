#include "parkd/call/park_event.h"

namespace callpark {

std::string_view name_of(ParkEventKind kind) {
  switch (kind) {
    case ParkEventKind::kParked:
      return "parked";
    case ParkEventKind::kRetrieved:
      return "retrieved";
    case ParkEventKind::kGaveUp:
      return "gave_up";
    case ParkEventKind::kRecalled:
      return "recalled";
    case ParkEventKind::kEnded:
      return "ended";
  }
  return "";
}

}  // namespace callpark
