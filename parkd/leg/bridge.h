// The way between two bridged legs: offers and plain requests of one side are passed on to the other.
#pragma once

#include "parkd/leg/dialog_leg.h"

namespace callpark::leg {

/// An INVITE or UPDATE of `asker`'s remote side, answered with what the other side answers.
void pass_offer_on(const LegPtr& asker, const LegPtr& other, sip::ServerTransactionKey key,
                   const sip::SipMessage& request);
/// INFO or MESSAGE, answered as the other side answers.
void pass_request_on(const LegPtr& asker, const LegPtr& other, sip::ServerTransactionKey key,
                     const sip::SipMessage& request);

}  // namespace callpark::leg
