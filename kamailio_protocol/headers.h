// The headers between Kamailio and parkd for what no RFC has a header for. Kamailio strips them from all that comes
// from outside, so only what arrives from its inside socket may be believed.
#pragma once

#include <string_view>

namespace callpark::kamailio_protocol {

/// Kamailio to parkd, and parkd to Kamailio on new INVITEs: the domain, with its number plan.
inline constexpr std::string_view kTenant = "X-Callpark-Tenant";
/// Kamailio to parkd: the authenticated sender, an extension; in the answer of a ring group, the member; in
/// that of a Contact, the extension that has it.
inline constexpr std::string_view kUser = "X-Callpark-User";
/// Kamailio to parkd: the name of that extension, where the phone sends none.
inline constexpr std::string_view kName = "X-Callpark-Name";
/// Kamailio to parkd, instead: the trunk of the tenant that calls an orbit.
inline constexpr std::string_view kTrunk = "X-Callpark-Trunk";
/// Kamailio to parkd: where that one's request came from, "udp:127.0.0.11:5060"; also on re-INVITE and UPDATE.
inline constexpr std::string_view kDevice = "X-Callpark-Device";
/// Kamailio to parkd: the dialog that is to be parked, see dialog_codec.h.
inline constexpr std::string_view kDialog = "X-Callpark-Dialog";
/// parkd to Kamailio: `kReleased` on a 2xx to a feature call that was not for the held call that came with it, `kKept`
/// on a refusal when parkd stays between the two.
inline constexpr std::string_view kAdoption = "X-Callpark-Adoption";
inline constexpr std::string_view kReleased = "released";
inline constexpr std::string_view kKept = "kept";
/// parkd to Kamailio on the INVITE of a recall: which parked call it is for. Kamailio ends an earlier one for the same
/// call, which a parkd that has died may have left ringing.
inline constexpr std::string_view kRecall = "X-Callpark-Recall";

/// parkd to Kamailio on an INVITE in the name of a caller that is an extension: "102@demo.callpark".
inline constexpr std::string_view kCaller = "X-Callpark-Caller";

/// From the phone itself: how many seconds this one call is to be parked before its recall. It counts where the
/// extension may set it (extensions.may_set_recall).
inline constexpr std::string_view kRecallAfter = "X-Recall-After";

}  // namespace callpark::kamailio_protocol
