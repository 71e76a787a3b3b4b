#include "parkd/dialog/dialog.h"

#include <utility>

#include "parkd/message/name_addr.h"

namespace callpark::sip {

namespace {

void set_local(DialogState& dialog, const NameAddr& address) {
  dialog.local_uri = address.uri.to_string();
  dialog.local_display = address.display;
  dialog.id.local_tag = address.tag();
}

void set_remote(DialogState& dialog, const NameAddr& address) {
  dialog.remote_uri = address.uri.to_string();
  dialog.remote_display = address.display;
  dialog.id.remote_tag = address.tag();
}

}  // namespace

std::string_view sentence(DialogError error) noexcept {
  switch (error) {
    case DialogError::kNoTag:
      return "a tag is missing, so it belongs to no dialog";
    case DialogError::kNoContact:
      return "there is no Contact to send requests to";
  }
  return {};
}

Result<DialogState, DialogError> from_incoming_invite(const SipMessage& request, std::string_view our_tag) {
  if (our_tag.empty()) return failure(DialogError::kNoTag);
  const auto contact = request.contact();
  if (!contact) return failure(DialogError::kNoContact);
  DialogState dialog;
  dialog.id.call_id = request.call_id();
  set_local(dialog, request.to());
  dialog.id.local_tag = our_tag;
  // RFC 3261 12.1.1: an RFC 2543 caller may have no tag; "the tag is considered to have a value of null".
  set_remote(dialog, request.from());
  dialog.remote_cseq = request.cseq().number;
  dialog.remote_target = contact->uri.to_string();
  dialog.route_set = route_set_of_request(request);
  return dialog;
}

Result<DialogState, DialogError> from_outgoing_invite(const SipMessage& request, const SipMessage& response) {
  if (response.to_tag().empty()) return failure(DialogError::kNoTag);
  // RFC 3261 12.1.1 requires a Contact. An answer without one is still an answer, and the Route leads to its sender.
  const auto contact = response.contact();
  DialogState dialog;
  dialog.id.call_id = request.call_id();
  set_local(dialog, request.from());
  set_remote(dialog, response.to());
  dialog.local_cseq = request.cseq().number;
  dialog.remote_target = contact ? contact->uri.to_string() : std::string(request.request_uri_text());
  dialog.route_set = route_set_of_response(response);
  return dialog;
}

Result<DialogState, DialogError> in_place_of_referrer(const SipMessage& refer) {
  if (refer.from_tag().empty() || refer.to_tag().empty()) return failure(DialogError::kNoTag);
  DialogState dialog;
  dialog.id.call_id = refer.call_id();
  set_local(dialog, refer.from());
  set_remote(dialog, refer.to());
  dialog.local_cseq = refer.cseq().number;
  dialog.remote_target = refer.request_uri_text();
  dialog.route_set = routes_left_in(refer);
  return dialog;
}

Result<DialogState, DialogError> towards_referrer(const SipMessage& refer, RouteSet routes, std::uint32_t local_cseq) {
  if (refer.from_tag().empty() || refer.to_tag().empty()) return failure(DialogError::kNoTag);
  const auto contact = refer.contact();
  if (!contact) return failure(DialogError::kNoContact);
  DialogState dialog;
  dialog.id.call_id = refer.call_id();
  set_local(dialog, refer.to());
  set_remote(dialog, refer.from());
  dialog.local_cseq = local_cseq;
  dialog.remote_cseq = refer.cseq().number;
  dialog.remote_target = contact->uri.to_string();
  dialog.route_set = std::move(routes);
  return dialog;
}

}  // namespace callpark::sip
