#include "parkd/leg/key_info.h"

#include "parkd/leg/joining.h"
#include "parkd/message/dtmf_info.h"

namespace callpark::leg {

std::optional<InfoKey> answer_key_info(DialogLeg& leg, sip::ServerTransactionKey key, const sip::SipMessage& info) {
  if (info.body().empty()) {
    answer_plain_request(leg, key, info);
    return std::nullopt;
  }
  const auto pressed = sip::read_dtmf_info(info);
  if (!pressed) {
    const bool is_other = pressed.error() == sip::DtmfError::kOtherBody;
    if (is_other) leg.add_to_next_answer("Accept", sip::kDtmfTypes);  // RFC 3261 8.2.3
    leg.refuse(key, info, is_other ? 415 : 400);
    return std::nullopt;
  }
  leg.refuse(key, info, 200);
  const bool is_relay = pressed->body == sip::DtmfBody::kDtmfRelay;
  return InfoKey{is_relay ? KeyWay::kDtmfRelay : KeyWay::kDtmf, pressed->key, info.cseq().number};
}

}  // namespace callpark::leg
