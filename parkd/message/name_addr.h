// An address as From, To, Contact, Route, Record-Route and Refer-To carry it: display name, URI, parameters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "parkd/message/params.h"
#include "parkd/message/sip_uri.h"
#include "parkd/message/syntax_error.h"

namespace callpark::sip {

struct AddressParts;

struct NameAddr {
  /// Plain text: the parser removes quotes and backslashes, and to_string() adds them again.
  std::string display;
  SipUri uri;
  /// Parameters of the header, not of the URI.
  Params params;

  /// Empty if there is none.
  std::string_view tag() const noexcept { return params.get("tag").value_or(std::string_view{}); }
  void set_tag(std::string_view tag) { params.set("tag", tag); }

  /// Always writes angle brackets.
  std::string to_string() const;

  bool operator==(const NameAddr&) const = default;
};

/// Reads one address.
// RFC 3261 20: without angle brackets, what follows ";" belongs to the header; "," and "?" are not allowed at all.
Result<NameAddr, SyntaxError> parse_name_addr(std::string_view text);
/// Reads a list of addresses separated by commas; at least one.
Result<std::vector<NameAddr>, SyntaxError> parse_name_addr_list(std::string_view text);

/// Makes the address from the result of scan_address().
NameAddr make_name_addr(const AddressParts& parts);

}  // namespace callpark::sip
