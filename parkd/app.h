// Builds parkd from its parts and runs it until SIGTERM or SIGINT. Knows everything, does nothing.
#pragma once

#include <string>

#include "parkd/config/parkd_config.h"

namespace callpark {

/// Returns after SIGTERM or SIGINT. Throws what start-up throws: an address that is in use, a schema that is unknown.
/// Calls that are parked stay so: their rows and their music wait for the next parkd. SIGHUP has `file` read again.
void run_parkd(ParkdConfig config, const std::string& file);

}  // namespace callpark
