// The body of a NOTIFY about a REFER (RFC 3515 2.4.5, RFC 3420): the status line of the answer that the referred
// request got.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace callpark::leg {

inline constexpr std::string_view kSipfragType = "message/sipfrag;version=2.0";

struct StatusLine {
  int status = 0;
  std::string reason;

  bool operator==(const StatusLine&) const = default;
};

/// "SIP/2.0 200 OK" and an end of line; an empty reason means the usual phrase.
std::string write_sipfrag(int status, std::string_view reason = {});
/// Reads the status line that a fragment begins with; none when it does not begin with one.
std::optional<StatusLine> parse_sipfrag(std::string_view body);

}  // namespace callpark::leg
