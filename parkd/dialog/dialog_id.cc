#include "parkd/dialog/dialog_id.h"

#include <string_view>

namespace callpark::sip {

DialogId dialog_id_of(const SipMessage& received) {
  const bool to_us = received.is_request();
  return {std::string(received.call_id()), std::string(to_us ? received.to_tag() : received.from_tag()),
          std::string(to_us ? received.from_tag() : received.to_tag())};
}

DialogId dialog_id_of(const Replaces& replaces) {
  return {replaces.call_id, replaces.to_tag, replaces.from_tag};
}

}  // namespace callpark::sip

std::size_t std::hash<callpark::sip::DialogId>::operator()(const callpark::sip::DialogId& id) const noexcept {
  // An odd factor makes the order of the tags count, so that the two ends of a dialog have different hashes.
  constexpr std::size_t kFactor = 0x9e3779b97f4a7c15;
  const std::hash<std::string_view> hash_text;
  return (hash_text(id.call_id) * kFactor + hash_text(id.local_tag)) * kFactor + hash_text(id.remote_tag);
}
