// What all legs share: the way out, who parkd says it is, and what mediad can play.
#pragma once

#include <string>
#include <vector>

#include "base/event_loop.h"
#include "parkd/leg/offer_answer.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::leg {

/// All references must outlive the legs.
struct UserAgent {
  EventLoop& loop;
  sip::TransactionLayer& transactions;
  /// Every request goes there; Kamailio knows the way to phones and trunks.
  sip::Endpoint kamailio;
  /// "<sip:parkd@127.0.0.1:5062>"
  std::string contact;
  std::vector<PlayableCodec> codecs;
  sip::TransactionTimers timers;
};

}  // namespace callpark::leg
