// The headers between Kamailio and parkd, for what no RFC has a header for. Kamailio removes them from every message
// from outside, so only a request from its inside socket may be believed. rules/protocol.lua has the same names, and
// tests/data/kamailio_protocol/headers.json proves both.
#pragma once

#include <string_view>

namespace callpark::kamailio_protocol {

/// Kamailio to parkd, and parkd to Kamailio on new requests: the domain with the number plan that counts.
inline constexpr std::string_view kTenant = "X-Callpark-Tenant";
/// Kamailio to parkd: the extension that has authenticated itself as the sender, or for which parkd calls a menu. On
/// the answer of a ring group or a call flow: the extension, or the number outside, that answers; on that of a Contact:
/// the extension that has registered it.
inline constexpr std::string_view kUser = "X-Callpark-User";
/// Kamailio to parkd: the name of that extension, if the phone sends none.
inline constexpr std::string_view kName = "X-Callpark-Name";
/// Kamailio to parkd, instead of kUser: the trunk of the tenant that calls an orbit, a menu or an announcement.
inline constexpr std::string_view kTrunk = "X-Callpark-Trunk";
/// Kamailio to parkd: the number that the caller of a menu or an announcement has dialled, if a DID, a call flow or a
/// ring group has led from it to that of the Request-URI.
inline constexpr std::string_view kDialled = "X-Callpark-Dialled";
/// Kamailio to parkd: where the sender's request came from, "udp:127.0.0.11:5060"; also on re-INVITE and UPDATE.
inline constexpr std::string_view kDevice = "X-Callpark-Device";
/// Kamailio to parkd: the dialog that is to be parked, as JSON on one line.
inline constexpr std::string_view kDialog = "X-Callpark-Dialog";
/// parkd to Kamailio: `kReleased` on a 2xx to a feature call that was not for the held call that came with it, `kKept`
/// on a refusal if parkd stays between the two parties.
inline constexpr std::string_view kAdoption = "X-Callpark-Adoption";
inline constexpr std::string_view kReleased = "released";
inline constexpr std::string_view kKept = "kept";
/// Kamailio to parkd on the ACK of a 2xx, `kYes`: its sender has cancelled the call, and the 2xx came first.
inline constexpr std::string_view kCancelled = "X-Callpark-Cancelled";
inline constexpr std::string_view kYes = "yes";
/// parkd to Kamailio on a 503 to a park: how many parks a second parkd can do. Kamailio refuses those above it, for
/// some seconds, before they cost anything.
inline constexpr std::string_view kParkRate = "X-Callpark-Park-Rate";
/// parkd to Kamailio on the INVITE of a recall: the id of the parked call. Kamailio ends an earlier INVITE with the
/// same id, which a parkd that has died may have left ringing.
inline constexpr std::string_view kRecall = "X-Callpark-Recall";
/// parkd to Kamailio on an INVITE in the name of a caller that is an extension: which one, as "102@demo.callpark".
inline constexpr std::string_view kCaller = "X-Callpark-Caller";
/// Kamailio to parkd on a request within a dialog of parkd's: the address of a sender of which Kamailio does not know
/// whether it is a party. It is one if that is where the party's Contact leads.
inline constexpr std::string_view kUnproven = "X-Callpark-Unproven";

/// parkd to Kamailio on the 200 to a question about a call: "200 OK" if the call is permitted, else the status and the
/// phrase by which Kamailio refuses it, "402 Insufficient funds".
inline constexpr std::string_view kVerdict = "X-Callpark-Verdict";

/// Kamailio to parkd on an answer to a request of parkd's: the CSeq with which a trunk has seen that request, if
/// Kamailio has answered the trunk's challenge. parkd goes on counting from there.
inline constexpr std::string_view kCSeq = "X-Callpark-CSeq";

/// From the phone itself, through Kamailio: how many seconds this one call is parked before its recall. It counts if
/// the extension may set it (extensions.may_set_recall).
inline constexpr std::string_view kRecallAfter = "X-Recall-After";

}  // namespace callpark::kamailio_protocol
