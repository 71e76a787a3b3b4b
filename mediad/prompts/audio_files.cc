#include "mediad/prompts/audio_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace callpark::media {
namespace {

namespace fs = std::filesystem;

template <class Wanted>
std::vector<std::string> entries(const std::string& directory, Wanted wanted) {
  std::vector<std::string> found;
  std::error_code error;
  for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (wanted(*entry)) found.push_back(entry->path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool is_wav(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.path().extension() == ".wav" && entry.is_regular_file(error);
}

}  // namespace

std::string prompt_path(const std::string& prompts_dir, const std::string& language, const std::string& name) {
  return prompts_dir + "/" + language + "/" + name + ".wav";
}

std::string digit_prompt(char digit) {
  if (digit == '*') return "digit_star";
  if (digit == '#') return "digit_hash";
  return std::string("digit_") + digit;
}

bool is_text_name(std::string_view name) {
  constexpr std::string_view kPrefix = "text_";
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + 32 &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

std::vector<std::string> wav_files(const std::vector<std::string>& files_and_directories) {
  std::vector<std::string> files;
  for (const std::string& path : files_and_directories) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    for (std::string& file : entries(path, is_wav)) files.push_back(std::move(file));
  }
  return files;
}

std::vector<std::string> subdirectories(const std::string& directory) {
  std::vector<std::string> names;
  for (const std::string& path : entries(directory, [](const fs::directory_entry& entry) {
         std::error_code error;
         return entry.is_directory(error);
       })) {
    names.push_back(fs::path(path).filename().string());
  }
  return names;
}

FileStamp stamp_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {path, -1, -1, 0};
  return {path, status.st_mtim.tv_sec * 1'000'000'000L + status.st_mtim.tv_nsec, status.st_size, status.st_ino};
}

}  // namespace callpark::media
