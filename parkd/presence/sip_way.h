// What publications and notifications share: the way out, and how Kamailio and parkd name the tenant to each other.
#pragma once

#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::presence {

/// The references must outlive whoever has them.
struct SipWay {
  EventLoop& loop;
  sip::TransactionLayer& transactions;
  /// Kamailio's inside socket.
  sip::Endpoint kamailio;
  /// "<sip:parkd@127.0.0.1:5062>"
  std::string contact;
};

/// As in leg/park_headers.h, which is another outside world's.
inline constexpr std::string_view kTenantHeader = "X-Callpark-Tenant";
inline constexpr std::string_view kUserHeader = "X-Callpark-User";

}  // namespace callpark::presence
