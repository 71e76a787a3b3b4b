// Session timers (RFC 4028): what to agree to, which side refreshes and when, and when a session counts as dead. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "parkd/call/dialog_snapshot.h"
#include "parkd/message/sip_message.h"

namespace callpark::leg {

struct SessionTimer {
  std::chrono::seconds interval{1800};
  bool we_refresh = false;
  /// RFC 4028 5: never below 90; more after a 422 has asked for more.
  std::chrono::seconds interval_min{90};

  bool operator==(const SessionTimer&) const = default;
};

/// Answer 422 with `Min-SE` of this value.
struct IntervalTooSmall {
  std::chrono::seconds interval_min;
};

/// What a 2xx to this INVITE or UPDATE agrees to; none when the request asks for no timer, which ends one that ran.
/// The refresher that the request names is kept; when it names none, the sender refreshes if it can, else we.
Result<std::optional<SessionTimer>, IntervalTooSmall> answer_session_timer(
    const sip::SipMessage& request, std::chrono::seconds interval_min = std::chrono::seconds(90));
/// 422 to `request` from the dialog's end with `local_tag`.
sip::SipMessage make_interval_too_small(const sip::SipMessage& request, const IntervalTooSmall& error,
                                        std::string_view local_tag);
/// Puts it into the 2xx to `request`.
void write_session_timer(sip::SipMessage& response, const std::optional<SessionTimer>& timer,
                         const sip::SipMessage& request);

/// Puts into a re-INVITE or UPDATE of ours that we can do timers and, when one is agreed, that it goes on with the same
/// refresher. None leaves it to the other side whether there is one.
void offer_session_timer(sip::SipMessage& request, const std::optional<SessionTimer>& agreed);
/// What the two ends of this dialog have agreed to.
std::optional<SessionTimer> agreed_in(const DialogSnapshot& snapshot);
/// What the 2xx to a request of ours agreed to; none is none.
std::optional<SessionTimer> read_session_timer(const sip::SipMessage& response);
/// What to offer again after this 422; none if it has no interval, or asks for no more than was offered.
std::optional<SessionTimer> raised_by_422(const sip::SipMessage& response, const SessionTimer& offered);

/// Counted from the last 2xx: when we have to refresh, or none when that is the other's duty.
std::optional<std::chrono::seconds> refresh_after(const SessionTimer& timer);
/// Counted from the last 2xx: when to send BYE if no refresh has come or succeeded.
std::chrono::seconds end_after(const SessionTimer& timer);

}  // namespace callpark::leg
