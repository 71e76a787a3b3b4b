// Calls every accessor of a message once: whatever a peer sent, none of them may read what is not there.
#pragma once

#include "parkd/message/session_body.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

/// A number that depends on everything read, so that nothing is optimised away.
inline std::size_t touch_everything(const SipMessage& m) {
  std::size_t sum = m.method().size() + m.reason().size() + m.call_id().size() + m.body().size();
  sum += m.request_uri().to_string().size() + m.from().to_string().size() + m.to().to_string().size();
  sum += m.from_tag().size() + m.to_tag().size() + m.top_branch().size() + m.top_via().to_string().size();
  sum += m.vias().size() + m.contacts().size() + m.routes().size() + m.record_routes().size();
  sum += m.cseq().to_string().size() + m.max_forwards().value_or(0) + m.expires().value_or(0);
  sum += m.event().size() + m.subscription_state().size() + m.content_type().size() + session_description(m).size();
  for (const auto& address : {m.contact(), m.refer_to(), m.referred_by()}) {
    if (!address) continue;
    sum += address->to_string().size() + address->uri.user().size() + address->uri.equivalent(m.to().uri);
    sum += address->uri.header("Replaces").value_or("").size();
  }
  if (const auto replaces = m.replaces()) sum += replaces->to_string().size();
  for (const HeaderField& field : m.headers()) {
    sum +=
        m.all_headers(field.text).size() + m.header(field.text).value_or("").size() + m.has_token(field.name, "100rel");
  }
  return sum;
}

}  // namespace callpark::sip
