// Where sounds are on disk, their names, and whether they have changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace callpark::media {

/// "<prompts_dir>/<language>/<name>.wav".
std::string prompt_path(const std::string& prompts_dir, const std::string& language, const std::string& name);
/// Returns the prompt that speaks this key: "digit_5", "digit_star", "digit_hash".
std::string digit_prompt(char digit);
/// True for the name of a spoken text, "text_" and 32 lower-case hexadecimal digits. Its file is not among the prompts.
bool is_text_name(std::string_view name);
/// Returns the files themselves and the WAV files directly in the directories (by name), in the order given.
std::vector<std::string> wav_files(const std::vector<std::string>& files_and_directories);
/// Returns the directories in `directory` by name; nothing if it cannot be read.
std::vector<std::string> subdirectories(const std::string& directory);

/// Changes when the file is replaced or written to. Equal stamps of a file that cannot be read are equal too.
struct FileStamp {
  std::string path;
  std::int64_t modified_ns = -1;
  std::int64_t size = -1;
  std::uint64_t inode = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const std::string& path);

}  // namespace callpark::media
