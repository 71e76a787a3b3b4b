#include "parkd/flow/names.h"

#include <iterator>
#include <variant>

namespace callpark::flow {

std::string_view name_of(const Phase& phase) {
  static constexpr std::string_view kNames[] = {"LookingUp", "Answering", "Asking",  "Collecting", "Counting",
                                                "Checking",  "Toggling",  "Parting", "Ended"};
  static_assert(std::size(kNames) == std::variant_size_v<Phase>);
  return kNames[phase.index()];
}

std::string_view name_of(const Event& event) {
  static constexpr std::string_view kNames[] = {"FlowFound",   "FlowMissing", "StoreFailed",  "CallAnswered",
                                                "MediaFailed", "MediaLost",   "PromptPlayed", "KeyPressed",
                                                "TryCounted",  "TryDenied",   "PinRight",     "PinWrong",
                                                "Toggled",     "NotToggled",  "CallerGone",   "TimerFired"};
  static_assert(std::size(kNames) == std::variant_size_v<Event>);
  return kNames[event.index()];
}

}  // namespace callpark::flow
