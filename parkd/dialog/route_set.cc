#include "parkd/dialog/route_set.h"

#include <algorithm>

#include "parkd/message/headers.h"
#include "parkd/message/name_addr.h"

namespace callpark::sip {

namespace {

RouteSet texts_of(const SipMessage& message, HeaderName name) {
  const auto values = message.all_headers(name);
  return {values.begin(), values.end()};
}

// An unreadable entry counts as loose: it is then sent in a Route, where the next proxy refuses it.
bool is_loose(const std::string& entry) {
  const auto address = parse_name_addr(entry);
  return !address || address->uri.has_lr();
}

// RFC 3261 12.2.1.1: "stripping any parameters that are not allowed in a Request-URI"; these parameters (table 1 of
// 19.1.1) control how a request is built from the URI.
SipUri as_request_uri(const std::string& entry) {
  SipUri uri = parse_name_addr(entry)->uri;
  uri.params().remove("method");
  uri.clear_headers();
  return uri;
}

}  // namespace

RouteSet route_set_of_request(const SipMessage& request) {
  return texts_of(request, HeaderName::kRecordRoute);
}

RouteSet route_set_of_response(const SipMessage& response) {
  RouteSet routes = texts_of(response, HeaderName::kRecordRoute);
  std::reverse(routes.begin(), routes.end());
  return routes;
}

RouteSet routes_left_in(const SipMessage& request) {
  return texts_of(request, HeaderName::kRoute);
}

Result<RouteSet, SyntaxError> parse_route_set(std::string_view text) {
  RouteSet routes;
  for (const auto entry : split_list(text)) {
    const auto address = parse_name_addr(entry);
    if (!address) return failure(address.error());
    // RFC 3261 20.34: always in angle brackets; without them ";lr" would not belong to the URI.
    if (entry.find('<') == std::string_view::npos) return failure(SyntaxError::kAddress);
    routes.emplace_back(entry);
  }
  return routes;
}

std::string to_string(const RouteSet& routes) {
  std::string text;
  for (const auto& entry : routes) {
    if (!text.empty()) text += ", ";
    text += entry;
  }
  return text;
}

void route(SipMessage& request, const RouteSet& routes, std::string_view remote_target) {
  request.remove_header(HeaderName::kRoute);
  if (routes.empty() || is_loose(routes.front())) {
    request.set_request_uri(remote_target);
    for (const auto& entry : routes) request.add_header(HeaderName::kRoute, entry);
    return;
  }
  request.set_request_uri(as_request_uri(routes.front()));
  for (auto entry = routes.begin() + 1; entry != routes.end(); ++entry) request.add_header(HeaderName::kRoute, *entry);
  request.add_header(HeaderName::kRoute, "<" + std::string(remote_target) + ">");
}

}  // namespace callpark::sip
