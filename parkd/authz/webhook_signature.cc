#include "parkd/authz/webhook_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <chrono>

namespace callpark::authz {
namespace {

constexpr std::string_view kPrefix = "whsec_";
// 64 bytes in base64, and a byte for the NUL that OpenSSL appends.
constexpr std::size_t kBase64Max = (WebhookSecret::kBytesMax + 2) / 3 * 4;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string base64_of(const unsigned char* bytes, std::size_t size) {
  std::string text((size + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(size));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::size_t padding_of(std::string_view base64) {
  if (base64.size() < 2) return 0;
  return static_cast<std::size_t>(std::count(base64.end() - 2, base64.end(), '='));
}

}  // namespace

std::string_view describe(SecretError error) {
  switch (error) {
    case SecretError::kNoPrefix:
      return "a webhook secret begins with whsec_";
    case SecretError::kNotBase64:
      return "behind whsec_ a webhook secret is base64 with its padding";
    case SecretError::kTooShort:
      return "a webhook secret has at least 24 bytes";
    case SecretError::kTooLong:
      return "a webhook secret has at most 64 bytes";
  }
  return "";
}

WebhookSecret::~WebhookSecret() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

Result<WebhookSecret, SecretError> WebhookSecret::parse(std::string_view text) {
  if (text.substr(0, kPrefix.size()) != kPrefix) return failure(SecretError::kNoPrefix);
  const std::string_view base64 = text.substr(kPrefix.size());
  if (base64.size() % 4 != 0) return failure(SecretError::kNotBase64);
  if (base64.size() > kBase64Max) return failure(SecretError::kTooLong);
  std::array<unsigned char, kBase64Max> decoded{};
  const int length = EVP_DecodeBlock(decoded.data(), bytes_of(base64), static_cast<int>(base64.size()));
  WebhookSecret secret;
  SecretError error = SecretError::kNotBase64;
  // OpenSSL overlooks blanks and misplaced padding, so the text must be what the bytes are written as.
  bool is_right = length >= 0;
  if (is_right) {
    const std::size_t size = static_cast<std::size_t>(length) - std::min(padding_of(base64), std::size_t(length));
    std::string again = base64_of(decoded.data(), size);
    is_right = again == base64;
    OPENSSL_cleanse(again.data(), again.size());
    if (is_right && (size < kBytesMin || size > kBytesMax)) {
      error = size < kBytesMin ? SecretError::kTooShort : SecretError::kTooLong;
      is_right = false;
    }
    if (is_right) {
      std::copy_n(decoded.begin(), size, secret.key_.begin());
      secret.size_ = size;
    }
  }
  OPENSSL_cleanse(decoded.data(), decoded.size());
  if (!is_right) return failure(error);
  return secret;
}

std::string WebhookSecret::sign(std::string_view content) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(size_), bytes_of(content), content.size(), mac.data(), &size);
  return base64_of(mac.data(), size);
}

WebhookHeaders sign_webhook(const WebhookSecrets& secrets, std::string_view id, WallTime at, std::string_view body) {
  WebhookHeaders headers{std::string(id),
                         std::to_string(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count()), ""};
  std::string content = headers.id + "." + headers.timestamp + ".";
  content += body;
  headers.signature = "v1," + secrets.current.sign(content);
  if (secrets.other) headers.signature += " v1," + secrets.other->sign(content);
  return headers;
}

}  // namespace callpark::authz
