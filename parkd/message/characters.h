// The character classes of RFC 3261 25.1 as one table, and comparison without regard to case.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace callpark::sip {

/// Classes are bits, so that one lookup tests any union of them.
enum CharacterClass : std::uint16_t {
  kDigit = 1 << 0,
  kHexDigit = 1 << 1,
  kAlpha = 1 << 2,
  kToken = 1 << 3,
  /// unreserved
  kUnreserved = 1 << 4,
  /// Allowed in a user part besides unreserved and escaped characters; "#" because phones send it unescaped.
  kUserOnly = 1 << 5,
  kPasswordOnly = 1 << 6,
  /// Allowed in a URI parameter besides unreserved and escaped characters.
  kUriParamOnly = 1 << 7,
  /// Allowed in a URI header besides those; ";=@," because phones send a Replaces unescaped.
  kUriHeaderOnly = 1 << 8,
  kHost = 1 << 9,
  kIpv6 = 1 << 10,
  /// Value of a header parameter: token or host, and what phones send unquoted (IPv6, addresses).
  kParamValue = 1 << 11,
  kOpaque = 1 << 12,
  kBeyondAscii = 1 << 13,
  kVisible = 1 << 14,
  /// A URI without angle brackets, which ends where the header's parameters begin.
  kBareUri = 1 << 15,
};

namespace detail {
constexpr std::array<std::uint16_t, 256> make_character_table() {
  std::array<std::uint16_t, 256> table{};
  const auto mark = [&table](std::string_view characters, unsigned classes) {
    for (const char c : characters) {
      auto& entry = table[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint16_t>(entry | classes);
    }
  };
  constexpr unsigned kWordLike = kToken | kUnreserved | kHost | kParamValue | kOpaque | kBareUri;
  mark("0123456789", kDigit | kHexDigit | kIpv6 | kWordLike);
  mark("abcdefABCDEF", kHexDigit | kAlpha | kIpv6 | kWordLike);
  mark("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ", kAlpha | kWordLike);
  mark("-.!%*_+`'~", kToken | kParamValue);
  mark("-_.!~*'()", kUnreserved | kOpaque | kBareUri);
  mark("&=+$,;?/#", kUserOnly);
  mark("&=+$,", kPasswordOnly);
  mark("[]/:&+$", kUriParamOnly);
  mark("[]/?:+$;=@,", kUriHeaderOnly);
  // RFC 3261 has no underscore in host names, but networks do.
  mark("-._", kHost);
  mark(":.", kIpv6);
  mark("[]:/@&$", kParamValue);
  mark("/:@&=+$%#[]", kOpaque | kBareUri);
  mark(";,?", kOpaque);
  for (unsigned c = 0x21; c < 0x100; ++c) {
    if (c != 0x7f) table[c] = static_cast<std::uint16_t>(table[c] | kVisible);
    if (c >= 0x80) table[c] = static_cast<std::uint16_t>(table[c] | kBeyondAscii);
  }
  return table;
}
}  // namespace detail

inline constexpr std::array<std::uint16_t, 256> kCharacterTable = detail::make_character_table();

constexpr bool is(char c, unsigned classes) noexcept {
  return (kCharacterTable[static_cast<unsigned char>(c)] & classes) != 0;
}
constexpr bool is_space(char c) noexcept {
  return c == ' ' || c == '\t';
}
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

constexpr bool same_ignoring_case(std::string_view left, std::string_view right) noexcept {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i] && lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// True if `text` has at least one character and all its characters are of these classes.
constexpr bool consists_of(std::string_view text, unsigned classes) noexcept {
  for (const char c : text) {
    if (!is(c, classes)) return false;
  }
  return !text.empty();
}

}  // namespace callpark::sip
