// The header names that parkd knows, with their compact forms and shapes, and the small values of headers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/syntax_error.h"

namespace callpark::sip {

namespace method {
inline constexpr std::string_view kInvite = "INVITE";
inline constexpr std::string_view kAck = "ACK";
inline constexpr std::string_view kBye = "BYE";
inline constexpr std::string_view kCancel = "CANCEL";
inline constexpr std::string_view kOptions = "OPTIONS";
inline constexpr std::string_view kRegister = "REGISTER";
inline constexpr std::string_view kPrack = "PRACK";
inline constexpr std::string_view kUpdate = "UPDATE";
inline constexpr std::string_view kInfo = "INFO";
inline constexpr std::string_view kRefer = "REFER";
inline constexpr std::string_view kNotify = "NOTIFY";
inline constexpr std::string_view kSubscribe = "SUBSCRIBE";
inline constexpr std::string_view kPublish = "PUBLISH";
inline constexpr std::string_view kMessage = "MESSAGE";
}  // namespace method

/// Header names known by number, so that a lookup compares one byte. All others are kOther and compared as text.
enum class HeaderName : std::uint8_t {
  kOther,
  kAccept,
  kAlertInfo,
  kAllow,
  kAllowEvents,
  kAuthorization,
  kCSeq,
  kCallId,
  kContact,
  kContentLength,
  kContentType,
  kDate,
  kDiversion,
  kEvent,
  kExpires,
  kFrom,
  kInReplyTo,
  kMaxForwards,
  kMinExpires,
  kMinSE,
  kPAssertedIdentity,
  kPrivacy,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyRequire,
  kRAck,
  kRSeq,
  kReason,
  kRecordRoute,
  kReferSub,
  kReferTo,
  kReferredBy,
  kReplaces,
  kRequire,
  kRetryAfter,
  kRoute,
  kServer,
  kSessionExpires,
  kSubscriptionState,
  kSupported,
  kTimestamp,
  kTo,
  kUnsupported,
  kUserAgent,
  kVia,
  kWarning,
  kWwwAuthenticate,
};

/// Returns the number of a name in any case, long or compact ("f" is From).
HeaderName header_name(std::string_view text) noexcept;
/// Returns the long name as the RFCs write it; empty for kOther.
std::string_view text_of(HeaderName name) noexcept;
/// True if the grammar makes the value a list, so that commas separate and headers of one name may be joined.
// RFC 3261 7.3.1: all but WWW-Authenticate, Authorization, Proxy-Authenticate and Proxy-Authorization.
bool is_list(HeaderName name) noexcept;
/// Splits at commas outside quoted strings and angle brackets; trims the parts and omits empty ones.
std::vector<std::string_view> split_list(std::string_view value);

struct CSeq {
  std::uint32_t number = 0;
  std::string method;

  std::string to_string() const;
  bool operator==(const CSeq&) const = default;
};
Result<CSeq, SyntaxError> parse_cseq(std::string_view text);

/// RFC 3891: the dialog that an INVITE replaces.
struct Replaces {
  std::string call_id;
  std::string to_tag;
  std::string from_tag;
  bool early_only = false;

  std::string to_string() const;
  bool operator==(const Replaces&) const = default;
};
Result<Replaces, SyntaxError> parse_replaces(std::string_view text);

/// Returns the phrase of RFC 3261 21 and the RFCs after it; "Unknown" for a status that has no phrase.
std::string_view reason_phrase(int status) noexcept;

}  // namespace callpark::sip
