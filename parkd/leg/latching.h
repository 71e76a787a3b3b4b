// Whether mediad may learn a party's address from packets.
#pragma once

#include "parkd/call/media.h"
#include "parkd/dialog/dialog.h"

namespace callpark::leg {

/// `remote` with `latching` set if Kamailio has found the party behind a NAT: its remote target has an `alias` (the
/// source of its requests) that is another host than the one its session description names. An alias alone proves
/// nothing, since every party over TCP has one.
MediaRemote with_latching(MediaRemote remote, const sip::DialogState& dialog);

}  // namespace callpark::leg
