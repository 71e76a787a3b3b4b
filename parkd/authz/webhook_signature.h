// The signature of a webhook as Standard Webhooks 1.0 defines it: HMAC-SHA256 over id, time and body, under one secret,
// or under two while the secret is being exchanged.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace callpark::authz {

enum class SecretError { kNoPrefix, kNotBase64, kTooShort, kTooLong };

/// Returns a sentence for a log line or an operator; it never repeats the secret.
std::string_view describe(SecretError error);

/// A key that signs. Its bytes leave this class only inside a signature, and are erased from memory at its end.
class WebhookSecret {
 public:
  static constexpr std::size_t kBytesMin = 24;
  static constexpr std::size_t kBytesMax = 64;

  /// Reads "whsec_" and the key in base64 (RFC 4648 4, with its padding, in the one canonical form).
  static Result<WebhookSecret, SecretError> parse(std::string_view text);

  WebhookSecret(const WebhookSecret&) = default;
  WebhookSecret& operator=(const WebhookSecret&) = default;
  ~WebhookSecret();

  /// HMAC-SHA256 in base64: 44 characters.
  std::string sign(std::string_view content) const;

 private:
  WebhookSecret() = default;

  std::array<unsigned char, kBytesMax> key_{};
  std::size_t size_ = 0;
};

/// The secrets of a tenant's hook. While the secret is being exchanged, both sign, so that the hook may know either.
struct WebhookSecrets {
  WebhookSecret current;
  std::optional<WebhookSecret> other = std::nullopt;
};

/// The headers that Standard Webhooks requires beside the body.
struct WebhookHeaders {
  std::string id;         // webhook-id
  std::string timestamp;  // webhook-timestamp: seconds since the epoch
  std::string signature;  // webhook-signature: "v1,BASE64", or two of them with a blank between
};

/// `id` must have no dot: it is the separator of the signed content. `body` is signed byte for byte.
WebhookHeaders sign_webhook(const WebhookSecrets& secrets, std::string_view id, WallTime at, std::string_view body);

}  // namespace callpark::authz
