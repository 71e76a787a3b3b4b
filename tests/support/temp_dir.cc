#include "tests/support/temp_dir.h"

#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace callpark::test {

TempDir::TempDir(const std::string& name) {
  std::string pattern = "/tmp/callpark-" + name + "-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make " + pattern + ": " + strerror(errno));
  }
  path_ = pattern;
}

TempDir::~TempDir() {
  if (kept_ || getenv("CALLPARK_KEEP") != nullptr) {
    fprintf(stderr, "kept: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace callpark::test
