// A SIP or SIPS URI (RFC 3261 19.1), read, compared and written; URIs of other schemes are kept unchanged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/message/params.h"
#include "parkd/message/syntax_error.h"

namespace callpark::sip {

struct UriParts;

/// Parts are kept as they were written, so a URI from a Contact is sent back letter by letter; user() and header()
/// return the meaning without the escapes.
class SipUri {
 public:
  SipUri() = default;
  /// A "sip" URI. `user` is plain text (`*68`, `#1`), escaped here where needed. `host` as in a URI: IPv6 in brackets.
  SipUri(std::string_view user, std::string_view host, std::optional<std::uint16_t> port = std::nullopt);

  /// "sip", "sips", "tel", ... in lower case. Empty only in a default-constructed URI.
  const std::string& scheme() const noexcept { return scheme_; }
  bool is_sip() const noexcept { return scheme_ == "sip" || scheme_ == "sips"; }
  void set_scheme(std::string_view scheme);

  /// Without escapes: `%2368` is "#68". Empty if there is none.
  std::string user() const;
  const std::string& user_as_written() const noexcept { return user_; }
  void set_user(std::string_view plain);
  /// The number that a telephone dials for this URI: the user, or of a tel URI (RFC 3966) the number without visual
  /// separators and parameters. Empty if there is none.
  std::string number() const;
  const std::string& password_as_written() const noexcept { return password_; }

  const std::string& host() const noexcept { return host_; }
  void set_host(std::string_view host);
  std::optional<std::uint16_t> port() const noexcept { return port_; }
  void set_port(std::optional<std::uint16_t> port) noexcept { port_ = port; }

  const Params& params() const noexcept { return params_; }
  Params& params() noexcept { return params_; }
  bool has_lr() const noexcept { return params_.has("lr"); }
  /// The transport parameter as written, or empty.
  std::string_view transport() const noexcept { return params_.get("transport").value_or(std::string_view{}); }

  /// The text after "?": `name=value` pairs, escaped as written.
  const Params& headers() const noexcept { return headers_; }
  /// Returns the header of that name without its escapes, ready for the parser of that header.
  std::optional<std::string> header(std::string_view name) const;
  /// Escapes `plain` where needed.
  void set_header(std::string_view name, std::string_view plain);
  void clear_headers() { headers_ = {}; }

  /// For schemes other than sip and sips: everything after "scheme:". Empty otherwise.
  const std::string& opaque() const noexcept { return opaque_; }

  std::string to_string() const;
  void write(std::string& out) const;

  /// Equality of RFC 3261 19.1.4: it is not transitive, so a URI is no key for a map by it.
  bool equivalent(const SipUri& other) const;
  /// Compares letter by letter.
  bool operator==(const SipUri&) const = default;

 private:
  friend SipUri make_uri(const UriParts& parts);

  std::string scheme_;
  std::string user_;
  std::string password_;
  bool has_password_ = false;
  std::string host_;
  std::optional<std::uint16_t> port_;
  Params params_;
  Params headers_;
  std::string opaque_;
};

/// Reads a whole absolute URI, without surrounding space or angle brackets.
Result<SipUri, SyntaxError> parse_uri(std::string_view text);
/// Makes the URI from the result of scan_uri().
SipUri make_uri(const UriParts& parts);

/// Returns `plain` with everything but letters, digits and "-_.!~*'()&=+$," as %HH.
std::string escape_user(std::string_view plain);
/// Decodes %HH. A "%" without two hex digits after it is kept.
std::string unescape(std::string_view text);

}  // namespace callpark::sip
