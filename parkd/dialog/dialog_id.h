// The three names by which both ends of a dialog know it (RFC 3261 12), seen from one of them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "parkd/message/headers.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

struct DialogId {
  std::string call_id;
  std::string local_tag;
  std::string remote_tag;

  /// Returns the same dialog as the other end sees it.
  DialogId reversed() const { return {call_id, remote_tag, local_tag}; }

  bool operator==(const DialogId&) const = default;
};

/// Returns the dialog that a received message belongs to: the To tag of a request is ours, and so is the From tag of a
/// response. A missing tag is empty.
DialogId dialog_id_of(const SipMessage& received);
/// RFC 3891 3: the dialog that a Replaces names, as its receiver sees it.
DialogId dialog_id_of(const Replaces& replaces);

}  // namespace callpark::sip

template <>
struct std::hash<callpark::sip::DialogId> {
  std::size_t operator()(const callpark::sip::DialogId& id) const noexcept;
};
