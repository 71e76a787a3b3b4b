// A call of parkd's with one party, whichever of the two has called.
#pragma once

#include <optional>
#include <string>

#include "parkd/call/media.h"
#include "parkd/call/party.h"
#include "parkd/leg/dialog_leg.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// Loop's thread only.
class Call {
 public:
  virtual ~Call() = default;

  /// Null for a call of parkd's own that is not answered.
  virtual const LegPtr& leg() const = 0;
  virtual const Party& party() const = 0;
  /// Source of the party's requests, "udp:127.0.0.11:5060"; "" if unknown.
  virtual std::string device() const = 0;
  /// mediad's media, if that is what the party was answered or offered.
  virtual const std::optional<MediaAddress>& media() const = 0;

  /// What a caller is offered to be joined to this call.
  struct JoinOffer {
    sip::Sdp description;
    bool needs_answer;  // the caller's answer is to become the answer to this call
  };
  virtual JoinOffer begin_join() = 0;
  /// The call is the peer of this caller from here on.
  virtual void become_peer_of(const DialogFacts& caller) = 0;

  /// An INVITE or UPDATE with an offer, or an INVITE without one.
  virtual void on_offer(sip::ServerTransactionKey key, const sip::SipMessage& request) = 0;
  /// BYE; CANCEL or a refusal if the call is not answered.
  virtual void end(int status, const std::string& reason) = 0;
};

}  // namespace callpark::leg
