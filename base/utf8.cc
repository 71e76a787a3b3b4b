#include "base/utf8.h"

#include <algorithm>

namespace callpark {
namespace {

std::uint32_t byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

}  // namespace

// RFC 3629 3; overlong forms are not UTF-8.
Utf8Character first_utf8_character(std::string_view text) noexcept {
  const std::uint32_t lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  std::size_t bytes = 0;
  std::uint32_t least = 0;
  std::uint32_t code = 0;
  if (lead >= 0xc2 && lead < 0xe0) {
    bytes = 2, least = 0x80, code = lead & 0x1fU;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    bytes = 3, least = 0x800, code = lead & 0x0fU;
  } else if (lead >= 0xf0 && lead < 0xf5) {
    bytes = 4, least = 0x10000, code = lead & 0x07U;
  }
  if (bytes == 0 || text.size() < bytes) return {};
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80) return {};
    code = (code << 6U) | (byte_at(text, i) & 0x3fU);
  }
  if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, bytes};
}

std::string valid_utf8(std::string_view text) {
  return valid_utf8(text, text.size());
}

std::string valid_utf8(std::string_view text, std::size_t characters_max) {
  std::string out;
  out.reserve(std::min(text.size(), 4 * characters_max));
  for (std::size_t count = 0; !text.empty() && count < characters_max; ++count) {
    const Utf8Character character = first_utf8_character(text);
    if (character.code) {
      out += text.substr(0, character.bytes);
    } else {
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

}  // namespace callpark
