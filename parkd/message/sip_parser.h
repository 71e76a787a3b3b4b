// Text of one message -> SipMessage. No input throws, and an error includes whether it deserves an answer.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "parkd/message/sip_message.h"
#include "parkd/message/syntax_error.h"

namespace callpark::sip {

struct ParseError {
  SyntaxError code;
  /// The status for the refusal: 400, or 505 for another protocol version.
  int status = 400;
  /// The request as far as it could be read, if Via, From, To, Call-ID and CSeq are good enough for an answer:
  /// make_response(*request, status, sentence). None: drop the message and count it. Always none for responses and ACK.
  std::optional<SipMessage> request;

  std::string_view sentence() const noexcept { return sip::sentence(code); }
};

/// Longer texts are refused unread (kTooLong): no UDP datagram is longer, and no TCP peer of parkd has reason to be.
inline constexpr std::size_t kMessageBytesMax = 65535;

/// Reads one message: a whole UDP datagram (the text after Content-Length bytes is cut off, RFC 3261 18.3), or a
/// message from a stream framer. Empty lines before the start line are skipped.
Result<SipMessage, ParseError> parse(std::string_view datagram);

}  // namespace callpark::sip
