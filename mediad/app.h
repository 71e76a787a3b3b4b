// Builds mediad from its parts and runs it until a signal stops it. Knows all parts and has no logic of its own.
#pragma once

#include <string>
#include <vector>

#include "mediad/config/mediad_config.h"

namespace callpark {

/// Returns after SIGTERM or SIGINT. Throws the errors of start-up: an address that is in use or does not belong to this
/// host. SIGHUP has `file` read again.
void run_mediad(MediadConfig config, const std::string& file);

/// Reads the WAV files, and those in the directories; returns a sentence about each that mediad cannot play.
std::vector<std::string> faults_of_sounds(const std::vector<std::string>& files_and_directories);

}  // namespace callpark
