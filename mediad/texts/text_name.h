// The name of the sound file that speaks a text.
#pragma once

#include <string>

namespace callpark::media {

/// Returns "text_" and 32 hexadecimal digits: the first half of the SHA-256 of the language, a newline and the text.
std::string text_name(const std::string& language, const std::string& text);

}  // namespace callpark::media
