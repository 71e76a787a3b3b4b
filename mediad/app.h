// Builds mediad from its parts and runs it until it is told to stop. Knows everything, does nothing.
#pragma once

#include "mediad/config/mediad_config.h"

namespace callpark {

/// Returns after SIGTERM or SIGINT. Throws what start-up throws: an address that is taken or is not this host's.
void run_mediad(const MediadConfig& config);

}  // namespace callpark
