#include "parkd/presence/xml_text.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace callpark::presence {
namespace {

struct Character {
  std::optional<std::uint32_t> code;  // empty if the bytes are not UTF-8
  std::size_t bytes = 1;
};

std::uint32_t byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// RFC 3629 3; overlong forms are not UTF-8.
Character first_of(std::string_view text) {
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

// XML 1.0 2.2. Without tabs and line ends, which become blanks in an attribute.
bool is_in_xml(std::uint32_t code) {
  return code >= 0x20 && code != 0x7f && !(code >= 0x80 && code < 0xa0) && code != 0xfffe && code != 0xffff;
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_of(text);
    const std::string_view as_written = text.substr(0, character.bytes);
    text.remove_prefix(character.bytes);
    if (!character.code) {
      out += "\xef\xbf\xbd";
    } else if (*character.code == '&') {
      out += "&amp;";
    } else if (*character.code == '<') {
      out += "&lt;";
    } else if (*character.code == '>') {
      out += "&gt;";
    } else if (*character.code == '"') {
      out += "&quot;";
    } else if (*character.code == '\'') {
      out += "&apos;";
    } else if (is_in_xml(*character.code)) {
      out += as_written;
    }
  }
  return out;
}

}  // namespace callpark::presence
