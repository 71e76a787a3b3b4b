#include "parkd/leg/user_agent.h"

namespace callpark::leg {

void write_capabilities(sip::SipMessage& message) {
  message.set_header("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REFER, NOTIFY");
  message.set_header("Supported", "timer");
}

}  // namespace callpark::leg
