#include "parkd/presence/shown_party.h"

#include "parkd/message/sip_uri.h"

namespace callpark::presence {

ShownParty shown_caller(const ShownCall& call) {
  const PartyIdentity& caller = call.caller;
  constexpr const char* kAnonymous = "sip:anonymous@anonymous.invalid";
  if (caller.number.empty()) return {caller.name.empty() ? "Anonymous" : caller.name, kAnonymous};
  return {caller.name.empty() ? caller.number : caller.name, sip::SipUri(caller.number, call.tenant).to_string()};
}

}  // namespace callpark::presence
