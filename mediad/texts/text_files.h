// The sound files of spoken texts: DIRECTORY/LANGUAGE/text_*.wav. A cache: each file can be made again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace callpark::media {

/// Blocks on the disk. Each error is a sentence. If one file fails, the others are still served.
class TextFiles {
 public:
  explicit TextFiles(std::string directory) : directory_(std::move(directory)) {}

  std::string path(const std::string& language, const std::string& name) const;
  /// Returns whether the file is there and holds sound; it counts as used now.
  bool use(const std::string& language, const std::string& name) const;

  /// Makes an empty directory on the same file system, to be removed after its use.
  Result<std::string, std::string> make_scratch() const;
  /// Moves a WAV file to its place, where it appears as a whole.
  std::optional<std::string> store(const std::string& file, const std::string& language, const std::string& name) const;

  /// Removes the files that were used longest ago until the others have `bytes_max` bytes at most. The file that was
  /// used last remains. Returns the paths. Also removes scratch directories that are an hour old: a mediad that was
  /// killed has left them.
  std::vector<std::string> trim(std::uint64_t bytes_max) const;

 private:
  std::string directory_;
};

}  // namespace callpark::media
