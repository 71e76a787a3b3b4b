#include "parkd/dialog/dialog_requests.h"

#include <string>

#include "parkd/message/headers.h"
#include "parkd/message/name_addr.h"

namespace callpark::sip {

namespace {

std::string address(const std::string& display, const std::string& uri, const std::string& tag) {
  NameAddr address{display, parse_uri(uri).value_or(SipUri{}), {}};
  if (!tag.empty()) address.set_tag(tag);
  return address.to_string();
}

// RFC 3261 12.2.1.1, except for CSeq's number.
SipMessage make_numbered(const DialogState& dialog, std::string_view method, std::uint32_t cseq) {
  SipMessage request = make_request(method, dialog.remote_target);
  route(request, dialog.route_set, dialog.remote_target);
  request.set_header(HeaderName::kFrom, address(dialog.local_display, dialog.local_uri, dialog.id.local_tag));
  request.set_header(HeaderName::kTo, address(dialog.remote_display, dialog.remote_uri, dialog.id.remote_tag));
  request.set_header(HeaderName::kCallId, dialog.id.call_id);
  request.set_cseq(cseq, method);
  return request;
}

}  // namespace

SipMessage make_request_in(DialogState& dialog, std::string_view method, std::string_view contact) {
  SipMessage request = make_numbered(dialog, method, ++dialog.local_cseq);
  if (!contact.empty()) request.set_header(HeaderName::kContact, contact);
  return request;
}

SipMessage make_ack_for_2xx(const DialogState& dialog, std::uint32_t invite_cseq) {
  return make_numbered(dialog, method::kAck, invite_cseq);
}

bool accept_cseq(DialogState& dialog, const SipMessage& request) {
  if (request.method() == method::kAck || request.method() == method::kCancel) return true;
  const std::uint32_t number = request.cseq().number;
  if (dialog.remote_cseq && number < *dialog.remote_cseq) return false;
  dialog.remote_cseq = number;
  return true;
}

void refresh_target(DialogState& dialog, const SipMessage& received) {
  if (received.method() != method::kInvite && received.method() != method::kUpdate) return;
  if (received.is_response() && received.status() / 100 != 2) return;
  if (const auto contact = received.contact()) dialog.remote_target = contact->uri.to_string();
}

}  // namespace callpark::sip
