// The parked caller on lamps and phones, or "Anonymous" if the caller withholds its identity.
#pragma once

#include <string>

#include "parkd/ports/presence_store.h"

namespace callpark::presence {

/// A name and a URI that all of the tenant may see.
struct ShownParty {
  std::string display;
  std::string uri;
  friend bool operator==(const ShownParty&, const ShownParty&) = default;
};

/// The caller under its number in the tenant, where a watcher can dial it. A caller that withholds its number is
/// "Anonymous" <sip:anonymous@anonymous.invalid> (RFC 3323 4.1.1.3).
ShownParty shown_caller(const ShownCall& call);

}  // namespace callpark::presence
