// The destination of a REFER: the URI in Refer-To without what is hidden behind its "?" (RFC 3515 2.1), and the
// dialog to be replaced (RFC 3891), which makes it an attended transfer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "parkd/message/headers.h"
#include "parkd/message/sip_message.h"
#include "parkd/message/sip_uri.h"

namespace callpark::leg {

struct ReferTarget {
  /// Without headers and without the method parameter.
  sip::SipUri uri;
  std::optional<sip::Replaces> replaces;

  bool operator==(const ReferTarget&) const = default;
};

enum class ReferError : std::uint8_t {
  /// RFC 3515 2.4.2: no Refer-To, several, or one that cannot be read.
  kNoReferTo,
  /// Not sip, sips or tel.
  kScheme,
  /// It asks for another request than an INVITE.
  kMethod,
  kReplaces,
};

/// A sentence for people, without a full stop. Static text.
std::string_view sentence(ReferError error) noexcept;
/// 400, or 416 for kScheme, or 501 for kMethod.
int status_of(ReferError error) noexcept;

Result<ReferTarget, ReferError> refer_target(const sip::SipMessage& refer);

}  // namespace callpark::leg
