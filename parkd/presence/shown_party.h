// Who is shown as the parked caller, and who is not because he wants to stay unknown.
#pragma once

#include <string>

#include "parkd/ports/presence_store.h"

namespace callpark::presence {

/// A name and a URI that may be shown to everybody in the tenant.
struct ShownParty {
  std::string display;
  std::string uri;
  friend bool operator==(const ShownParty&, const ShownParty&) = default;
};

/// The caller under his number in the tenant, so that whoever sees it can dial it; one who withholds it is
/// "Anonymous" <sip:anonymous@anonymous.invalid> (RFC 3323 4.1.1.3).
ShownParty shown_caller(const ShownCall& call);

}  // namespace callpark::presence
