// The confirmed dialog of two other user agents that Kamailio hands to parkd for adoption: JSON in one header line.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/call/dialog_snapshot.h"

namespace callpark::kamailio_protocol {

/// Names the member that is missing or wrong: "callee.tag: a text that is not empty is wanted".
struct DialogCodecError {
  std::string sentence;
};

/// Each side is seen from the place that becomes parkd's. A CSeq is the last one that Kamailio saw, which is not always
/// the last one sent, so parkd leaves a gap when it continues.
Result<AdoptableDialog, DialogCodecError> decode_dialog(std::string_view json);

}  // namespace callpark::kamailio_protocol
