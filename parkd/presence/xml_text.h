// Text of others (names, numbers) on its way into XML.
#pragma once

#include <string>
#include <string_view>

namespace callpark::presence {

/// Fit for an attribute's value in double quotes and for an element's content, whatever the bytes: markup is escaped,
/// what is no UTF-8 becomes U+FFFD, and what XML 1.0 has no character for (controls, surrogates, U+FFFE) is left out.
std::string escape_xml(std::string_view text);

}  // namespace callpark::presence
