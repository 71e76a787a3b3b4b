#include "parkd/leg/refer_target.h"

namespace callpark::leg {

std::string_view sentence(ReferError error) noexcept {
  switch (error) {
    case ReferError::kNoReferTo:
      return "there is not exactly one Refer-To that can be read";
    case ReferError::kScheme:
      return "Refer-To is neither a sip, sips nor tel URI";
    case ReferError::kMethod:
      return "Refer-To asks for another request than an INVITE";
    case ReferError::kReplaces:
      return "the Replaces in Refer-To cannot be read";
  }
  return {};
}

int status_of(ReferError error) noexcept {
  switch (error) {
    case ReferError::kNoReferTo:
    case ReferError::kReplaces:
      return 400;
    case ReferError::kScheme:
      return 416;
    case ReferError::kMethod:
      return 501;
  }
  return 400;
}

Result<ReferTarget, ReferError> refer_target(const sip::SipMessage& refer) {
  const auto refer_to = refer.refer_to();
  if (!refer_to) return failure(ReferError::kNoReferTo);
  ReferTarget target{refer_to->uri, std::nullopt};
  if (!target.uri.is_sip() && target.uri.scheme() != "tel") return failure(ReferError::kScheme);
  // RFC 3261 19.1.1: absent means INVITE.
  if (target.uri.params().get("method").value_or(sip::method::kInvite) != sip::method::kInvite) {
    return failure(ReferError::kMethod);
  }
  if (const auto text = target.uri.header("Replaces")) {
    const auto replaces = sip::parse_replaces(*text);
    if (!replaces) return failure(ReferError::kReplaces);
    target.replaces = *replaces;
  }
  target.uri.params().remove("method");
  target.uri.clear_headers();
  return target;
}

}  // namespace callpark::leg
