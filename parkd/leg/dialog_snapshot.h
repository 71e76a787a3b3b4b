// A dialog as the SIP layers hold it, and as the service and the database keep it.
#pragma once

#include <string>

#include "parkd/dialog/dialog.h"
#include "parkd/service/ports.h"

namespace callpark::leg {

DialogSnapshot snapshot_of(const sip::DialogState& dialog, std::string local_sdp, std::string remote_sdp);
sip::DialogState dialog_of(const DialogSnapshot& snapshot);

}  // namespace callpark::leg
