#include "parkd/menu/names.h"

#include <iterator>
#include <variant>

namespace callpark::menu {

std::string_view name_of(const Phase& phase) {
  static constexpr std::string_view kNames[] = {"LookingUp",  "Answering", "Returning", "Greeting",
                                                "Collecting", "Resolving", "Calling",   "Claiming",
                                                "Joining",    "Speaking",  "Parting",   "Ended"};
  static_assert(std::size(kNames) == std::variant_size_v<Phase>);
  return kNames[phase.index()];
}

std::string_view name_of(const Event& event) {
  static constexpr std::string_view kNames[] = {
      "PlaceFound",  "PlaceMissing", "DestinationRings", "DestinationHangsUp", "StoreFailed",    "CallAnswered",
      "MediaFailed", "MediaMoved",   "SoundPlayed",      "KeyPressed",         "TargetAnswered", "TargetRefused",
      "Claimed",     "NotClaimed",   "CallerAccepted",   "CallerRefused",      "CallerGone",     "TimerFired"};
  static_assert(std::size(kNames) == std::variant_size_v<Event>);
  return kNames[event.index()];
}

}  // namespace callpark::menu
