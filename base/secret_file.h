// Reads a file with one secret, as a password that is kept apart from the settings.
#pragma once

#include <string>

#include "base/result.h"

namespace callpark {

/// Returns the one line of the file without its end. The error is a sentence: the file cannot be read, is empty, or has
/// more than printable characters in one line.
Result<std::string, std::string> read_secret_file(const std::string& path);

}  // namespace callpark
