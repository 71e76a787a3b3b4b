// One Via: the address that a response is sent to, and the branch that names the transaction (RFC 3261 20.42, RFC
// 3581).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/params.h"
#include "parkd/message/syntax_error.h"

namespace callpark::sip {

struct ViaParts;

struct Via {
  /// "UDP", "TCP", ... as written.
  std::string transport;
  /// A name, an IPv4 address, or an IPv6 address in brackets.
  std::string host;
  std::optional<std::uint16_t> port;
  Params params;
  /// Kept only so that it can be sent back if it differs.
  std::string protocol = "SIP/2.0";

  /// Empty if there is none.
  std::string_view branch() const noexcept { return params.get("branch").value_or(std::string_view{}); }
  std::string_view received() const noexcept { return params.get("received").value_or(std::string_view{}); }
  /// True if the peer requests symmetric responses, filled in or not.
  bool has_rport() const noexcept { return params.has("rport"); }
  /// The port once a server has filled it in.
  std::optional<std::uint16_t> rport() const noexcept;

  std::string to_string() const;

  bool operator==(const Via&) const = default;
};

/// Reads one Via, without the header's name.
Result<Via, SyntaxError> parse_via(std::string_view text);
/// Reads a list of Vias separated by commas; at least one.
Result<std::vector<Via>, SyntaxError> parse_via_list(std::string_view text);

/// Makes the Via from the result of scan_via().
Via make_via(const ViaParts& parts);

}  // namespace callpark::sip
