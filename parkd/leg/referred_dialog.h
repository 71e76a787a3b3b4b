// The dialog that a REFER was sent in, ready for adoption: what the REFER itself shows, completed by what Kamailio
// knows of it.
#pragma once

#include <optional>

#include "base/result.h"
#include "parkd/dialog/dialog.h"
#include "parkd/message/sip_message.h"
#include "parkd/service/ports.h"

namespace callpark::leg {

/// `known` is X-Callpark-Dialog, if there was one; it is not used when it is of another dialog. The REFER is the
/// fresher source of everything that stands in it. Without `known` the other party's CSeq is a guess that is
/// higher than any a call comes to, and no session description is known.
Result<AdoptableDialog, sip::DialogError> dialog_of_refer(const sip::SipMessage& refer,
                                                          const std::optional<AdoptableDialog>& known);

}  // namespace callpark::leg
