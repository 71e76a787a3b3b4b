// What admission has to know of a conversation that parkd has.
#pragma once

#include <cstdint>
#include <string>

#include "parkd/service/live_call.h"
#include "parkd/service/request_in_flight.h"

namespace callpark {

struct ConversationView {
  admission::Activity activity = admission::Activity::kNone;
  ParkId park_id;
  std::string tenant;
  std::uint32_t pairing = 0;  // rises with each new peer
};

/// `call` may be null: there is no such conversation.
ConversationView view_of(const LiveCall* call);

}  // namespace callpark
