#include "kamailio_protocol/party_identity.h"

#include <algorithm>

#include "base/utf8.h"
#include "parkd/message/characters.h"
#include "parkd/message/sip_uri.h"

namespace callpark::kamailio_protocol {
namespace {

// A number is shown and sent in a MESSAGE, which has to be short; a URI may be of any length.
constexpr std::size_t kNumberLengthMax = 64;

// A URI may hide any byte in an escape, and this goes into headers and texts.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return valid_utf8(text);
}

}  // namespace

PartyIdentity identity_of(const std::string& display, const std::string& uri) {
  const auto parsed = sip::parse_uri(uri);
  const std::string number = parsed ? parsed->number() : "";
  const bool is_anonymous = sip::same_ignoring_case(display, "anonymous") ||
                            sip::same_ignoring_case(number, "anonymous") ||
                            (parsed && sip::same_ignoring_case(parsed->host(), "anonymous.invalid"));
  if (is_anonymous) return {};
  return {printable(display), printable(number.substr(0, number.find(';')).substr(0, kNumberLengthMax))};
}

}  // namespace callpark::kamailio_protocol
