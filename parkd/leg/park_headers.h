// The short name that the legs have for the headers between Kamailio and parkd.
#pragma once

#include "kamailio_protocol/headers.h"

namespace callpark::leg {

namespace park_header = kamailio_protocol;

}  // namespace callpark::leg
