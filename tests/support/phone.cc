#include "tests/support/phone.h"

#include <stdexcept>

namespace callpark::test {

std::string to_string(CallPhase phase) {
  switch (phase) {
    case CallPhase::kUnknown:
      return "unknown";
    case CallPhase::kDialling:
      return "dialling";
    case CallPhase::kProgress:
      return "in progress";
    case CallPhase::kRinging:
      return "ringing";
    case CallPhase::kIncoming:
      return "incoming";
    case CallPhase::kEstablished:
      return "established";
    case CallPhase::kClosed:
      return "closed";
  }
  return "?";
}

testing::AssertionResult Phone::reaches(const CallName& call, CallPhase wanted, std::chrono::milliseconds timeout) {
  if (wait_until(timeout, [&] { return phase(call) == wanted; })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name() << ": call " << call << " should be " << to_string(wanted) << " but is "
                                     << to_string(phase(call)) << " " << closing_reason(call);
}

CallName Phone::answer_next(std::chrono::milliseconds timeout) {
  CallName call = wait_incoming(timeout);
  answer(call);
  const auto answered = reaches(call, CallPhase::kEstablished, timeout);
  if (!answered) throw std::runtime_error(answered.message());
  return call;
}

CallName Phone::dial_until_answered(const std::string& target, std::chrono::milliseconds timeout) {
  CallName call = dial(target);
  const auto answered = reaches(call, CallPhase::kEstablished, timeout);
  if (!answered) throw std::runtime_error(answered.message());
  return call;
}

}  // namespace callpark::test
