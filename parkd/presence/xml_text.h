// Names and numbers from SIP as text of XML.
#pragma once

#include <string>
#include <string_view>

namespace callpark::presence {

/// Fit for an attribute's value in double quotes and for an element's content, whatever the bytes: markup is escaped,
/// bytes that are not UTF-8 become U+FFFD, and code points that XML 1.0 forbids (controls, surrogates, U+FFFE) are left
/// out.
std::string escape_xml(std::string_view text);

}  // namespace callpark::presence
