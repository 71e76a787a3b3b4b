#include "parkd/presence/xml_text.h"

#include <cstdint>

#include "base/utf8.h"

namespace callpark::presence {
namespace {

// XML 1.0 2.2. Without tabs and line ends, which become blanks in an attribute.
bool is_in_xml(std::uint32_t code) {
  return code >= 0x20 && code != 0x7f && !(code >= 0x80 && code < 0xa0) && code != 0xfffe && code != 0xffff;
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character character = first_utf8_character(text);
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
