// SipMessage -> text. Content-Length is always written, last, and always correct.
#pragma once

#include <string>

#include "parkd/message/sip_message.h"

namespace callpark::sip {

std::string write(const SipMessage& message);
/// Appends to `out`.
void write(const SipMessage& message, std::string& out);

}  // namespace callpark::sip
