#include "parkd/park/names.h"

#include <iterator>
#include <variant>

namespace callpark::park {

std::string_view name_of(const Phase& phase) {
  static constexpr std::string_view kNames[] = {"Gathering",  "Adopting",  "Recording",    "Parked",     "Joining",
                                                "Confirming", "Talking",   "Transferring", "Connecting", "Replacing",
                                                "Restoring",  "Recalling", "Returning",    "Ended"};
  static_assert(std::size(kNames) == std::variant_size_v<Phase>);
  return kNames[phase.index()];
}

std::string name_of(const State& state) {
  static constexpr std::string_view kRecalls[] = {"", ", recall waiting", ", recall writing", ", recall calling",
                                                  ", recall claiming"};
  static_assert(std::size(kRecalls) == std::variant_size_v<recall::Phase>);
  std::string name(name_of(state.phase));
  if (const auto* parked = std::get_if<Parked>(&state.phase)) name += kRecalls[parked->recall.index()];
  return name;
}

std::string_view name_of(const Event& event) {
  static constexpr std::string_view kNames[] = {
      "ParkAsked",          "ParkerReferred",   "TransferAsked",      "TargetAnswered", "TargetRefused",
      "RecallClaimed",      "RecallNotClaimed", "ReplacementAsked",   "OrbitClaimed",   "OrbitRefused",
      "RowWritten",         "RowNotWritten",    "MediaOpened",        "MediaFailed",    "MediaMoved",
      "CallerAccepted",     "CallerRefused",    "CallerGone",         "PeerGone",       "ParkerCallGone",
      "AnnouncementPlayed", "CallClaimed",      "RetrieverConfirmed", "RetrieverGone",  "RetrieverLost",
      "TimerFired"};
  static_assert(std::size(kNames) == std::variant_size_v<Event>);
  return kNames[event.index()];
}

}  // namespace callpark::park
