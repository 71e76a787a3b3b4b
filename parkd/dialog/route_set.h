// The proxies that every request of a dialog passes, in their order, and how they are written into a request (RFC 3261
// 12.1 and 12.2.1.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

/// Each entry is one Route value as it will be written, "<sip:127.0.0.1;lr;ftag=1>": kept as text so that parameters
/// return to the proxy letter by letter.
using RouteSet = std::vector<std::string>;

/// For the called end: the Record-Route of the request in order.
RouteSet route_set_of_request(const SipMessage& request);
/// For the calling end: the Record-Route of the response, reversed.
RouteSet route_set_of_response(const SipMessage& response);
/// Returns the Route headers of a request that has not been routed any further, in order.
RouteSet routes_left_in(const SipMessage& request);
/// Reads the list of a header; an empty text is an empty route set. Fails on an entry that is no address.
Result<RouteSet, SyntaxError> parse_route_set(std::string_view text);
/// The inverse of parse_route_set().
std::string to_string(const RouteSet& routes);

/// Sets request URI and Route headers and replaces those of the request. If the first entry is a loose router, all
/// entries become Route headers; a strict router of RFC 2543 becomes the request URI, with the remote target at the end
/// of the routes.
void route(SipMessage& request, const RouteSet& routes, std::string_view remote_target);

}  // namespace callpark::sip
