#include "parkd/leg/unacknowledged_answer.h"

#include <algorithm>
#include <utility>

#include "parkd/message/session_body.h"

namespace callpark::leg {

UnacknowledgedAnswer::UnacknowledgedAnswer(UserAgent& agent, sip::ServerTransactionKey key,
                                           const sip::SipMessage& invite, sip::SipMessage response,
                                           AckHandlers handlers, std::function<void()> on_lost)
    : agent_(agent),
      key_(key),
      cseq_(invite.cseq().number),
      ack_brings_answer_(sip::session_description(invite).empty()),
      response_(std::move(response)),
      handlers_(std::move(handlers)),
      interval_(agent.timers.t1),
      repetition_(agent.loop.after(interval_, [this] { repeat(); })),
      deadline_(agent.loop.after(64 * agent.timers.t1, std::move(on_lost))) {}

bool UnacknowledgedAnswer::is_implied_by(const sip::SipMessage& request) const {
  return !ack_brings_answer_ && request.method() == sip::method::kInvite && request.cseq().number > cseq_;
}

// RFC 3261 13.3.1.4: T1, doubling up to T2, over any transport.
void UnacknowledgedAnswer::repeat() {
  agent_.transactions.respond(key_, response_);
  interval_ = std::min(2 * interval_, agent_.timers.t2);
  repetition_ = agent_.loop.after(interval_, [this] { repeat(); });
}

}  // namespace callpark::leg
