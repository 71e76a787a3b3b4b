// The dialog that a REFER was sent in, ready for adoption: read from the REFER, and completed from Kamailio's record.
#pragma once

#include <optional>

#include "base/result.h"
#include "parkd/call/dialog_snapshot.h"
#include "parkd/dialog/dialog.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

/// `known` is X-Callpark-Dialog, if there is one; a record of another dialog is not used. The REFER is the fresher
/// source of all that it has. Without `known` the other party's CSeq is a guess that is higher than any a call comes
/// to, and no session description is known.
Result<AdoptableDialog, sip::DialogError> dialog_of_refer(const sip::SipMessage& refer,
                                                          const std::optional<AdoptableDialog>& known);

}  // namespace callpark::leg
