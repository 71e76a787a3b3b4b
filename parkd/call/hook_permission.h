// What the records have of a question to the billing hook that has led to a park or a retrieve.
#pragma once

#include <string>

#include "base/clock.h"

namespace callpark {

struct HookPermission {
  WallTime asked_at;
  /// The failure that on_error permits, by its word in docs/billing.md; "" if the hook has allowed it.
  std::string failure = {};
  friend bool operator==(const HookPermission&, const HookPermission&) = default;
};

}  // namespace callpark
