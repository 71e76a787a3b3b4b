#include "parkd/leg/sent_cseq.h"

#include <algorithm>
#include <charconv>

#include "kamailio_protocol/headers.h"

namespace callpark::leg {

std::uint32_t cseq_as_sent(const sip::SipMessage& response) {
  const std::uint32_t own = response.cseq().number;
  const auto text = response.header(kamailio_protocol::kCSeq);
  if (!text) return own;
  std::uint32_t sent = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), sent);
  return error == std::errc() && end == text->data() + text->size() ? std::max(own, sent) : own;
}

std::uint32_t count_as_sent(sip::DialogState& dialog, const sip::SipMessage& response) {
  const std::uint32_t sent = cseq_as_sent(response);
  dialog.local_cseq = std::max(dialog.local_cseq, sent);
  return sent;
}

}  // namespace callpark::leg
