#include "parkd/message/syntax_error.h"

namespace callpark::sip {

std::string_view sentence(SyntaxError error) noexcept {
  switch (error) {
    case SyntaxError::kStartLine:
      return "The first line is neither a request line nor a status line";
    case SyntaxError::kVersion:
      return "The version is not SIP/2.0";
    case SyntaxError::kStatusCode:
      return "The status code is not between 100 and 699";
    case SyntaxError::kRequestUri:
      return "The Request-URI is malformed";
    case SyntaxError::kHeaderLine:
      return "A line is not a header";
    case SyntaxError::kHeadersUnfinished:
      return "The empty line after the headers is missing";
    case SyntaxError::kMissingHeader:
      return "Via, From, To, Call-ID or CSeq is missing";
    case SyntaxError::kDuplicateHeader:
      return "A header that may occur once occurs twice";
    case SyntaxError::kVia:
      return "A Via is malformed";
    case SyntaxError::kAddress:
      return "An address is malformed";
    case SyntaxError::kUri:
      return "A URI is malformed";
    case SyntaxError::kCallId:
      return "The Call-ID is malformed";
    case SyntaxError::kCSeq:
      return "The CSeq is malformed";
    case SyntaxError::kCSeqMethod:
      return "The CSeq names another method";
    case SyntaxError::kNumber:
      return "A number is malformed or too large";
    case SyntaxError::kReplaces:
      return "The Replaces header is malformed";
    case SyntaxError::kContentLength:
      return "The Content-Length is malformed";
    case SyntaxError::kBodyTooShort:
      return "The body is shorter than Content-Length says";
    case SyntaxError::kTooLong:
      return "The message is too long";
    case SyntaxError::kSdpLine:
      return "A line of the session description is malformed";
    case SyntaxError::kSdpOrigin:
      return "The o= line is malformed";
    case SyntaxError::kSdpConnection:
      return "A c= line is malformed";
    case SyntaxError::kSdpMedia:
      return "An m= line is malformed";
    case SyntaxError::kSdpMissingLine:
      return "A line that every session description has is missing";
  }
  return {};
}

}  // namespace callpark::sip
