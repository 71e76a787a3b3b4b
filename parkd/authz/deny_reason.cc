#include "parkd/authz/deny_reason.h"

#include <algorithm>

namespace callpark::authz {

const Denial& denial_of(DenyReason reason) {
  return kDenials.at(static_cast<std::size_t>(reason));
}

std::optional<DenyReason> deny_reason_of(std::string_view word) {
  const auto found =
      std::find_if(kDenials.begin(), kDenials.end(), [&](const Denial& denial) { return denial.word == word; });
  return found == kDenials.end() ? std::nullopt : std::optional(found->reason);
}

}  // namespace callpark::authz
