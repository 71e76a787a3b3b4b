// A directory under /tmp that lives as long as the object. Set CALLPARK_KEEP=1 to keep it and have its path printed.
#pragma once

#include <filesystem>
#include <string>

namespace callpark::test {

class TempDir {
 public:
  explicit TempDir(const std::string& name = "test");
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Leaves the directory where it is, to be looked at.
  void keep() { kept_ = true; }

 private:
  std::filesystem::path path_;
  bool kept_ = false;
};

}  // namespace callpark::test
