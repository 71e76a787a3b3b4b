#include "mediad/texts/text_name.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace callpark::media {
namespace {

constexpr std::size_t kNameBytes = 16;

}  // namespace

std::string text_name(const std::string& language, const std::string& text) {
  const std::string bytes = language + "\n" + text;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
  std::string name = "text_";
  for (std::size_t i = 0; i < kNameBytes; ++i) name += fmt::format("{:02x}", hash.at(i));
  return name;
}

}  // namespace callpark::media
