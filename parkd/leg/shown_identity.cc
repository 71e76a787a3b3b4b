#include "parkd/leg/shown_identity.h"

#include <algorithm>
#include <string_view>

#include "parkd/message/characters.h"

namespace callpark::leg {
namespace {

bool is_withheld(const PartyIdentity& who) {
  return who.name.empty() && who.number.empty();
}

}  // namespace

bool asks_for_privacy(const sip::SipMessage& request) {
  // Semicolons separate the values, yet some phones write commas.
  for (std::string_view rest : request.all_headers(sip::HeaderName::kPrivacy)) {
    while (!rest.empty()) {
      const std::size_t length = std::min(rest.find_first_of("; ,\t"), rest.size());
      const std::string_view value = rest.substr(0, length);
      for (const std::string_view asked : {"id", "user", "header"}) {
        if (sip::same_ignoring_case(value, asked)) return true;
      }
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
  // draft-ietf-sip-privacy-04: the party that the receiver has called, or that calls the receiver.
  message.set_header("Remote-Party-ID", address + ";party=" + (message.is_response() ? "called" : "calling") +
                                            ";screen=yes;privacy=" + (is_withheld(who) ? "full" : "off"));
  if (is_withheld(who)) message.set_header("Privacy", "id");
}

}  // namespace callpark::leg
