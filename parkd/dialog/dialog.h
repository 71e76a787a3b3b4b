// The state that one end keeps of a dialog (RFC 3261 12), and the messages that it is made from. Plain data: parkd
// takes over a dialog between two other user agents by filling in one of these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "parkd/dialog/dialog_id.h"
#include "parkd/dialog/route_set.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

struct DialogState {
  DialogId id;
  /// URIs and display names of From and To as requests from here carry them; the tags are in `id`.
  std::string local_uri;
  std::string local_display;
  std::string remote_uri;
  std::string remote_display;
  /// The CSeq of the last request sent; the next one gets this + 1.
  std::uint32_t local_cseq = 0;
  /// The CSeq of the last request received; none if there was none yet.
  std::optional<std::uint32_t> remote_cseq;
  /// The URI of the other end's Contact.
  std::string remote_target;
  RouteSet route_set;

  bool operator==(const DialogState&) const = default;
};

enum class DialogError : std::uint8_t { kNoTag, kNoContact };

/// Returns a sentence for people, without a full stop. Static text.
std::string_view sentence(DialogError error) noexcept;

/// Makes the called end (RFC 3261 12.1.1); `our_tag` is the To tag of the response that makes the dialog.
Result<DialogState, DialogError> from_incoming_invite(const SipMessage& request, std::string_view our_tag);
/// Makes the calling end (RFC 3261 12.1.2) from any response above 100 with a To tag. Call it again for the 2xx: the
/// route set may differ from the early dialog's (13.2.2.4).
Result<DialogState, DialogError> from_outgoing_invite(const SipMessage& request, const SipMessage& response);

/// From a REFER inside a dialog of two others, which the first proxy diverted to parkd before it removed its own Route.
/// parkd replaces the referrer towards the other party: the REFER was sent to that party, so its Route headers and
/// request URI are route set and remote target. `local_cseq` is the REFER's.
Result<DialogState, DialogError> in_place_of_referrer(const SipMessage& refer);
/// parkd replaces the other party towards the referrer. `routes` leads to the referrer, and `local_cseq` is the last
/// CSeq that the other party is known to have used, or a guess that is high enough; the REFER contains neither.
Result<DialogState, DialogError> towards_referrer(const SipMessage& refer, RouteSet routes, std::uint32_t local_cseq);

}  // namespace callpark::sip
