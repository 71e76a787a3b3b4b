// The confirmed dialog of two others that Kamailio hands to parkd for adoption, in JSON on one header line.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/service/ports.h"

namespace callpark::leg {

/// Says which member is missing or wrong: "callee.tag: a text that is not empty is wanted".
struct AdoptableDialogError {
  std::string sentence;
};

/// Both sides are seen from the place that parkd takes. CSeqs are the last ones that Kamailio saw, which are not always
/// the last ones sent: whoever continues them leaves a gap.
Result<AdoptableDialog, AdoptableDialogError> decode_adoptable_dialog(std::string_view json);

}  // namespace callpark::leg
