// Where the sources of the running tests lie, for the data and scripts in them.
#pragma once

#include <filesystem>

namespace callpark::test {

/// The tree that this was built from.
std::filesystem::path source_directory();

}  // namespace callpark::test
