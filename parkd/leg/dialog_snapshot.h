// A dialog of the SIP layers as a value that the service and the database keep, and back.
#pragma once

#include <string>

#include "parkd/call/dialog_snapshot.h"
#include "parkd/dialog/dialog.h"

namespace callpark::leg {

DialogSnapshot snapshot_of(const sip::DialogState& dialog, std::string local_sdp, std::string remote_sdp);
sip::DialogState dialog_of(const DialogSnapshot& snapshot);

}  // namespace callpark::leg
