// REFERs of phones: transfers to a number that parkd serves, or within a conversation.
#pragma once

#include <optional>
#include <string>

#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/ids.h"
#include "parkd/call/party.h"

namespace callpark {

struct Referral {
  ReferralId referral;
  Extension referrer;  // authenticated
  std::string dialled;
  std::string contact;   // the Refer-To URI if it is not one of the tenant's domain, as of a phone; else ""
  std::string replaces;  // value of a Replaces header: an attended transfer; else ""
  std::string sip_call_id;
  std::optional<int> recall_after_seconds;  // for this park only
  AdoptableDialog dialog;                   // empty for a REFER within a conversation
};

/// Loop's thread only.
class Referrals {
 public:
  virtual ~Referrals() = default;
  /// 202, and NOTIFY 100. Both are in the parker's dialog, where parkd's CSeq passes the other party's: so not before
  /// it is all but certain that parkd stays.
  virtual void accept(ReferralId referral) = 0;
  /// 200, or why not: by the last NOTIFY if the REFER was accepted, else by the answer to the REFER itself. A 200
  /// accepts it first.
  virtual void conclude(ReferralId referral, int status, const std::string& reason) = 0;
};

class ReferralListener {
 public:
  virtual ~ReferralListener() = default;
  virtual void on_referral(Referral referral) = 0;
  /// Within a dialog of a conversation. By the caller only while the two are bridged, and only if the caller is the
  /// extension that Kamailio authenticated.
  virtual void on_referral_of_party(ConversationId conversation, PartyEnd party, Referral referral) = 0;
};

}  // namespace callpark
