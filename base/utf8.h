// UTF-8 (RFC 3629) out of texts that may hold any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace callpark {

struct Utf8Character {
  std::optional<std::uint32_t> code;  // empty if the byte is not UTF-8
  std::size_t bytes = 1;
};

/// The first character of a text that is not empty.
Utf8Character first_utf8_character(std::string_view text) noexcept;

/// The text with U+FFFD for each byte that is not UTF-8; all else stays as it is.
std::string valid_utf8(std::string_view text);
/// The same of its first characters, of which a byte that is not UTF-8 is one.
std::string valid_utf8(std::string_view text, std::size_t characters_max);

}  // namespace callpark
