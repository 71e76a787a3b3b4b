// What all legs share: the way out, parkd's Contact, and the codecs that mediad can play.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "parkd/leg/codec_choice.h"
#include "parkd/message/sip_message.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::leg {

/// All references must outlive the legs.
struct UserAgent {
  EventLoop& loop;
  sip::TransactionLayer& transactions;
  /// Receives every request of parkd; Kamailio knows the way to phones and trunks.
  sip::Endpoint kamailio;
  /// "<sip:parkd@127.0.0.1:5062>"
  std::string contact;
  std::vector<PlayableCodec> codecs;
  sip::TransactionTimers timers;
  /// How often a talking party without a session timer is asked whether it is still there.
  Duration ask_talking{600000};
  /// While parks are refused for overload: how many a second parkd can do; else 0. Empty: always 0.
  std::function<int()> park_rate = {};
  /// Where no description may lead the sound: parkd's own SIP socket and Kamailio's.
  std::vector<sip::Endpoint> own_sockets = {};
};

/// Random, as From and To tags, and twice as long as Call-ID.
inline constexpr std::size_t kTagLength = 12;

/// Writes Retry-After into a 503, and for Kamailio the rate of parks if it counts.
void write_retry(const UserAgent& agent, sip::SipMessage& response);

/// Writes Allow and Supported.
void write_capabilities(sip::SipMessage& message);

}  // namespace callpark::leg
