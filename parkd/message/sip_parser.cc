#include "parkd/message/sip_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {

/// Continues after the first fault, so that a request that deserves a 400 can be answered with one.
class Parser {
 public:
  Result<SipMessage, ParseError> parse(std::string_view datagram);

 private:
  using Span = SipMessage::Span;

  void fail(SyntaxError error) noexcept {
    if (!error_) error_ = error;
  }
  void start_line(std::string_view line);
  void request_line(std::string_view line);
  void status_line(std::string_view line);
  void header_line(std::string_view line);
  void check(HeaderName name, std::string_view value);
  void check_whole();
  void take_body(std::string_view rest);

  /// Cuts the next line off rest_, continuation lines included; false if rest_ has no whole line.
  bool next_line(std::string_view& line);
  bool has(HeaderName name) const noexcept { return (seen_ >> static_cast<unsigned>(name) & 1U) != 0; }
  Span span(std::string_view text) const noexcept {
    return {static_cast<std::uint32_t>(text.data() - message_.text_.data()), static_cast<std::uint32_t>(text.size())};
  }
  ParseError refusal();

  SipMessage message_;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::optional<SyntaxError> error_;
  std::uint64_t seen_ = 0;
  std::optional<std::uint32_t> content_length_;
  std::string_view cseq_method_;
  bool looks_like_response_ = false;
  bool top_via_usable_ = false;
};

namespace {

bool addresses_are_well_formed(std::string_view value, bool list) noexcept {
  Scanner scanner(value);
  AddressParts parts;
  do {
    if (!scan_address(scanner, parts)) return false;
  } while (list && scanner.accept(','));
  return scanner.done();
}

bool begins_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return same_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool may_occur_once(HeaderName name) noexcept {
  return name == HeaderName::kFrom || name == HeaderName::kTo || name == HeaderName::kCallId ||
         name == HeaderName::kCSeq || name == HeaderName::kMaxForwards || name == HeaderName::kContentLength;
}

}  // namespace

Result<SipMessage, ParseError> Parser::parse(std::string_view datagram) {
  if (datagram.size() > kMessageBytesMax) return failure(ParseError{SyntaxError::kTooLong, 400, std::nullopt});
  // RFC 3261 7.5: empty lines before the start line are ignored.
  while (!datagram.empty() && (datagram.front() == '\r' || datagram.front() == '\n')) datagram.remove_prefix(1);
  message_.text_.assign(datagram);
  message_.fields_.reserve(24);
  at_ = message_.text_.data();
  end_ = at_ + message_.text_.size();

  std::string_view line;
  if (!next_line(line)) return failure(ParseError{SyntaxError::kStartLine, 400, std::nullopt});
  start_line(line);
  for (;;) {
    if (!next_line(line)) {
      fail(SyntaxError::kHeadersUnfinished);
      break;
    }
    if (line.empty()) break;
    header_line(line);
  }
  take_body({at_, static_cast<std::size_t>(end_ - at_)});
  check_whole();
  if (error_) return failure(refusal());
  return std::move(message_);
}

bool Parser::next_line(std::string_view& line) {
  char* const start = at_;
  for (char* from = start;;) {
    char* const newline =
        from == end_ ? nullptr : static_cast<char*>(std::memchr(from, '\n', static_cast<std::size_t>(end_ - from)));
    if (newline == nullptr) return false;
    char* const line_end = newline != start && newline[-1] == '\r' ? newline - 1 : newline;
    at_ = newline + 1;
    // RFC 3261 7.3.1: a line that begins with space continues the one before, and the break counts as space.
    if (line_end != start && at_ != end_ && is_space(*at_)) {
      *newline = ' ';
      *line_end = ' ';
      from = at_;
      continue;
    }
    line = {start, static_cast<std::size_t>(line_end - start)};
    // Other software may read a CR alone as a line end.
    if (!line.empty() && std::memchr(line.data(), '\r', line.size()) != nullptr) {
      fail(SyntaxError::kHeaderLine);
      std::replace(start, line_end, '\r', ' ');
    }
    return true;
  }
}

void Parser::start_line(std::string_view line) {
  looks_like_response_ = begins_ignoring_case(line, "SIP/");
  if (looks_like_response_) {
    status_line(line);
  } else {
    request_line(line);
  }
}

