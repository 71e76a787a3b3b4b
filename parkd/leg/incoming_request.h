// What an INVITE or a REFER from Kamailio asks of parkd, read from the message alone: a feature call, a referral, or
// the refusal that it gets. Pure; the values have no ids yet.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "parkd/call/party.h"
#include "parkd/dialog/dialog.h"
#include "parkd/message/headers.h"
#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"
#include "parkd/ports/calls.h"
#include "parkd/ports/referrals.h"

namespace callpark::leg {

struct RequestRefusal {
  int status = 0;
  std::string reason = {};  // "": the usual one
};

/// The extension that Kamailio authenticated; nothing if it vouches for none.
std::optional<Extension> sender_of(const sip::SipMessage& request);

struct FeatureInvite {
  FeatureCall call;
  std::optional<sip::Sdp> offer;  // none if parkd has to make one
  sip::DialogState dialog;
  PartyIdentity caller;                   // empty if it is withheld
  std::optional<sip::Replaces> replaces;  // the dialog may be none of parkd's
};
/// An INVITE outside of a dialog; `our_tag` is parkd's in the dialog that it makes.
Result<FeatureInvite, RequestRefusal> read_feature_invite(const sip::SipMessage& invite, std::string_view our_tag);

/// A REFER of an extension in a dialog that is none of parkd's; with the dialog, ready for adoption.
Result<Referral, RequestRefusal> read_referral(const sip::SipMessage& refer);
/// A REFER in a dialog of parkd's.
Result<Referral, RequestRefusal> read_referral_of_party(const sip::SipMessage& refer);

}  // namespace callpark::leg
