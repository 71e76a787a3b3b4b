#include "parkd/leg/user_agent.h"

#include "base/random.h"
#include "kamailio_protocol/headers.h"

namespace callpark::leg {
namespace {

// Phones that try again after it must not all come at once.
constexpr std::uint64_t kRetryAfterMin = 2;
constexpr std::uint64_t kRetryAfterSpread = 4;

}  // namespace

void write_retry(const UserAgent& agent, sip::SipMessage& response) {
  response.set_header(sip::HeaderName::kRetryAfter, std::to_string(kRetryAfterMin + random_below(kRetryAfterSpread)));
  const int rate = agent.park_rate ? agent.park_rate() : 0;
  if (rate > 0) response.set_header(kamailio_protocol::kParkRate, std::to_string(rate));
}

void write_capabilities(sip::SipMessage& message) {
  message.set_header("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, MESSAGE, REFER, NOTIFY");
  message.set_header("Supported", "timer");
}

}  // namespace callpark::leg
