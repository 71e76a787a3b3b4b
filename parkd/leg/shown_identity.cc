#include "parkd/leg/shown_identity.h"

#include <algorithm>
#include <string_view>

namespace callpark::leg {
namespace {

// A number is shown and sent in a MESSAGE, which has to be short; a URI may be of any length.
constexpr std::size_t kNumberLengthMax = 64;

bool says(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

// A URI may hide any byte in an escape, and this goes into headers and texts.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

bool is_withheld(const PartyIdentity& who) {
  return who.name.empty() && who.number.empty();
}

}  // namespace

PartyIdentity identity_of(const std::string& display, const std::string& uri) {
  const auto parsed = sip::parse_uri(uri);
  const std::string number = parsed ? parsed->number() : "";
  const bool is_anonymous =
      says(display, "anonymous") || says(number, "anonymous") || (parsed && says(parsed->host(), "anonymous.invalid"));
  if (is_anonymous) return {};
  return {printable(display), printable(number.substr(0, number.find(';'))).substr(0, kNumberLengthMax)};
}

bool asks_for_privacy(const sip::SipMessage& request) {
  // The values stand behind semicolons, yet some phones write commas.
  for (std::string_view rest : request.all_headers(sip::HeaderName::kPrivacy)) {
    while (!rest.empty()) {
      const std::size_t length = std::min(rest.find_first_of("; ,\t"), rest.size());
      const std::string_view value = rest.substr(0, length);
      if (says(value, "id") || says(value, "user") || says(value, "header")) return true;
      rest.remove_prefix(std::min(length + 1, rest.size()));
    }
  }
  return false;
}

std::string shown_name(const PartyIdentity& who) {
  if (is_withheld(who)) return "Anonymous";
  return who.name.empty() ? who.number : who.name;
}

sip::NameAddr shown_address(const PartyIdentity& who, const std::string& domain) {
  const bool has_number = !who.number.empty();
  return {shown_name(who),
          sip::SipUri(has_number ? who.number : "anonymous", has_number ? domain : "anonymous.invalid"),
          {}};
}

void write_connected_identity(sip::SipMessage& message, const PartyIdentity& who, const std::string& domain) {
  const std::string address = shown_address(who, domain).to_string();
  message.set_header("P-Asserted-Identity", address);
  // draft-ietf-sip-privacy-04: whom the receiver has called, or who calls him.
  message.set_header("Remote-Party-ID", address + ";party=" + (message.is_response() ? "called" : "calling") +
                                            ";screen=yes;privacy=" + (is_withheld(who) ? "full" : "off"));
  if (is_withheld(who)) message.set_header("Privacy", "id");
}

}  // namespace callpark::leg
