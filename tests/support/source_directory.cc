#include "tests/support/source_directory.h"

namespace callpark::test {

std::filesystem::path source_directory() {
  return CALLPARK_SOURCE_DIR;
}

}  // namespace callpark::test
