#include "parkd/presence/shown_party.h"

#include "parkd/message/sip_uri.h"

namespace callpark::presence {

ShownParty shown_caller(const ShownCall& call) {
  const auto uri = sip::parse_uri(call.caller_uri);
  std::string number;
  if (uri) number = uri->is_sip() ? uri->user() : uri->opaque().substr(0, uri->opaque().find(';'));
  const bool is_withheld = number.empty() || number == "anonymous" || (uri && uri->host().ends_with(".invalid"));
  if (is_withheld) return {"Anonymous", "sip:anonymous@anonymous.invalid"};
  return {call.caller_display.empty() ? number : call.caller_display, sip::SipUri(number, call.tenant).to_string()};
}

}  // namespace callpark::presence