void Parser::request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || !consists_of(line.substr(0, first), kToken)) {
    return fail(SyntaxError::kStartLine);
  }
  message_.method_ = span(line.substr(0, first));
  if (last == first) return fail(SyntaxError::kStartLine);
  const std::string_view uri = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  message_.uri_ = span(uri);
  if (!same_ignoring_case(version, "SIP/2.0")) {
    return fail(begins_ignoring_case(version, "SIP/") ? SyntaxError::kVersion : SyntaxError::kStartLine);
  }
  UriParts parts;
  // RFC 3261 19.1.1, table 1: a Request-URI has no headers.
  if (!scan_uri(uri, parts) || !parts.headers.empty()) fail(SyntaxError::kRequestUri);
}

void Parser::status_line(std::string_view line) {
  Scanner scanner(line);
  const std::string_view version = scanner.take_before(' ');
  scanner.accept(' ');
  const auto status = number(scanner.take(kDigit));
  if (!same_ignoring_case(version, "SIP/2.0")) return fail(SyntaxError::kVersion);
  if (!status || *status < 100 || *status > 699) return fail(SyntaxError::kStatusCode);
  if (!scanner.accept(' ') && !scanner.done()) return fail(SyntaxError::kStatusCode);
  message_.status_ = static_cast<int>(*status);
  message_.reason_ = span(scanner.rest());
}

void Parser::header_line(std::string_view line) {
  Scanner scanner(line);
  const std::string_view text = scanner.take(kToken);
  scanner.skip_space();
  if (text.empty() || !scanner.accept(':')) return fail(SyntaxError::kHeaderLine);
  const std::string_view value = trimmed(scanner.rest());
  const HeaderName name = header_name(text);
  if (has(name) && may_occur_once(name)) return fail(SyntaxError::kDuplicateHeader);
  check(name, value);
  seen_ |= std::uint64_t{1} << static_cast<unsigned>(name);
  if (name != HeaderName::kContentLength) message_.fields_.push_back({name, span(text), span(value)});
}

void Parser::check(HeaderName name, std::string_view value) {
  // Checks only what every message needs or what could do harm later; the accessors check the rest.
  if (name == HeaderName::kVia) {
    Scanner scanner(value);
    ViaParts parts;
    do {
      if (!scan_via(scanner, parts)) return fail(SyntaxError::kVia);
    } while (scanner.accept(','));
    top_via_usable_ = top_via_usable_ || !has(HeaderName::kVia);
  } else if (name == HeaderName::kFrom || name == HeaderName::kTo) {
    if (!addresses_are_well_formed(value, false)) fail(SyntaxError::kAddress);
  } else if (name == HeaderName::kContact || name == HeaderName::kRoute || name == HeaderName::kRecordRoute) {
    const bool star = name == HeaderName::kContact && value == "*";
    if (!star && !addresses_are_well_formed(value, true)) fail(SyntaxError::kAddress);
  } else if (name == HeaderName::kCallId) {
    if (!consists_of(value, kVisible)) fail(SyntaxError::kCallId);
  } else if (name == HeaderName::kCSeq) {
    CSeqParts parts;
    if (!scan_cseq(value, parts)) return fail(SyntaxError::kCSeq);
    cseq_method_ = parts.method;
  } else if (name == HeaderName::kMaxForwards) {
    // RFC 3261 20.22: 0 to 255.
    if (number(value).value_or(256) > 255) fail(SyntaxError::kNumber);
  } else if (name == HeaderName::kContentLength) {
    content_length_ = number(value);
    if (!content_length_) fail(SyntaxError::kContentLength);
  }
}

void Parser::take_body(std::string_view rest) {
  if (content_length_) {
    if (*content_length_ > rest.size()) return fail(SyntaxError::kBodyTooShort);
    rest = rest.substr(0, *content_length_);
  }
  message_.body_ = span(rest);
}

void Parser::check_whole() {
  const bool complete = has(HeaderName::kVia) && has(HeaderName::kFrom) && has(HeaderName::kTo) &&
                        has(HeaderName::kCallId) && has(HeaderName::kCSeq);
  if (!complete) fail(SyntaxError::kMissingHeader);
  if (!looks_like_response_ && cseq_method_ != message_.method()) fail(SyntaxError::kCSeqMethod);
}

ParseError Parser::refusal() {
  ParseError refusal{*error_, *error_ == SyntaxError::kVersion ? 505 : 400, std::nullopt};
  const bool answerable = !looks_like_response_ && top_via_usable_ && has(HeaderName::kFrom) && has(HeaderName::kTo) &&
                          has(HeaderName::kCallId) && has(HeaderName::kCSeq) && message_.method() != method::kAck &&
                          !message_.method().empty();
  if (answerable) refusal.request = std::move(message_);
  return refusal;
}

Result<SipMessage, ParseError> parse(std::string_view datagram) {
  return Parser{}.parse(datagram);
}

}  // namespace callpark::sip
