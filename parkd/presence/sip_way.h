// The way to Kamailio that publications and notifications share.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::presence {

/// The references must outlive all users.
struct SipWay {
  EventLoop& loop;
  sip::TransactionLayer& transactions;
  /// Kamailio's inside socket.
  sip::Endpoint kamailio;
  /// "<sip:parkd@127.0.0.1:5062>"
  std::string contact;
};

}  // namespace callpark::presence
