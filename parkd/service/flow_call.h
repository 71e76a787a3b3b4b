// An admitted call to the code of a call flow.
#pragma once

#include <string>

#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark {

struct FlowCall {
  CallId call;
  std::string sip_call_id;
  Extension caller;
  std::string code;
  std::string language;  // of a refusal before the flow is found
};

}  // namespace callpark
