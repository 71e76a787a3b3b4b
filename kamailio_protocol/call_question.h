// Kamailio's question whether the billing system permits a call that comes in: the body of a MESSAGE, as JSON.
// tests/data/kamailio_protocol/questions/ proves both sides.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/call/party.h"

namespace callpark::kamailio_protocol {

inline constexpr std::string_view kCallQuestion = "application/vnd.callpark.call-question+json";

struct CallQuestion {
  std::string sip_call_id;
  std::string called;      // number of the extension or ring group
  Party caller;            // Trunk or Extension
  PartyIdentity identity;  // of the caller
};

/// The error is a sentence that names the member that is missing or wrong.
Result<CallQuestion, std::string> decode_call_question(std::string_view json);

}  // namespace callpark::kamailio_protocol
