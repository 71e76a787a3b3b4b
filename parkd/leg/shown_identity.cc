#include "parkd/leg/shown_identity.h"

namespace callpark::leg {
namespace {

bool is_withheld(const PartyIdentity& who) {
  return who.name.empty() && who.number.empty();
}

}  // namespace

std::string shown_name(const PartyIdentity& who) {
  if (is_withheld(who)) return "Anonymous";
  return who.name.empty() ? who.number : who.name;
}

sip::NameAddr shown_address(const PartyIdentity& who, const std::string& domain) {
  const bool has_number = !who.number.empty();
  return {shown_name(who), sip::SipUri(has_number ? who.number : "anonymous", has_number ? domain : "anonymous.invalid"),
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
