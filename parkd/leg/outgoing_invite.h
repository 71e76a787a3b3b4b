// The INVITE of a call that parkd makes, in a caller's name or in its own. Pure but for the tags.
#pragma once

#include <cstdint>
#include <optional>

#include "parkd/call/media.h"
#include "parkd/call/party.h"
#include "parkd/leg/dialog_facts.h"
#include "parkd/leg/user_agent.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"
#include "parkd/ports/calls.h"

namespace callpark::leg {

/// Of each INVITE by which parkd calls.
inline constexpr std::uint32_t kFirstCseq = 1;

struct OutgoingInvite {
  sip::SipMessage message;  // with the offer
  sip::Sdp offer;
  std::string tenant;
  Party party;                        // as dialled
  std::optional<MediaAddress> media;  // set if it is mediad's that is offered
};

/// `caller` has described its media. `peer` is null if the conversation has none.
OutgoingInvite invite_in_name_of(const DialogFacts& caller, const DialogFacts* peer, const UserAgent& agent,
                                 const callpark::OutgoingCall& call,
                                 const callpark::OutgoingCall::InNameOfCaller& from);
OutgoingInvite invite_from_parkd(const UserAgent& agent, const callpark::OutgoingCall& call,
                                 const callpark::OutgoingCall::FromParkd& from);

}  // namespace callpark::leg
