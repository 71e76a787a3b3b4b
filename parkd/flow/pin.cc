#include "parkd/flow/pin.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

namespace callpark::flow {
namespace {

constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kSaltMin = 8;
constexpr std::size_t kSaltMax = 64;

using Hash = std::array<unsigned char, kHashBytes>;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<unsigned char> hex_value(char c) {
  if (is_digit(c)) return static_cast<unsigned char>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned char>(c - 'a' + 10);
  return std::nullopt;
}

struct StoredHash {
  std::string_view salt;
  Hash hash{};
};

std::optional<StoredHash> read_hash(std::string_view stored) {
  if (stored.substr(0, kHashPrefix.size()) != kHashPrefix) return std::nullopt;
  stored.remove_prefix(kHashPrefix.size());
  const std::size_t colon = stored.find(':');
  if (colon == std::string_view::npos || colon < kSaltMin || colon > kSaltMax) return std::nullopt;
  const std::string_view hex = stored.substr(colon + 1);
  if (hex.size() != 2 * kHashBytes) return std::nullopt;
  StoredHash read{stored.substr(0, colon)};
  for (std::size_t i = 0; i < kHashBytes; ++i) {
    const auto high = hex_value(hex[2 * i]);
    const auto low = hex_value(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    read.hash[i] = static_cast<unsigned char>(*high << 4 | *low);
  }
  return read;
}

bool is_right_hash(const StoredHash& stored, const Entry& entry) {
  Hash hash{};
  unsigned int size = 0;
  std::array<char, kSaltMax + kPinDigitsMax> text{};
  const auto keys = std::copy(stored.salt.begin(), stored.salt.end(), text.begin());
  const auto end = std::copy(entry.keys().begin(), entry.keys().end(), keys);
  const bool is_hashed = EVP_Digest(text.data(), static_cast<std::size_t>(end - text.begin()), hash.data(), &size,
                                    EVP_sha256(), nullptr) == 1;
  const bool is_same = CRYPTO_memcmp(hash.data(), stored.hash.data(), kHashBytes) == 0;
  OPENSSL_cleanse(text.data(), text.size());
  OPENSSL_cleanse(hash.data(), hash.size());
  return is_hashed && is_same;
}

bool is_right_plain(std::string_view stored, const Entry& entry) {
  std::array<char, kPinDigitsMax> wanted{};
  std::array<char, kPinDigitsMax> entered{};
  std::copy(stored.begin(), stored.end(), wanted.begin());
  std::copy(entry.keys().begin(), entry.keys().end(), entered.begin());
  const bool is_same = CRYPTO_memcmp(wanted.data(), entered.data(), kPinDigitsMax) == 0;
  OPENSSL_cleanse(wanted.data(), wanted.size());
  OPENSSL_cleanse(entered.data(), entered.size());
  return is_same;
}

}  // namespace

bool is_right_pin(std::string_view stored, const Entry& entry) {
  // No branch depends on whether it is right.
  const bool is_possible = !entry.is_too_long() && !entry.empty();
  bool is_same = false;
  if (plain_pin_length(stored) != 0) {
    is_same = is_right_plain(stored, entry);
  } else if (const auto hash = read_hash(stored)) {
    is_same = is_right_hash(*hash, entry);
  }
  return static_cast<bool>(static_cast<unsigned>(is_same) & static_cast<unsigned>(is_possible));
}

std::size_t plain_pin_length(std::string_view stored) {
  const bool is_plain = stored.size() <= kPinDigitsMax && std::all_of(stored.begin(), stored.end(), is_digit);
  return is_plain ? stored.size() : 0;
}

}  // namespace callpark::flow
