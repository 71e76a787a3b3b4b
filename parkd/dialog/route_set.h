// The proxies that every request of a dialog passes, in the order in which it passes them, and how they are put into a
// request (RFC 3261 12.1 and 12.2.1.1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/sip_message.h"

namespace callpark::sip {

/// Each entry is one Route value as it will be written, "<sip:127.0.0.1;lr;ftag=1>": kept as text so that parameters
/// go back to the proxy letter by letter.
using RouteSet = std::vector<std::string>;

/// For the end that was called: the Record-Route of the request in order.
RouteSet route_set_of_request(const SipMessage& request);
/// For the end that has called: the Record-Route of the response reversed.
RouteSet route_set_of_response(const SipMessage& response);
/// The Route headers of a request that has not been routed any further, in order.
RouteSet routes_left_in(const SipMessage& request);
/// A list as it stands in a header; an empty text is an empty route set. Errors: an entry that is no address.
Result<RouteSet, SyntaxError> parse_route_set(std::string_view text);
/// The inverse of parse_route_set().
std::string to_string(const RouteSet& routes);

/// Sets request URI and Route headers, replacing what the request had: plainly where the first entry is a loose router,
/// else as RFC 2543's strict routers want it, with the remote target at the end of the routes.
void route(SipMessage& request, const RouteSet& routes, std::string_view remote_target);

}  // namespace callpark::sip
