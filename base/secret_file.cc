#include "base/secret_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace callpark {
namespace {

constexpr std::size_t kSecretMaxBytes = 1024;

bool is_control(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20 || value == 0x7f;
}

}  // namespace

Result<std::string, std::string> read_secret_file(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return failure(path + " is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return failure(path + " cannot be read: " + std::strerror(errno));
  std::array<char, kSecretMaxBytes + 2> bytes{};  // with the end of the line, and one that is too many
  file.read(bytes.data(), bytes.size());
  std::string secret(bytes.data(), static_cast<std::size_t>(file.gcount()));
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.empty()) return failure(path + " is empty");
  if (secret.size() > kSecretMaxBytes) {
    return failure(path + " has more than " + std::to_string(kSecretMaxBytes) + " bytes");
  }
  if (secret.find('\n') != std::string::npos) return failure(path + " has more than one line");
  if (std::any_of(secret.begin(), secret.end(), is_control)) return failure(path + " has a control character");
  return secret;
}

}  // namespace callpark
