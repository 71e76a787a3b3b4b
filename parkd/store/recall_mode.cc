#include "parkd/store/recall_mode.h"

#include <algorithm>
#include <array>

namespace callpark {
namespace {

// In the order of park::RecallMode.
constexpr std::array<std::string_view, 4> kNames = {"off", "parker_only", "parker_then_ring_group", "ring_group_only"};

}  // namespace

std::string_view name_of(park::RecallMode mode) {
  return kNames.at(static_cast<std::size_t>(mode));
}

park::RecallMode recall_mode_of(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? park::RecallMode::kOff : static_cast<park::RecallMode>(found - kNames.begin());
}

}  // namespace callpark
