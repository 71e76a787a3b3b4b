// An admitted call to the number of a menu or an announcement.
#pragma once

#include <string>

#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark {

struct MenuCall {
  CallId call;
  std::string tenant;
  Party caller;  // an extension, or a trunk
  std::string number;
  std::string dialled;   // by the caller, before a DID, a call flow or a ring group has led to the number
  std::string language;  // of a refusal before the place is found
  std::string sip_call_id;
};

}  // namespace callpark
