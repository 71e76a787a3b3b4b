// The URLs that HttpClient sends to: http or https, a host, and no secret or ambiguity in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace callpark {

/// Returns a sentence about the first fault of a URL, or nothing if HttpClient accepts it. Refused are: a scheme other
/// than http and https, or none; a missing host; user-info (it ends up in logs; use a header); a fragment; more than
/// 2,048 characters; and every character that RFC 3986 wants percent-encoded. For use when settings are read.
std::optional<std::string> http_url_error(std::string_view url);

/// The scheme, host and port of a URL ("https://billing.example:443"), which may be logged: path and query may hold
/// secrets. Empty if http_url_error() refuses the URL.
std::string http_origin(std::string_view url);

}  // namespace callpark
