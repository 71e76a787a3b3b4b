// What one end has to remember of a dialog (RFC 3261 12), and the messages it can be learnt from. Plain data: a dialog
// that other user agents set up is taken over by filling one in.
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
  /// URIs and display names of From and To as they are written in requests from here; the tags stand in `id`.
  std::string local_uri;
  std::string local_display;
  std::string remote_uri;
  std::string remote_display;
  /// Of the last request sent; the next one gets this + 1.
  std::uint32_t local_cseq = 0;
  /// Of the last request received; none when there was none yet.
  std::optional<std::uint32_t> remote_cseq;
  /// The URI of the other end's Contact.
  std::string remote_target;
  RouteSet route_set;

  bool operator==(const DialogState&) const = default;
};

enum class DialogError : std::uint8_t { kNoTag, kNoContact };

/// A sentence for people, without a full stop. Static text.
std::string_view sentence(DialogError error) noexcept;

/// The end that is called (RFC 3261 12.1.1); `our_tag` is the To tag of the response that makes the dialog.
Result<DialogState, DialogError> from_incoming_invite(const SipMessage& request, std::string_view our_tag);
/// The end that has called (RFC 3261 12.1.2), of any response above 100 with a To tag. Call it again for the 2xx: the
/// route set may differ from the early dialog's (13.2.2.4).
Result<DialogState, DialogError> from_outgoing_invite(const SipMessage& request, const SipMessage& response);

/// From a REFER inside a dialog of two others, diverted to us by the first proxy before it took off its own Route.
/// Taking the referrer's place towards the other party: that is where the REFER was going, so its Route headers and
/// request URI are route set and remote target. `local_cseq` is the REFER's.
Result<DialogState, DialogError> in_place_of_referrer(const SipMessage& refer);
/// Taking the other party's place towards the referrer. `routes` leads to the referrer, and `local_cseq` is the last
/// CSeq that the other party is known to have used, or a guess that is high enough; the REFER tells neither.
Result<DialogState, DialogError> towards_referrer(const SipMessage& refer, RouteSet routes, std::uint32_t local_cseq);

}  // namespace callpark::sip
