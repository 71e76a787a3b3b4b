// Keys in the bodies of INFO: application/dtmf-relay ("Signal=5", "Duration=160") and application/dtmf ("5"). No RFC
// has them; this reads what phones and gateways are known to send.
#pragma once

#include <string_view>

#include "base/result.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

inline constexpr std::string_view kDtmfTypes = "application/dtmf-relay, application/dtmf";

enum class DtmfBody { kDtmfRelay, kDtmf };

struct DtmfKey {
  DtmfBody body = DtmfBody::kDtmf;
  char key = '0';  // 0 to 9, '*', '#', A to D
  friend bool operator==(const DtmfKey&, const DtmfKey&) = default;
};

enum class DtmfError {
  kOtherBody,  // the body is neither of the two: 415
  kNoKey,      // it names no key: 400
};

Result<DtmfKey, DtmfError> read_dtmf_info(const SipMessage& info);

/// The key of a body; `text` as it is in the message.
Result<DtmfKey, DtmfError> read_dtmf_body(DtmfBody body, std::string_view text);

}  // namespace callpark::sip
