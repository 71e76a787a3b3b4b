// The faults in the text of a SIP message, a part of one, or a session description.
#pragma once

#include <cstdint>
#include <string_view>

namespace callpark::sip {

enum class SyntaxError : std::uint8_t {
  kStartLine,
  kVersion,
  kStatusCode,
  kRequestUri,
  kHeaderLine,
  kHeadersUnfinished,
  kMissingHeader,
  kDuplicateHeader,
  kVia,
  kAddress,
  kUri,
  kCallId,
  kCSeq,
  kCSeqMethod,
  kNumber,
  kReplaces,
  kContentLength,
  kBodyTooShort,
  kTooLong,
  kSdpLine,
  kSdpOrigin,
  kSdpConnection,
  kSdpMedia,
  kSdpMissingLine,
};

/// Returns a sentence for people, without a full stop. Static text.
std::string_view sentence(SyntaxError error) noexcept;

}  // namespace callpark::sip
