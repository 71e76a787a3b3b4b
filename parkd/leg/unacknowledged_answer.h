// A 2xx of parkd's to an INVITE, sent again and again until its ACK comes (RFC 3261 13.3.1.4).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/event_loop.h"
#include "parkd/leg/user_agent.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// Either may be empty. `answer` is the session description of the ACK, null if it has none.
struct AckHandlers {
  std::function<void(const sip::Sdp* answer)> confirmed;
  std::function<void()> lost;
};

/// Loop's thread only.
class UnacknowledgedAnswer {
 public:
  /// `response` is out once already. `on_lost` is called after 64*T1, unless this is destroyed before; it may destroy
  /// this.
  UnacknowledgedAnswer(UserAgent& agent, sip::ServerTransactionKey key, const sip::SipMessage& invite,
                       sip::SipMessage response, AckHandlers handlers, std::function<void()> on_lost);
  UnacknowledgedAnswer(const UnacknowledgedAnswer&) = delete;
  UnacknowledgedAnswer& operator=(const UnacknowledgedAnswer&) = delete;

  bool is_answered_by(const sip::SipMessage& ack) const { return ack.cseq().number == cseq_; }
  /// RFC 3261 14.1: an end sends its next INVITE only after its last one is through, so it has the 2xx, even where two
  /// workers of Kamailio pass on its ACK behind the INVITE. Not if the ACK has to bring the answer to parkd's offer.
  bool is_implied_by(const sip::SipMessage& request) const;
  /// The ACK has to bring the answer to parkd's offer.
  bool needs_answer() const { return ack_brings_answer_; }
  const AckHandlers& handlers() const { return handlers_; }

 private:
  void repeat();

  UserAgent& agent_;
  sip::ServerTransactionKey key_;
  std::uint32_t cseq_;
  bool ack_brings_answer_;
  sip::SipMessage response_;
  AckHandlers handlers_;
  Duration interval_;
  LoopHandle repetition_;
  LoopHandle deadline_;
};

}  // namespace callpark::leg
