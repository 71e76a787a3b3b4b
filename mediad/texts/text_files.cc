#include "mediad/texts/text_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include "mediad/prompts/audio_files.h"
#include "mediad/prompts/wav_reader.h"

namespace callpark::media {
namespace {

namespace fs = std::filesystem;

const std::string kScratchPrefix = ".speaking_";
constexpr std::chrono::hours kScratchAgeMax{1};

std::string cannot_write(const std::string& directory, const std::string& reason) {
  return fmt::format("texts.dir {} cannot be written: {}", directory, reason);
}

struct TextFile {
  std::string path;
  std::uint64_t bytes = 0;
  timespec used{};
};

std::vector<TextFile> text_files_of(const std::string& directory) {
  std::vector<TextFile> files;
  for (std::string& path : wav_files({directory})) {
    struct stat status {};
    if (!is_text_name(fs::path(path).stem().string()) || stat(path.c_str(), &status) != 0) continue;
    files.push_back({std::move(path), static_cast<std::uint64_t>(status.st_size), status.st_atim});
  }
  return files;
}

void remove_if_old(const std::string& scratch) {
  std::error_code error;
  const auto changed = fs::last_write_time(scratch, error);
  if (!error && fs::file_time_type::clock::now() - changed > kScratchAgeMax) fs::remove_all(scratch, error);
}

}  // namespace

std::string TextFiles::path(const std::string& language, const std::string& name) const {
  return prompt_path(directory_, language, name);
}

bool TextFiles::use(const std::string& language, const std::string& name) const {
  const std::string file = path(language, name);
  if (fault_of_wav(file)) return false;
  // Only the time of the last access: a new time of modification would mean a new sound.
  const std::array<timespec, 2> times{{{0, UTIME_NOW}, {0, UTIME_OMIT}}};
  utimensat(AT_FDCWD, file.c_str(), times.data(), 0);
  return true;
}

Result<std::string, std::string> TextFiles::make_scratch() const {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) return failure(cannot_write(directory_, error.message()));
  std::string scratch = directory_ + "/" + kScratchPrefix + "XXXXXX";
  if (mkdtemp(scratch.data()) == nullptr) return failure(cannot_write(directory_, std::strerror(errno)));
  return scratch;
}

std::optional<std::string> TextFiles::store(const std::string& file, const std::string& language,
                                            const std::string& name) const {
  if (const auto pcm = read_wav(file); !pcm) return "its sound " + pcm.error();
  const std::string place = path(language, name);
  std::error_code error;
  fs::create_directories(fs::path(place).parent_path(), error);
  if (!error) fs::rename(file, place, error);
  if (error) return cannot_write(directory_, error.message());
  return std::nullopt;
}

std::vector<std::string> TextFiles::trim(std::uint64_t bytes_max) const {
  std::vector<TextFile> files;
  for (const std::string& name : subdirectories(directory_)) {
    const std::string subdirectory = directory_ + "/" + name;
    if (name.starts_with(kScratchPrefix)) {
      remove_if_old(subdirectory);
      continue;
    }
    for (TextFile& file : text_files_of(subdirectory)) files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(), [](const TextFile& a, const TextFile& b) {
    return std::tie(a.used.tv_sec, a.used.tv_nsec) < std::tie(b.used.tv_sec, b.used.tv_nsec);
  });
  std::uint64_t bytes = 0;
  for (const TextFile& file : files) bytes += file.bytes;
  std::vector<std::string> removed;
  for (std::size_t i = 0; i + 1 < files.size() && bytes > bytes_max; ++i) {
    std::error_code error;
    if (!fs::remove(files[i].path, error)) continue;
    bytes -= files[i].bytes;
    removed.push_back(files[i].path);
  }
  return removed;
}

}  // namespace callpark::media
