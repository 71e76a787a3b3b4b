// Finds the parts of a header value without copying: the only implementation of the grammar of URIs, addresses, Via and
// their parameters. Views only; the types that own their text are made from these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parkd/message/characters.h"
#include "parkd/message/params.h"

namespace callpark::sip {

class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : at_(text.data()), end_(text.data() + text.size()) {}

  bool done() const noexcept { return at_ == end_; }
  /// Returns the next character; NUL at the end.
  char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
  bool accept(char c) noexcept {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  void skip_space() noexcept {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  /// True if `c` comes next, space around it allowed; all of that is consumed.
  bool accept_spaced(char c) noexcept {
    const char* const before = at_;
    skip_space();
    if (!accept(c)) {
      at_ = before;
      return false;
    }
    skip_space();
    return true;
  }
  std::string_view take(unsigned classes) noexcept {
    const char* const start = at_;
    while (at_ != end_ && is(*at_, classes)) ++at_;
    return since(start);
  }
  /// Consumes characters of these classes and well-formed %HH; stops before anything else.
  std::string_view take_escaped(unsigned classes) noexcept;
  /// Consumes a quoted string with its quotes; returns nothing if none begins here or it has no end.
  std::string_view take_quoted() noexcept;
  /// Consumes and returns the text before `c`, without `c`; returns nothing if there is no `c`.
  std::string_view take_before(char c) noexcept;

  const char* position() const noexcept { return at_; }
  void rewind(const char* position) noexcept { at_ = position; }
  std::string_view since(const char* start) const noexcept { return {start, static_cast<std::size_t>(at_ - start)}; }
  void take_rest() noexcept { at_ = end_; }
  std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }

 private:
  const char* at_;
  const char* end_;
};

struct ParamView {
  std::string_view name;
  std::optional<std::string_view> value;
};

struct UriParts {
  std::string_view scheme;
  std::string_view user;
  std::optional<std::string_view> password;
  std::string_view host;
  std::optional<std::uint16_t> port;
  /// The text from the first ";" on, and the text after the "?".
  std::string_view params;
  std::string_view headers;
  std::string_view opaque;
};

struct AddressParts {
  /// With its quotes, if it had any.
  std::string_view display;
  UriParts uri;
  std::string_view params;
};

struct ViaParts {
  std::string_view protocol_name;
  std::string_view protocol_version;
  std::string_view transport;
  std::string_view host;
  std::optional<std::uint16_t> port;
  std::string_view params;
};

struct CSeqParts {
  std::uint32_t number = 0;
  std::string_view method;
};

/// Each returns false if the text violates the grammar; the parts are invalid then.
bool scan_uri(std::string_view text, UriParts& parts) noexcept;
bool scan_cseq(std::string_view text, CSeqParts& parts) noexcept;
/// These stop after the value, before a "," that begins the next one, or at the end.
bool scan_address(Scanner& scanner, AddressParts& parts) noexcept;
bool scan_via(Scanner& scanner, ViaParts& parts) noexcept;
/// Reads the next ";name" or ";name=value" of a header; returns false if none comes or it is malformed (then not
/// done()).
bool scan_param(Scanner& scanner, ParamView& param) noexcept;
/// Reads the same in a URI, where no space is allowed and %HH is.
bool scan_uri_param(Scanner& scanner, ParamView& param) noexcept;

/// Returns the value of a parameter in text that scan_address() or scan_via() found; empty if there is none.
std::string_view param_value(std::string_view params, std::string_view name) noexcept;
/// Makes a list of text that scan_address() or scan_via() found.
Params make_params(std::string_view params);

/// The first word of `text`, which begins behind it afterwards; "" if there is none.
std::string_view next_word(std::string_view& text) noexcept;
std::optional<std::uint16_t> port_number(std::string_view digits) noexcept;
/// Reads digits only, at most 2^32-1.
std::optional<std::uint32_t> number(std::string_view digits) noexcept;

}  // namespace callpark::sip
