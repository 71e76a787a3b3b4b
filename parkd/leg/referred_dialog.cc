#include "parkd/leg/referred_dialog.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "kamailio_protocol/party_identity.h"
#include "parkd/leg/dialog_snapshot.h"

namespace callpark::leg {

namespace {

// User agents begin mostly with small numbers, some with random ones or with ones derived from the time. This is above
// them, and well below the 2^31 where RFC 3261 8.1.1.5 ends.
constexpr std::uint32_t kGuessedCSeq = 1'000'000'000;

bool is_same_dialog(const AdoptableDialog& known, const sip::DialogId& of_referrer) {
  return known.caller.call_id == of_referrer.call_id && known.caller.local_tag == of_referrer.local_tag &&
         known.caller.remote_tag == of_referrer.remote_tag;
}

// The way back to the referrer passes the proxy that diverted the REFER to us. Its own Route is the first one.
sip::RouteSet first_route_of(const sip::SipMessage& refer) {
  auto routes = sip::routes_left_in(refer);
  if (routes.size() > 1) routes.resize(1);
  return routes;
}

}  // namespace

Result<AdoptableDialog, sip::DialogError> dialog_of_refer(const sip::SipMessage& refer,
                                                          const std::optional<AdoptableDialog>& known) {
  auto towards_other = sip::in_place_of_referrer(refer);
  if (!towards_other) return failure(towards_other.error());
  const bool is_known = known && is_same_dialog(*known, towards_other->id);
  auto towards_parker = sip::towards_referrer(refer, is_known ? known->parker.route_set : first_route_of(refer),
                                              is_known ? known->parker.local_cseq : kGuessedCSeq);
  if (!towards_parker) return failure(towards_parker.error());
  if (!is_known) {
    AdoptableDialog dialog{snapshot_of(*towards_other, {}, {}), snapshot_of(*towards_parker, {}, {})};
    dialog.caller.remote_identity =
        kamailio_protocol::identity_of(towards_other->remote_display, towards_other->remote_uri);
    return dialog;
  }
  towards_other->local_cseq = std::max(towards_other->local_cseq, known->caller.local_cseq);
  towards_other->remote_cseq = known->caller.remote_cseq;
  AdoptableDialog dialog{snapshot_of(*towards_other, known->caller.local_sdp, known->caller.remote_sdp),
                         snapshot_of(*towards_parker, known->parker.local_sdp, known->parker.remote_sdp)};
  // Kamailio knows the parties, and whether they withhold their identity; the phone's headers may name them otherwise.
  dialog.caller.remote_identity = known->caller.remote_identity;
  dialog.parker.remote_identity = known->parker.remote_identity;
  dialog.caller.remote_party = known->caller.remote_party;
  dialog.caller.remote_was_called = known->caller.remote_was_called;
  dialog.is_too_long = known->is_too_long;
  for (const auto& [half, of] : {std::pair{&dialog.caller, &known->caller}, {&dialog.parker, &known->parker}}) {
    half->session_seconds = of->session_seconds;
    half->session_we_refresh = of->session_we_refresh;
  }
  return dialog;
}

}  // namespace callpark::leg
