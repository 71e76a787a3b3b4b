#include "parkd/message/sip_uri.h"

#include <algorithm>
#include <array>

#include "parkd/message/characters.h"
#include "parkd/message/scanner.h"

namespace callpark::sip {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return lower(c) - 'a' + 10;
}

std::string escape(std::string_view plain, unsigned allowed) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(plain.size());
  for (const char c : plain) {
    if (is(c, allowed)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return out;
}

// RFC 3966 3: visual separators.
std::string without_separators(std::string number) {
  std::erase_if(number, [](char c) { return c == '-' || c == '.' || c == '(' || c == ')'; });
  return number;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool same_unescaped(std::string_view left, std::string_view right) {
  return left == right || unescape(left) == unescape(right);
}

bool same_value(const Param& left, const Param& right) {
  return same_ignoring_case(unescape(left.value.value_or("")), unescape(right.value.value_or("")));
}

const Param* find_unescaped(const Params& params, std::string_view name) {
  const auto found = std::find_if(params.begin(), params.end(), [name = unescape(name)](const Param& param) {
    return same_ignoring_case(unescape(param.name), name);
  });
  return found == params.end() ? nullptr : &*found;
}

// RFC 3261 19.1.4: these count even if only one of the URIs has them; others only if both do.
bool matters_alone(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 5> kNames = {"user", "ttl", "method", "maddr", "transport"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view n) { return same_ignoring_case(n, name); });
}

bool params_agree(const Params& left, const Params& right) {
  return std::all_of(left.begin(), left.end(), [&](const Param& param) {
    const Param* const other = find_unescaped(right, param.name);
    return other == nullptr ? !matters_alone(unescape(param.name)) : same_value(param, *other);
  });
}

bool headers_agree(const Params& left, const Params& right) {
  return std::all_of(left.begin(), left.end(), [&](const Param& header) {
    const Param* const other = find_unescaped(right, header.name);
    return other != nullptr && same_unescaped(header.value.value_or(""), other->value.value_or(""));
  });
}

Params split_headers(std::string_view text) {
  Params headers;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    Param header{std::string(pair.substr(0, equals)), std::nullopt};
    if (equals != std::string_view::npos) header.value = pair.substr(equals + 1);
    headers.append(std::move(header));
  }
  return headers;
}

}  // namespace

std::string escape_user(std::string_view plain) {
  // ";", "?" and "/" are legal in a user part, but too many parsers stop at them.
  return escape(plain, kUnreserved | kPasswordOnly);
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is(text[i + 1], kHexDigit) && is(text[i + 2], kHexDigit)) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

SipUri::SipUri(std::string_view user, std::string_view host, std::optional<std::uint16_t> port)
    : scheme_("sip"), user_(escape_user(user)), host_(host), port_(port) {}

void SipUri::set_scheme(std::string_view scheme) {
  scheme_ = lower_case(scheme);
}

std::string SipUri::user() const {
  return unescape(user_);
}

std::string SipUri::number() const {
  // RFC 3966 has nothing after "?"; phones add there what they know from SIP.
  if (scheme_ == "tel") {
    return without_separators(unescape(std::string_view(opaque_).substr(0, opaque_.find_first_of(";?"))));
  }
  const std::size_t parameters = user_.find(';');
  const bool is_number =
      parameters != std::string::npos || same_ignoring_case(params_.get("user").value_or(""), "phone");
  if (!is_number) return user();
  std::string plain = unescape(std::string_view(user_).substr(0, parameters));
  std::string number = without_separators(plain);
  // Of a name they are a part.
  const bool is_dialled = number.find_first_not_of("0123456789*#+") == std::string::npos;
  return is_dialled && !number.empty() ? number : plain;
}

void SipUri::set_user(std::string_view plain) {
  user_ = escape_user(plain);
}

void SipUri::set_host(std::string_view host) {
  host_ = host;
}

std::optional<std::string> SipUri::header(std::string_view name) const {
  const auto value = headers_.get(name);
  return value ? std::optional<std::string>(unescape(*value)) : std::nullopt;
}

void SipUri::set_header(std::string_view name, std::string_view plain) {
  headers_.set(name, escape(plain, kUnreserved));
}

void SipUri::write(std::string& out) const {
  out.append(scheme_).append(1, ':');
  if (!is_sip()) {
    out.append(opaque_);
    return;
  }
  if (!user_.empty()) {
    out.append(user_);
    if (has_password_) out.append(1, ':').append(password_);
    out.append(1, '@');
  }
  out.append(host_);
  if (port_) out.append(1, ':').append(std::to_string(*port_));
  params_.write(out);
  char separator = '?';
  for (const Param& header : headers_) {
    out.append(1, separator).append(header.name);
    if (header.value) out.append(1, '=').append(*header.value);
    separator = '&';
  }
}

std::string SipUri::to_string() const {
  std::string out;
  write(out);
  return out;
}

bool SipUri::equivalent(const SipUri& other) const {
  // A parameter that occurs twice, against the grammar, must not make a URI differ from itself.
  if (*this == other) return true;
  if (scheme_ != other.scheme_) return false;
  if (!is_sip()) return opaque_ == other.opaque_;
  return same_unescaped(user_, other.user_) && has_password_ == other.has_password_ &&
         same_unescaped(password_, other.password_) && same_ignoring_case(host_, other.host_) && port_ == other.port_ &&
         params_agree(params_, other.params_) && params_agree(other.params_, params_) &&
         headers_.size() == other.headers_.size() && headers_agree(headers_, other.headers_);
}

SipUri make_uri(const UriParts& parts) {
  SipUri uri;
  uri.scheme_ = lower_case(parts.scheme);
  uri.user_ = parts.user;
  uri.has_password_ = parts.password.has_value();
  uri.password_ = parts.password.value_or(std::string_view{});
  uri.host_ = parts.host;
  uri.port_ = parts.port;
  Scanner params(parts.params);
  for (ParamView param; scan_uri_param(params, param);) {
    uri.params_.append(
        {std::string(param.name), param.value ? std::optional<std::string>(*param.value) : std::nullopt});
  }
  uri.headers_ = split_headers(parts.headers);
  uri.opaque_ = parts.opaque;
  return uri;
}

Result<SipUri, SyntaxError> parse_uri(std::string_view text) {
  UriParts parts;
  if (!scan_uri(text, parts)) return failure(SyntaxError::kUri);
  return make_uri(parts);
}

}  // namespace callpark::sip
