// What publications and notifications share: the way to Kamailio.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::presence {

/// The references must outlive every copy.
struct SipWay {
  EventLoop& loop;
  sip::TransactionLayer& transactions;
  /// Kamailio's inside socket.
  sip::Endpoint kamailio;
  /// "<sip:parkd@127.0.0.1:5062>"
  std::string contact;
};

}  // namespace callpark::presence
