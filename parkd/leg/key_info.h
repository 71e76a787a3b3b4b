// A key that a party has pressed, as an INFO of its phone reports it.
#pragma once

#include "parkd/call/info_key.h"
#include "parkd/message/dtmf_info.h"

namespace callpark::leg {

inline Result<InfoKey, sip::DtmfError> read_key(const sip::SipMessage& info) {
  const auto pressed = sip::read_dtmf_info(info);
  if (!pressed) return failure(pressed.error());
  const bool is_relay = pressed->body == sip::DtmfBody::kDtmfRelay;
  return InfoKey{is_relay ? KeyWay::kDtmfRelay : KeyWay::kDtmf, pressed->key, info.cseq().number};
}

}  // namespace callpark::leg
