#include "parkd/message/scanner.h"

#include <charconv>
#include <cstring>

namespace callpark::sip {
namespace {

template <class Number>
std::optional<Number> decimal(std::string_view digits) noexcept {
  if (!consists_of(digits, kDigit)) return std::nullopt;
  Number value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

bool scan_host(Scanner& scanner, std::string_view& host) noexcept {
  const char* const start = scanner.position();
  if (scanner.accept('[')) {
    if (scanner.take(kIpv6).empty() || !scanner.accept(']')) return false;
  } else if (scanner.take(kHost).empty()) {
    return false;
  }
  host = scanner.since(start);
  return true;
}

bool scan_user(std::string_view text, UriParts& parts) noexcept {
  Scanner scanner(text);
  // Switches write "sip:@host" if the caller's number is withheld; it means the same as "sip:host".
  if (text.empty()) return true;
  parts.user = scanner.take_escaped(kUnreserved | kUserOnly);
  if (parts.user.empty()) return false;
  if (scanner.accept(':')) parts.password = scanner.take_escaped(kUnreserved | kPasswordOnly);
  return scanner.done();
}

bool scan_uri_headers(Scanner scanner) noexcept {
  do {
    if (scanner.take_escaped(kUnreserved).empty()) return false;
    if (scanner.accept('=')) scanner.take_escaped(kUnreserved | kUriHeaderOnly);
  } while (scanner.accept('&'));
  return scanner.done();
}

bool scan_sip_uri(Scanner& scanner, UriParts& parts) noexcept {
  // "@" is not allowed unescaped anywhere else before the headers, so the first one ends the user part.
  const char* const start = scanner.position();
  const std::string_view user = scanner.take_before('@');
  if (scanner.peek() == '@') {
    if (!scan_user(user, parts)) return false;
    scanner.accept('@');
  } else {
    scanner.rewind(start);
  }
  if (!scan_host(scanner, parts.host)) return false;
  if (scanner.accept(':')) {
    parts.port = port_number(scanner.take(kDigit));
    if (!parts.port) return false;
  }
  const char* const params = scanner.position();
  for (ParamView param; scan_uri_param(scanner, param);) {
  }
  parts.params = scanner.since(params);
  if (scanner.accept('?')) {
    parts.headers = scanner.rest();
    return scan_uri_headers(scanner);
  }
  return scanner.done();
}

bool scan_params(Scanner& scanner, std::string_view& params) noexcept {
  const char* const start = scanner.position();
  for (ParamView param; scan_param(scanner, param);) {
  }
  params = scanner.since(start);
  scanner.skip_space();
  return scanner.done() || scanner.peek() == ',';
}

/// Reads tokens with space between them, up to the "<"; rewinds if the text is something else.
bool scan_display(Scanner& scanner, std::string_view& display) noexcept {
  const char* const start = scanner.position();
  if (scanner.peek() == '"') {
    display = scanner.take_quoted();
    scanner.skip_space();
    return !display.empty() && scanner.peek() == '<';
  }
  while (!scanner.take(kToken | kBeyondAscii).empty()) scanner.skip_space();
  if (scanner.peek() == '<') {
    display = trimmed(scanner.since(start));
  } else {
    scanner.rewind(start);
  }
  return true;
}

}  // namespace

std::string_view Scanner::take_escaped(unsigned classes) noexcept {
  const char* const start = at_;
  while (at_ != end_) {
    if (is(*at_, classes)) {
      ++at_;
    } else if (*at_ == '%' && end_ - at_ >= 3 && is(at_[1], kHexDigit) && is(at_[2], kHexDigit)) {
      at_ += 3;
    } else {
      break;
    }
  }
  return since(start);
}

std::string_view Scanner::take_quoted() noexcept {
  const char* const start = at_;
  if (!accept('"')) return {};
  while (at_ != end_) {
    const char c = *at_++;
    if (c == '"') return since(start);
    if (c == '\\' && at_ != end_) ++at_;
  }
  at_ = start;
  return {};
}

std::string_view Scanner::take_before(char c) noexcept {
  if (done()) return {};
  const void* const found = std::memchr(at_, c, static_cast<std::size_t>(end_ - at_));
  if (found == nullptr) return {};
  const char* const start = at_;
  at_ = static_cast<const char*>(found);
  return since(start);
}

bool scan_uri(std::string_view text, UriParts& parts) noexcept {
  Scanner scanner(text);
  parts = {};
  if (!is(scanner.peek(), kAlpha)) return false;
  parts.scheme = scanner.take(kAlpha | kDigit | kToken);
  if (!scanner.accept(':')) return false;
  if (same_ignoring_case(parts.scheme, "sip") || same_ignoring_case(parts.scheme, "sips")) {
    return scan_sip_uri(scanner, parts);
  }
  parts.opaque = scanner.rest();
  return consists_of(parts.opaque, kOpaque);
}

bool scan_cseq(std::string_view text, CSeqParts& parts) noexcept {
  Scanner scanner(text);
  const auto digits = number(scanner.take(kDigit));
  // RFC 3261 8.1.1.5: the number is less than 2^31.
  if (!digits || *digits > 0x7fffffff || !is_space(scanner.peek())) return false;
  scanner.skip_space();
  parts = {*digits, scanner.take(kToken)};
  return scanner.done() && !parts.method.empty();
}

bool scan_address(Scanner& scanner, AddressParts& parts) noexcept {
  parts = {};
  scanner.skip_space();
  if (!scan_display(scanner, parts.display)) return false;
  if (scanner.accept('<')) {
    const std::string_view uri = scanner.take_before('>');
    if (!scanner.accept('>') || !scan_uri(uri, parts.uri)) return false;
  } else {
    // RFC 3261 20: without angle brackets, ";" and the text after it belong to the header, and "," and "?" may not
    // occur.
    if (!scan_uri(scanner.take(kBareUri), parts.uri)) return false;
  }
  return scan_params(scanner, parts.params);
}

bool scan_via(Scanner& scanner, ViaParts& parts) noexcept {
  parts = {};
  scanner.skip_space();
  parts.protocol_name = scanner.take(kToken);
  if (parts.protocol_name.empty() || !scanner.accept_spaced('/')) return false;
  parts.protocol_version = scanner.take(kToken);
  if (parts.protocol_version.empty() || !scanner.accept_spaced('/')) return false;
  parts.transport = scanner.take(kToken);
  if (parts.transport.empty() || !is_space(scanner.peek())) return false;
  scanner.skip_space();
  if (!scan_host(scanner, parts.host)) return false;
  if (scanner.accept_spaced(':')) {
    parts.port = port_number(scanner.take(kDigit));
    if (!parts.port) return false;
  }
  return scan_params(scanner, parts.params);
}

bool scan_param(Scanner& scanner, ParamView& param) noexcept {
  const char* const start = scanner.position();
  param = {};
  if (!scanner.accept_spaced(';')) return false;
  param.name = scanner.take(kToken);
  if (param.name.empty()) {
    scanner.rewind(start);
    return false;
  }
  if (scanner.accept_spaced('=')) {
    param.value = scanner.peek() == '"' ? scanner.take_quoted() : scanner.take(kParamValue | kBeyondAscii);
  }
  return true;
}

bool scan_uri_param(Scanner& scanner, ParamView& param) noexcept {
  const char* const start = scanner.position();
  param = {};
  if (!scanner.accept(';')) return false;
  param.name = scanner.take_escaped(kUnreserved | kUriParamOnly);
  if (param.name.empty()) {
    scanner.rewind(start);
    return false;
  }
  // Proxies add tags unescaped (Kamailio: ";ftag="), and a tag may have any character of a token; and Base64 with its
  // "=" (OpenSIPS: ";thinfo=").
  if (!scanner.accept('=')) return true;
  const char* const value = scanner.position();
  do {
    scanner.take(kUnreserved | kUriParamOnly | kToken);
  } while (scanner.accept('='));
  param.value = scanner.since(value);
  return true;
}

std::string_view param_value(std::string_view params, std::string_view name) noexcept {
  Scanner scanner(params);
  for (ParamView param; scan_param(scanner, param);) {
    if (same_ignoring_case(param.name, name)) return param.value.value_or(std::string_view{});
  }
  return {};
}

Params make_params(std::string_view params) {
  Params list;
  Scanner scanner(params);
  for (ParamView param; scan_param(scanner, param);) {
    list.append({std::string(param.name), param.value ? std::optional<std::string>(*param.value) : std::nullopt});
  }
  return list;
}

std::string_view next_word(std::string_view& text) noexcept {
  text = trimmed(text);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::optional<std::uint16_t> port_number(std::string_view digits) noexcept {
  return decimal<std::uint16_t>(digits);
}
std::optional<std::uint32_t> number(std::string_view digits) noexcept {
  return decimal<std::uint32_t>(digits);
}

}  // namespace callpark::sip
