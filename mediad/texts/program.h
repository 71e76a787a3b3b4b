// Runs a program of the operator's to its end, within a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace callpark::media {

struct ProgramRun {
  /// The path of the program, then its arguments. No shell reads them.
  std::vector<std::string> command{};
  /// The standard input. At most 4096 bytes, so that a pipe holds them before the program reads.
  std::string input{};
  Duration time_max{8000};
  /// The program is ended as soon as this descriptor is readable.
  int stop = -1;
};

/// Waits until the program has ended, or ends it by SIGKILL, with all that is in its process group; for a worker's
/// thread. Returns the rest of a sentence that begins with the program ("has not ended within 8 s"), or nothing if its
/// exit code is 0.
std::optional<std::string> run_program(const ProgramRun& run);

}  // namespace callpark::media
